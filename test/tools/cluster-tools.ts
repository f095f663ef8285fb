import { deepEqual, equal } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createTopics } from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { Cluster } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { javaCommand } from '../helpers/programs.ts'
import { run } from '../helpers/run.ts'
import {
  expectIn,
  fileOf,
  type Job,
  produceLines,
  type Site,
  told,
  tools,
  topics as topicTool,
} from './job.ts'

/** Kafka's own command line on three brokers: what it tells of them, and what it makes them do. */
export const clusterTools: readonly Job[] = [
  job(
    'cluster-topics',
    'under-replicated partitions are listed while a broker is dead, and no longer; then its leaders come back to it',
    topicsJob,
  ),
  job(
    'cluster-reassign',
    'a partition moves from one broker to two others with its records, and the log directories of all tell it',
    reassignJob,
  ),
  job(
    'cluster-quorum',
    'one broker leads the metadata, two observe; one that is stopped is unregistered, one that runs is not',
    quorumJob,
  ),
]

function job(
  name: string,
  proves: string,
  act: (site: Site, cluster: Cluster) => Promise<void>,
): Job {
  return {
    tool: "Kafka's bin, three brokers",
    name,
    proves,
    kit: 'java',
    note: null,
    quick: true,
    brokerCount: 3,
    run(site) {
      if (site.cluster === null) throw new Error('the job needs three brokers')
      return act(site, site.cluster)
    },
  }
}

/**
 * A topic with a partition on each of these lists of brokers, the preferred leader first. A broker says that it is ready before the
 * others know of it.
 */
async function placed(client: BrokerClient, name: string, ...lists: number[][]): Promise<void> {
  await eventually('three brokers', async () => (await client.metadata()).brokers.length === 3)
  const assignments = lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }
  const answer = await client.request(createTopics, 7, { topics: [topic], validateOnly: false })
  equal(answer.topics[0]!.errorCode, 0, answer.topics[0]!.errorMessage ?? '')
}

type Partition = Awaited<
  ReturnType<BrokerClient['metadata']>
>['topics'][number]['partitions'][number]

async function untilPartition(
  client: BrokerClient,
  topic: string,
  isSo: (partition: Partition) => boolean,
): Promise<void> {
  const look = async (): Promise<Partition | undefined> =>
    (await client.metadata([topic])).topics[0]!.partitions[0]
  await eventually(`${topic}-0`, look, seen => seen !== undefined && isSo(seen))
}

const sorted = (ids: readonly number[]): string => ids.toSorted((a, b) => a - b).join()

async function topicsJob(site: Site, cluster: Cluster): Promise<void> {
  // Broker 0 is where the tools ask.
  const client = await cluster.connect(0)
  await placed(client, 'copied', [2, 0, 1])
  const lacking = (): Promise<string> =>
    told(site, topicTool, '--describe', '--under-replicated-partitions')
  equal((await lacking()).trim(), '')
  await cluster.broker(2).kill()
  await untilPartition(client, 'copied', ({ leaderId, isrNodes }) => {
    return leaderId !== 2 && leaderId >= 0 && sorted(isrNodes) === '0,1'
  })
  expectIn(await lacking(), /Topic: copied\s+Partition: 0\s+Leader: [01]\s+Replicas: 2,0,1\s+Isr: /)
  await cluster.broker(2).start()
  await untilPartition(client, 'copied', ({ isrNodes }) => sorted(isrNodes) === '0,1,2')
  equal((await lacking()).trim(), '')
  const which = ['--topic', 'copied', '--partition', '0', '--election-type', 'preferred']
  const elected = await told(site, `${tools}.LeaderElectionCommand`, ...which)
  expectIn(elected, /(Successfully completed leader election|Valid replica already elected)/)
  await untilPartition(client, 'copied', ({ leaderId }) => leaderId === 2)
}

async function reassignJob(site: Site, cluster: Cluster): Promise<void> {
  const client = await cluster.connect(0)
  await placed(client, 'moved', [0])
  await produceLines(site, 'moved', ['x'.repeat(5_000)])
  const plan = fileOf(site, 'plan.json')
  const partitions = [{ topic: 'moved', partition: 0, replicas: [1, 2] }]
  writeFileSync(plan, JSON.stringify({ version: 1, partitions }))
  const command = `${tools}.reassign.ReassignPartitionsCommand`
  const given = ['--reassignment-json-file', plan]
  expectIn(await told(site, command, ...given, '--execute'), 'Successfully started')
  await untilPartition(client, 'moved', ({ replicaNodes, isrNodes, leaderId }) => {
    return sorted(replicaNodes) === '1,2' && sorted(isrNodes) === '1,2' && leaderId > 0
  })
  const verified = await told(site, command, ...given, '--verify')
  expectIn(verified, 'Reassignment of partition moved-0 is completed.')
  expectIn(await told(site, command, '--list'), 'No partition reassignments found.')
  deepEqual(await sizesOf(site, 'moved'), [null, true, true])
}

/** Of partition 0 on each broker: null where it is not there, whether it has its records where it is. */
async function sizesOf(site: Site, topic: string): Promise<(boolean | null)[]> {
  const asked = ['--describe', '--broker-list', '0,1,2', '--topic-list', topic]
  const stdout = await told(site, `${tools}.LogDirsCommand`, ...asked)
  const { brokers } = JSON.parse(stdout.split('\n').find(line => line.startsWith('{'))!) as {
    brokers: { broker: number; logDirs: { partitions: { size: number }[] }[] }[]
  }
  return brokers
    .toSorted((a, b) => a.broker - b.broker)
    .map(({ logDirs }) => {
      const size = logDirs[0]!.partitions[0]?.size
      return size === undefined ? null : size > 5_000
    })
}

async function quorumJob(site: Site, cluster: Cluster): Promise<void> {
  const quorum = (what: string): Promise<string> =>
    told(site, `${tools}.MetadataQuorumCommand`, 'describe', what)
  expectIn(await quorum('--status'), /LeaderId: +[012]\b/, /CurrentObservers: +\[.*,/)
  const replication = await quorum('--replication')
  expectIn(replication, /^[012]\b.*\bLeader\b/m)
  equal(replication.match(/\bObserver\b/g)?.length, 2)
  expectIn(await clusterTool(site, 'unregister', '--id', '2'), 'Broker 2 runs. Stop it first.')
  await cluster.broker(2).stop()
  const client = await cluster.connect(0)
  const isGone = async (): Promise<boolean> => (await client.metadata()).brokers.length === 2
  await eventually('two brokers', isGone)
  expectIn(await clusterTool(site, 'unregister', '--id', '2'), 'Broker 2 is no longer registered')
  const listed = await clusterTool(site, 'list-endpoints', '--include-fenced-brokers')
  equal(listed.split('\n').filter(line => /^[012]\b/.test(line)).length, 2, listed)
}

/** `kafka-cluster`, of which the options follow what it is to do; both its outputs. */
async function clusterTool(site: Site, what: string, ...args: string[]): Promise<string> {
  const { file, args: given } = javaCommand(`${tools}.ClusterTool`)
  const all = [...given, what, '--bootstrap-server', site.address, ...args]
  const { stdout, stderr } = await run(file, all, { timeoutMs: 120_000, anyStatus: true })
  return `${stdout}\n${stderr}`
}
