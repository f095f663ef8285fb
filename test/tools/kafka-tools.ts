import { deepEqual, equal } from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { java } from '../helpers/programs.ts'
import { partitionFolder } from '../helpers/segments.ts'
import {
  consumeLines,
  createTopic,
  expectIn,
  fileOf,
  type Job,
  produceLines,
  type Site,
  told,
  tool,
  tools,
  topics,
} from './job.ts'

const notes: Readonly<Record<string, string>> = {
  'kafka-acls': 'there is no authorizer: SECURITY_DISABLED, as on Kafka without one',
  'kafka-reassign-partitions': 'one node: a plan can only name the replica that is there',
  'kafka-dump-log': "for `.log` files; indexes and snapshots are not in Kafka's formats",
}

/** Kafka's own command line, one job a script of its bin folder. */
export const kafkaTools: readonly Job[] = [
  job('kafka-topics', 'creates, lists, describes, grows and deletes', topicsJob),
  job(
    'kafka-configs',
    'sets and shows configs of a topic and of the broker; users have none',
    configsJob,
  ),
  job(
    'kafka-console',
    'the console consumer prints what the console producer was given',
    consoleJob,
  ),
  job('kafka-consumer-groups', 'lists, describes with lag, resets and deletes a group', groupsJob),
  job('kafka-log-dirs', 'tells the size of a partition on disk', logDirsJob),
  job('kafka-reassign-partitions', 'a plan of the same replicas is done at once', reassignJob),
  job('kafka-leader-election', 'no partition needs an election', electionJob),
  job('kafka-metadata-quorum', 'the one node is leader and voter', quorumJob),
  job('kafka-features', 'tells the finalized metadata.version', featuresJob, true),
  job('kafka-acls', 'says that no authorizer is there', aclsJob),
  job('kafka-delete-records', 'moves the log start', deleteRecordsJob),
  job('kafka-get-offsets', 'tells earliest, latest and by time', getOffsetsJob),
  job('kafka-dump-log', 'reads our .log files', dumpLogJob, true),
  job('kafka-producer-perf-test', 'produces 10,000 records', perfJob),
]

function job(name: string, proves: string, act: (site: Site) => Promise<void>, quick = false): Job {
  return {
    tool: "Kafka's bin",
    name,
    proves,
    kit: 'java',
    note: notes[name] ?? null,
    quick,
    run: act,
  }
}

async function topicsJob(site: Site): Promise<void> {
  await createTopic(site, 'a', '--partitions', '3', '--config', 'retention.ms=1000000')
  expectIn(await told(site, topics, '--list'), /^a$/m)
  const described = await told(site, topics, '--describe', '--topic', 'a')
  expectIn(described, 'PartitionCount: 3', 'ReplicationFactor: 1', 'retention.ms=1000000')
  await told(site, topics, '--alter', '--topic', 'a', '--partitions', '5')
  expectIn(await told(site, topics, '--describe', '--topic', 'a'), 'PartitionCount: 5')
  await told(site, topics, '--delete', '--topic', 'a')
  equal(/^a$/m.test(await told(site, topics, '--list')), false)
}

async function configsJob(site: Site): Promise<void> {
  await createTopic(site, 'configured')
  const configs = (...args: string[]): Promise<string> =>
    told(site, 'kafka.admin.ConfigCommand', ...args)
  const ofTopic = ['--entity-type', 'topics', '--entity-name', 'configured']
  await configs('--alter', ...ofTopic, '--add-config', 'flush.messages=7,retention.ms=99999')
  const described = await configs('--describe', ...ofTopic)
  expectIn(described, 'flush.messages=7', 'retention.ms=99999')
  await configs('--alter', ...ofTopic, '--delete-config', 'flush.messages')
  equal((await configs('--describe', ...ofTopic)).includes('flush.messages=7'), false)
  const ofBroker = ['--entity-type', 'brokers', '--entity-name', '1']
  await configs('--alter', ...ofBroker, '--add-config', 'log.retention.ms=88888')
  expectIn(await configs('--describe', ...ofBroker), 'log.retention.ms=88888')
  expectIn(await configs('--describe', '--all', ...ofBroker), 'num.partitions=')
  equal((await configs('--describe', '--entity-type', 'users')).trim(), '')
}

async function consoleJob(site: Site): Promise<void> {
  await createTopic(site, 'lines', '--partitions', '1')
  const lines = ['first', 'zweite', 'third']
  await produceLines(site, 'lines', lines)
  deepEqual(await consumeLines(site, 'lines', 3), lines)
}

async function groupsJob(site: Site): Promise<void> {
  await createTopic(site, 'read', '--partitions', '1')
  await produceLines(site, 'read', ['1', '2', '3', '4', '5'])
  await consumeLines(site, 'read', 2, '--group', 'readers')
  const groups = (...args: string[]): Promise<string> =>
    told(site, `${tools}.consumer.group.ConsumerGroupCommand`, ...args)
  expectIn(await groups('--list'), 'readers')
  expectIn(await groups('--describe', '--group', 'readers'), /readers +read +0 +2 +5 +3/)
  const reset = ['--reset-offsets', '--to-earliest', '--topic', 'read', '--execute']
  await groups('--group', 'readers', ...reset)
  expectIn(await groups('--describe', '--group', 'readers'), /readers +read +0 +0 +5 +5/)
  expectIn(await groups('--describe', '--group', 'readers', '--state'), 'Empty')
  await groups('--delete', '--group', 'readers')
  equal((await groups('--list')).includes('readers'), false)
}

