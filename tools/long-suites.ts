/** One file of tests that a checkout's `npm test` leaves out. */
export interface LongSuite {
  readonly file: string
  readonly what: string
}

/**
 * Left out where nobody asks for them, so that `npm test` takes minutes: each is long, and what it says changes
 * when other people's programs do, or only under much load. CI runs all of them.
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
    what: 'four of those on three brokers, of which one is killed',
  },
  { file: 'test/tools/tools.test.ts', what: 'tools around Kafka, three quick jobs (Java)' },
  { file: 'test/clients/java.test.ts', what: "Apache Kafka's own tools" },
  { file: 'test/clients/groups-java.test.ts', what: 'a group of three Java consumers' },
  {
    file: 'test/clients/confluent.test.ts',
    what: 'confluent-kafka; kcat stands on librdkafka too',
  },
  { file: 'test/clients/groups.test.ts', what: 'groups of three of every other client' },
  {
    file: 'test/chaos/chaos.test.ts',
    what: 'clusters of three and five brokers, killed and stopped under load',
  },
  {
    file: 'test/planted/planted.test.ts',
    what: 'planted bugs, each looked for by the tests of its kind',
  },
  { file: 'test/seeds/seeds.test.ts', what: 'simulated clusters, a virtual minute of each seed' },
  { file: 'test/stress/fuzz.test.ts', what: 'damaged frames of every API and version' },
  { file: 'test/stress/overload.test.ts', what: 'a broker of 512 MiB under too much (root)' },
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
