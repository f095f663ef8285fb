import {
  apiVersions,
  describeClientQuotas,
  describeCluster,
  describeConfigs,
  describeLogDirs,
  describeQuorum,
  describeTopicPartitions,
  describeUserScramCredentials,
  electLeaders,
  findCoordinator,
  listConfigResources,
  listGroups,
  listPartitionReassignments,
  listTransactions,
  metadata,
} from '../../../src/broker/wire/messages/index.ts'
import { pick, type Scenario, type Session } from '../session.ts'

/** What a broker that nothing was done to yet says of itself. */
async function newBroker(session: Session): Promise<void> {
  const client = { clientSoftwareName: 'differential', clientSoftwareVersion: '1' }
  await session.ask('versions', apiVersions, 4, client)
  await session.ask('all topics', metadata, 12, { topics: null, allowAutoTopicCreation: true })
  await session.ask('no topics', metadata, 12, { topics: [], allowAutoTopicCreation: true })
  await session.ask('no topics in v0', metadata, 0, { topics: [] })
  await session.ask('cluster', describeCluster, 2, { includeClusterAuthorizedOperations: true })
  await session.ask('groups', listGroups, 5, { statesFilter: [], typesFilter: [] })
  await session.ask('log directories', describeLogDirs, 5, { topics: null })
  await session.ask('transactions', listTransactions, 2, {
    stateFilters: [],
    producerIdFilters: [],
  })
  await session.ask('topics page by page', describeTopicPartitions, 0, { topics: [] })
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  await session.ask('quorum', describeQuorum, 2, { topics })
  await session.ask('users', describeUserScramCredentials, 0, { users: null })
  await session.ask('quotas', describeClientQuotas, 1, { components: [], strict: false })
  await session.ask('elections', electLeaders, 2, { electionType: 0, topicPartitions: null })
  await session.ask('reassignments', listPartitionReassignments, 0, { topics: null })
  for (const resourceTypes of [[], [2], [4], [8], [16], [32], [3]]) {
    await session.ask(
      `resources of ${resourceTypes.join() || 'any'} type`,
      listConfigResources,
      1,
      { resourceTypes },
    )
  }
}

/** What a broker tells of its configs: those that we have by Kafka's name, and those that tools were seen to read. */
const brokerConfigs = `
  advertised.listeners auto.create.topics.enable background.threads broker.id broker.rack
  compression.type connections.max.idle.ms default.replication.factor delete.topic.enable
  fetch.max.bytes group.initial.rebalance.delay.ms group.max.session.timeout.ms group.max.size
  group.min.session.timeout.ms inter.broker.protocol.version listeners log.cleaner.backoff.ms
  log.cleaner.delete.retention.ms log.cleaner.max.compaction.lag.ms
  log.cleaner.min.compaction.lag.ms log.cleaner.threads log.cleanup.policy log.dir log.dirs
  log.flush.interval.messages log.flush.interval.ms log.index.interval.bytes
  log.index.size.max.bytes log.message.format.version log.message.timestamp.after.max.ms
  log.message.timestamp.before.max.ms log.message.timestamp.type log.preallocate
  log.retention.bytes log.retention.check.interval.ms log.retention.hours log.retention.minutes
  log.retention.ms log.roll.hours log.roll.jitter.ms log.roll.ms log.segment.bytes
  log.segment.delete.delay.ms max.connections max.connections.per.ip message.max.bytes
  metadata.log.dir min.insync.replicas node.id num.io.threads num.network.threads num.partitions
  num.recovery.threads.per.data.dir num.replica.fetchers offset.metadata.max.bytes
  offsets.commit.timeout.ms offsets.retention.check.interval.ms offsets.retention.minutes
  offsets.topic.num.partitions offsets.topic.replication.factor offsets.topic.segment.bytes
  process.roles producer.id.expiration.ms queued.max.request.bytes replica.lag.time.max.ms
  sasl.enabled.mechanisms sasl.kerberos.min.time.before.relogin socket.request.max.bytes
  super.users unclean.leader.election.enable no.such.config
`
  .trim()
  .split(/\s+/)

async function configsOfBroker(session: Session): Promise<void> {
  for (const version of [1, 4]) {
    const resources = [{ resourceType: 4, resourceName: '1', configurationKeys: brokerConfigs }]
    const body = { resources, includeSynonyms: true }
    await session.ask(`broker 1 in v${version}`, describeConfigs, version, body)
  }
}

/** The topic of offsets, asked for by name before anybody needed it: by whom it is made, and how. */
async function offsetsByName(session: Session): Promise<void> {
  const name = '__consumer_offsets'
  const body = { topics: [{ name }], allowAutoTopicCreation: true }
  await session.ask('not to be made', metadata, 12, { ...body, allowAutoTopicCreation: false })
  await session.ask('to be made', metadata, 12, body)
  await session.seen(name, true)
  await session.ask('then', metadata, 12, body)
  const configurationKeys = ['cleanup.policy', 'compression.type', 'segment.bytes']
  const resources = [{ resourceType: 2, resourceName: name, configurationKeys }]
  await session.ask('its configs', describeConfigs, 4, { resources, includeSynonyms: true })
  await session.until('the coordinator is found', async () => {
    const answer = await session.request(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    return pick(answer, 'coordinators', 0, 'errorCode') === 0
  })
}

/** These want a broker that nothing was done to yet. */
export const freshScenarios: readonly Scenario[] = [
  { name: 'A new broker', run: newBroker },
  { name: 'Configs of a new broker', run: configsOfBroker },
  { name: 'Offsets by name', run: offsetsByName },
]