async function logDirsJob(site: Site): Promise<void> {
  await createTopic(site, 'sized', '--partitions', '1')
  await produceLines(site, 'sized', ['x'.repeat(5000)])
  const asked = ['--describe', '--topic-list', 'sized']
  const stdout = await told(site, `${tools}.LogDirsCommand`, ...asked)
  const answer = JSON.parse(stdout.split('\n').find(line => line.startsWith('{'))!) as {
    brokers: { logDirs: { error: string | null; partitions: { size: number }[] }[] }[]
  }
  const [dir] = answer.brokers[0]!.logDirs
  equal(dir!.error, null)
  equal(dir!.partitions[0]!.size > 5000, true)
}

async function reassignJob(site: Site): Promise<void> {
  await createTopic(site, 'moved', '--partitions', '2')
  const plan = fileOf(site, 'plan.json')
  const partitions = [0, 1].map(partition => ({ topic: 'moved', partition, replicas: [1] }))
  writeFileSync(plan, JSON.stringify({ version: 1, partitions }))
  const command = `${tools}.reassign.ReassignPartitionsCommand`
  const given = ['--reassignment-json-file', plan]
  expectIn(await told(site, command, ...given, '--execute'), 'Successfully started')
  const verified = await told(site, command, ...given, '--verify')
  expectIn(verified, 'Reassignment of partition moved-0 is completed.')
  expectIn(await told(site, command, '--list'), 'No partition reassignments found.')
}

async function electionJob(site: Site): Promise<void> {
  await createTopic(site, 'elected', '--partitions', '2')
  const all = ['--election-type', 'preferred', '--all-topic-partitions']
  const { status, stdout, stderr } = await tool(site, `${tools}.LeaderElectionCommand`, ...all)
  equal(status, 0, stdout + stderr)
}

async function quorumJob(site: Site): Promise<void> {
  const command = `${tools}.MetadataQuorumCommand`
  const status = await told(site, command, 'describe', '--status')
  expectIn(status, /LeaderId: +1\b/, /CurrentVoters: +\[.*1/)
  expectIn(await told(site, command, 'describe', '--replication'), /\bLeader\b/)
}

async function featuresJob(site: Site): Promise<void> {
  const stdout = await told(site, `${tools}.FeatureCommand`, 'describe')
  expectIn(stdout, /Feature: metadata\.version\s.*FinalizedVersionLevel: \d/)
}

async function aclsJob(site: Site): Promise<void> {
  const { stdout, stderr } = await tool(site, `${tools}.AclCommand`, '--list')
  expectIn(stdout + stderr, 'SecurityDisabledException')
}

async function deleteRecordsJob(site: Site): Promise<void> {
  await createTopic(site, 'shortened', '--partitions', '1')
  await produceLines(site, 'shortened', ['1', '2', '3'])
  const file = fileOf(site, 'offsets.json')
  const partitions = [{ topic: 'shortened', partition: 0, offset: 2 }]
  writeFileSync(file, JSON.stringify({ version: 1, partitions }))
  const stdout = await told(site, `${tools}.DeleteRecordsCommand`, '--offset-json-file', file)
  expectIn(stdout, 'low_watermark: 2')
}

async function getOffsetsJob(site: Site): Promise<void> {
  await createTopic(site, 'counted', '--partitions', '1')
  await produceLines(site, 'counted', ['1', '2', '3'])
  const asked = (time: string): Promise<string> =>
    told(site, `${tools}.GetOffsetShell`, '--topic', 'counted', '--time', time)
  equal((await asked('latest')).trim(), 'counted:0:3')
  equal((await asked('earliest')).trim(), 'counted:0:0')
  equal((await asked('1')).trim(), 'counted:0:0')
  expectIn(await asked('max-timestamp'), /^counted:0:[0-2]\s*$/)
}

async function dumpLogJob(site: Site): Promise<void> {
  await createTopic(site, 'dumped', '--partitions', '1')
  await produceLines(site, 'dumped', ['to be dumped'])
  const folder = partitionFolder(site.dataDir, 'dumped', 0)
  const log = readdirSync(folder).find(name => name.endsWith('.log'))!
  const args = ['--print-data-log', '--files', join(folder, log)]
  const { stdout } = await java(`${tools}.DumpLogSegments`, args)
  expectIn(stdout, 'payload: to be dumped', 'isvalid: true')
}

async function perfJob(site: Site): Promise<void> {
  await createTopic(site, 'perf', '--partitions', '2')
  const to = ['--bootstrap-server', site.address, '--topic', 'perf']
  const load = ['--num-records', '10000', '--record-size', '100', '--throughput', '-1']
  const { stdout } = await java(`${tools}.ProducerPerformance`, [...to, ...load])
  expectIn(stdout, '10000 records sent')
}
