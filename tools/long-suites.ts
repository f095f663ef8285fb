/** One file of tests that a checkout's `npm test` leaves out. */
export interface LongSuite {
  readonly file: string
  readonly what: string
}

/**
 * Left out where nobody asks for them, so that `npm test` takes minutes: what is long of clusters, crashes and
 * other people's programs. CI runs all of them.
 */
export const longSuites: readonly LongSuite[] = [
  { file: 'test/librdkafka/librdkafka.test.ts', what: "librdkafka's own tests, the quick ones" },
  { file: 'test/node-rdkafka/node-rdkafka.test.ts', what: "node-rdkafka's own tests" },
  {
    file: 'test/scenarios/scenarios.test.ts',
    what: "other people's clients, scenario by scenario",
  },
  {
    file: 'test/scenarios/three-brokers.test.ts',
    what: 'three of those on three brokers, of which one is killed',
  },
  { file: 'test/tools/tools.test.ts', what: 'tools around Kafka, three quick jobs (Java)' },
  {
    file: 'test/tools/transcript.test.ts',
    what: "Kafka's command line on three brokers, of which one dies (Java)",
  },
  { file: 'test/clients/java.test.ts', what: "Apache Kafka's own tools" },
  { file: 'test/clients/groups-java.test.ts', what: 'a group of three Java consumers' },
  {
    file: 'test/clients/confluent.test.ts',
    what: 'confluent-kafka; kcat stands on librdkafka too',
  },
  { file: 'test/clients/groups.test.ts', what: 'groups of three of every other client' },
  { file: 'test/groups/large-group.test.ts', what: 'a group of 500 members' },
  {
    file: 'test/five-minutes/five-minutes.test.ts',
    what: 'the first five minutes of the README: one broker killed, one stopped',
  },
  {
    file: 'test/replication/numbers.test.ts',
    what: 'what three brokers tell of themselves at rest, and with one or two away',
  },
  { file: 'test/replication/roll.test.ts', what: 'a roll of three brokers, by hand-overs alone' },
  {
    file: 'test/replication/hibernation.test.ts',
    what: 'three brokers that are frozen, and come back',
  },
  {
    file: 'test/replication/older-folder.test.ts',
    what: 'three brokers on an older folder of metadata',
  },
  {
    file: 'test/replication/rotated-passwords.test.ts',
    what: 'the password of brokers, changed while they run',
  },
  { file: 'test/outage/outage.test.ts', what: 'three brokers without their metadata store' },
  { file: 'test/etcd/brokers.test.ts', what: 'three brokers over an etcd' },
  {
    file: 'test/chaos/chaos.test.ts',
    what: 'clusters of three and five brokers, killed and stopped under load',
  },
  { file: 'test/chaos/strangers.test.ts', what: 'processes that do not belong into a cluster' },
  {
    file: 'test/planted/planted.test.ts',
    what: 'planted bugs, each looked for by the tests of its kind',
  },
  { file: 'test/seeds/seeds.test.ts', what: 'simulated clusters, a virtual minute of each seed' },
  {
    file: 'test/metadata/shared-files-interleavings.test.ts',
    what: 'all orders of the steps of stores that share a folder',
  },
  {
    file: 'test/metadata/cluster-crash.test.ts',
    what: 'a crash at any disk operation of the metadata',
  },
  {
    file: 'test/metadata/copy-crash.test.ts',
    what: 'the same of a broker that keeps a copy of them',
  },
  {
    file: 'test/operator/crash-points.test.ts',
    what: 'an operator that ends before and after each of its writes',
  },
  {
    file: 'test/crash/crash-points.test.ts',
    what: '500 crash points of a log, and the planted bugs that they find',
  },
  { file: 'test/crash/cleaner-points.test.ts', what: '600 crash points of the cleaner' },
  {
    file: 'test/crash/power-loss.test.ts',
    what: 'power that is cut under a real file system (root)',
  },
  { file: 'test/crash/full-disk.test.ts', what: 'a real disk that is full (root)' },
  {
    file: 'test/cleaner/oracle.test.ts',
    what: "what Apache Kafka's cleaner leaves, scenario by scenario",
  },
  { file: 'test/faults/kill.test.ts', what: 'a broker that is killed 26 times under load' },
  {
    file: 'test/faults/bad-start.test.ts',
    what: 'settings and disks with which a broker refuses to start',
  },
  { file: 'test/broker/own-disk.test.ts', what: 'disks that are lost, empty or replaced' },
  {
    file: 'test/data-path/hit-ratio.test.ts',
    what: 'the hit ratio, against a page cache that was emptied',
  },
  {
    file: 'test/data-path/copies.test.ts',
    what: '1 GiB produced and consumed without a copy in JavaScript',
  },
  {
    file: 'test/data-path/same-answers.test.ts',
    what: 'the same bytes from addon and fallback over every API',
  },
  { file: 'test/data-path/scan.test.ts', what: 'a scan of 2 GiB under a limit of 512 MiB (root)' },
  { file: 'test/stress/fuzz.test.ts', what: 'damaged frames of every API and version' },
  { file: 'test/stress/overload.test.ts', what: 'a broker of 512 MiB under too much (root)' },
  {
    file: 'test/dashboards/dashboards.test.ts',
    what: 'the dashboards, on a Prometheus that scrapes brokers',
  },
]

/** What tells vitest.config.ts to leave them out. Without LOGCLUSTER_: brokers of the tests would take it for a setting. */
export const leaveOutVariable = 'LEAVE_OUT_LONG_SUITES'

/** Options of vitest that take the next word. */
const withValue = new Set(['-t', '--testNamePattern', '--project', '--reporter', '-c', '--config'])

/** Whether a run with these arguments is of everything that is not long: none of them names a file. */
export function leavesOutLong(args: readonly string[]): boolean {
  return !args.some((arg, at) => {
    return arg === everything || (!arg.startsWith('-') && !withValue.has(args[at - 1] ?? ''))
  })
}

/** The argument of `npm test` that leaves nothing out; not vitest's. */
export const everything = '--everything'
