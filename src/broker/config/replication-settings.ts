import { anyOf, int, list, long, longMax } from './setting.ts'
import { kibibyte, mebibyte, second } from './units.ts'

/**
 * Every other broker has so many connections to a leader's private listener, which has to have room for all of them. More
 * would be of no use: one event loop serves them.
 */
export const replicaFetchersMax = 16

/** How brokers copy from one another. Names, ranges and defaults are Kafka's where the row does not say otherwise. */
export const replicationSettings = {
  'num.replica.fetchers': int({
    default: 1,
    unit: 'count',
    min: 1,
    max: replicaFetchersMax,
    effect: 'at once',
    doc: 'Connections by which a broker fetches from one other broker, and among which the partitions are divided that follow it.',
  }),
  'cordoned.log.dirs': list(anyOf(['*']), {
    default: '',
    effect: 'at once',
    doc: 'Given to a running broker, or to all, `*` keeps new replicas from it; those that it holds stay (KIP-1066).',
  }),
  'replica.lag.time.max.ms': long({
    default: 10 * second,
    unit: 'ms',
    min: second,
    effect: 'at restart',
    doc: "A follower that did not have all of its leader's records for this long is not in sync any longer. At least 1000.",
  }),
  'replica.fetch.min.bytes': int({
    default: 1,
    unit: 'bytes',
    effect: 'at restart',
    doc: 'A follower waits at its leader until there is at least this much.',
  }),
  'replica.fetch.wait.max.ms': int({
    default: second / 2,
    unit: 'ms',
    effect: 'at restart',
    doc: 'How long a follower waits at its leader for records. No longer than replica.lag.time.max.ms.',
  }),
  'replica.fetch.max.bytes': int({
    default: mebibyte,
    unit: 'bytes',
    effect: 'at restart',
    doc: 'Most that a follower asks for of one partition; a first batch that is larger still comes whole.',
  }),
  'replica.fetch.response.max.bytes': int({
    default: 10 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    effect: 'at restart',
    doc: 'Most that a follower asks for of all partitions together; a first batch that is larger still comes whole.',
  }),
  'replica.fetch.backoff.ms': int({
    default: second,
    unit: 'ms',
    effect: 'at restart',
    doc: 'Longest pause of a follower after an error of a partition or of the connection to its leader. The first is shorter, and each is twice the one before.',
  }),
  'replica.socket.timeout.ms': int({
    default: 3 * second,
    unit: 'ms',
    effect: 'at restart',
    doc: 'A leader that does not answer a follower within this time is given up, and connected to anew. No shorter than replica.fetch.wait.max.ms, which gets a second more in any case. Not set: 3000, or as long as that.',
  }),
  'leader.replication.throttled.rate': long({
    default: longMax,
    unit: 'bytes',
    effect: 'at once',
    described: 'where given',
    doc: "Bytes per second that this broker's followers may take of replicas that leader.replication.throttled.replicas of their topics lists. In-sync replicas are never held back.",
  }),
  'follower.replication.throttled.rate': long({
    default: longMax,
    unit: 'bytes',
    effect: 'at once',
    described: 'where given',
    doc: 'Bytes per second that this broker fetches of replicas that follower.replication.throttled.replicas of their topics lists. In-sync replicas are never held back.',
  }),
  'replication.quota.window.num': int({
    default: 11,
    unit: 'count',
    min: 1,
    effect: 'at restart',
    doc: 'Windows over which the rates of throttled replicas are measured.',
  }),
  'replication.quota.window.size.seconds': int({
    default: 1,
    unit: 'count',
    min: 1,
    effect: 'at restart',
    doc: 'Seconds of one of these windows.',
  }),
} as const

interface ReplicationTimes {
  readonly replicaFetchWaitMaxMs: number
  readonly replicaLagTimeMaxMs: number
  readonly replicaSocketTimeoutMs: number
}

/** What no row can tell: a follower that waits for longer than it may would leave the in-sync set, or its connection, again and again. */
export function replicationProblems(times: ReplicationTimes): string[] {
  const { replicaFetchWaitMaxMs: waitMs } = times
  const problems: string[] = []
  const check = (name: string, ms: number, because: string): void => {
    if (waitMs <= ms) return
    problems.push(
      `replica.fetch.wait.max.ms is ${waitMs} and more than ${name}, which is ${ms}: ${because}. Lower the first or raise the second`,
    )
  }
  const { replicaLagTimeMaxMs, replicaSocketTimeoutMs } = times
  check(
    'replica.lag.time.max.ms',
    replicaLagTimeMaxMs,
    'a follower that waits would count as one that lags',
  )
  check(
    'replica.socket.timeout.ms',
    replicaSocketTimeoutMs,
    'a leader that lets a follower wait would count as hung',
  )
  return problems
}
