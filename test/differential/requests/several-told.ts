import {
  describeCluster,
  describeConfigs,
  describeLogDirs,
  describeQuorum,
  describeTopicPartitions,
  fetch,
  findCoordinator,
  incrementalAlterConfigs,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  unregisterBroker,
} from '../../../src/broker/wire/messages/index.ts'
import type { Session } from '../session.ts'
import { brokers, placed } from './placed.ts'

export async function cluster(session: Session): Promise<void> {
  const topic = await placed(session, 'told', [1, 2], [2, 0], [0, 1])
  for (const at of brokers) {
    const over = session.over(at)
    for (const version of [1, 9, 12]) {
      await over.ask(`Metadata ${version} of ${at}`, metadata, version, {
        topics: [{ name: topic }],
      })
    }
    await over.ask(`DescribeTopicPartitions of ${at}`, describeTopicPartitions, 0, {
      topics: [{ name: topic }],
    })
    await over.ask(`DescribeCluster of ${at}`, describeCluster, 1, { endpointType: 1 })
    await over.ask(`its controllers of ${at}`, describeCluster, 1, { endpointType: 2 })
    await over.ask(`with fenced ones of ${at}`, describeCluster, 2, {
      endpointType: 1,
      includeFencedBrokers: true,
    })
    await over.ask(`DescribeLogDirs of ${at}`, describeLogDirs, 4, {
      topics: [{ topic, partitions: [0, 1, 2, 3] }],
    })
    await over.ask(`FindCoordinator of another kind, of ${at}`, findCoordinator, 4, {
      keyType: 9,
      coordinatorKeys: ['a'],
    })
    await over.ask(`DescribeQuorum of another topic, of ${at}`, describeQuorum, 2, {
      topics: [{ topicName: topic, partitions: [{ partitionIndex: 0 }] }],
    })
    await over.ask(`DescribeQuorum of another partition, of ${at}`, describeQuorum, 2, {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 1 }] }],
    })
    await over.ask(`DescribeQuorum of nothing, of ${at}`, describeQuorum, 2, { topics: [] })
    await over.ask(`UnregisterBroker 7 of ${at}`, unregisterBroker, 0, { brokerId: 7 })
    await over.ask(`UnregisterBroker -1 of ${at}`, unregisterBroker, 0, { brokerId: -1 })
  }
}

export async function configs(session: Session): Promise<void> {
  for (const at of ['', 'broker 1']) {
    const over = session.over(at)
    for (const resourceName of ['0', '1', '2', '9', '-1', 'abc', '']) {
      const resource = { resourceType: 4, resourceName }
      await over.ask(`DescribeConfigs of '${resourceName}', ${at}`, describeConfigs, 4, {
        resources: [{ ...resource, configurationKeys: ['log.cleaner.threads'] }],
        includeSynonyms: true,
      })
      const rate = { name: 'leader.replication.throttled.rate', configOperation: 0, value: '1000' }
      const label = `IncrementalAlterConfigs of '${resourceName}', ${at}`
      await over.ask(label, incrementalAlterConfigs, 1, {
        resources: [{ ...resource, configs: [rate] }],
        validateOnly: true,
      })
    }
  }
}

export async function epochs(session: Session): Promise<void> {
  const topic = await placed(session, 'epochs', [0, 1], [1, 2], [2, 0])
  for (const at of brokers) {
    const over = session.over(at)
    for (const currentLeaderEpoch of [-1, 0, 5]) {
      await over.ask(
        `OffsetForLeaderEpoch, ${currentLeaderEpoch}, ${at}`,
        offsetForLeaderEpoch,
        4,
        {
          replicaId: -1,
          topics: [
            {
              topic,
              partitions: [0, 1, 2, 3].map(partition => ({
                partition,
                currentLeaderEpoch,
                leaderEpoch: 0,
              })),
            },
          ],
        },
      )
      for (const timestamp of [-1, -2, -3, -4, -5, 5]) {
        await over.ask(`ListOffsets, ${currentLeaderEpoch}, ${timestamp}, ${at}`, listOffsets, 9, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [
            {
              name: topic,
              partitions: [0, 1, 2, 3].map(partitionIndex => ({
                partitionIndex,
                currentLeaderEpoch,
                timestamp,
              })),
            },
          ],
        })
      }
      await over.ask(`Fetch, ${currentLeaderEpoch}, ${at}`, fetch, 12, {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1000,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            topic,
            partitions: [0, 1, 2, 3].map(partition => ({
              partition,
              currentLeaderEpoch,
              fetchOffset: 0,
              partitionMaxBytes: 1000,
            })),
          },
        ],
        forgottenTopicsData: [],
        rackId: '',
      })
    }
    for (const leaderEpoch of [-1, 1, 9]) {
      await over.ask(`the end of ${leaderEpoch}, ${at}`, offsetForLeaderEpoch, 4, {
        replicaId: -1,
        topics: [
          {
            topic,
            partitions: [0, 1, 2].map(partition => ({
              partition,
              currentLeaderEpoch: -1,
              leaderEpoch,
            })),
          },
        ],
      })
    }
  }
}
