import { createHash } from 'node:crypto'
import { originAgeMs, type CompactedTopic, type Producer, type Rec } from './compacted-topic.ts'

/** What is done to one compacted topic, and what of it is kept for the comparison. */
export interface CleaningScenario {
  readonly name: string
  /** Of the topic, over cleanup.policy=compact. */
  readonly configs?: Readonly<Record<string, string>>
  /** Returns what is done after the broker was stopped and started again, if anything. */
  readonly run: (topic: CompactedTopic) => Promise<void | AfterRestart>
}

export type AfterRestart = () => Promise<void>

/** How both brokers are started for it. */
export const cleanerSettings: Readonly<Record<string, string>> = {
  'log.cleaner.backoff.ms': '50',
  'log.cleaner.threads': '1',
  // The least that Kafka takes: 39,321 keys at a load of 0.9.
  'log.cleaner.dedupe.buffer.size': '1048577',
  'log.cleaner.io.buffer.size': '65536',
  'log.retention.check.interval.ms': '500',
  'offsets.topic.num.partitions': '1',
  // Kafka forgets producers by the times of their records, and these are days old.
  'producer.id.expiration.ms': String(20 * 86_400_000),
}

const hour = 3_600_000

export const cleaningScenarios: readonly CleaningScenario[] = [
  {
    name: 'keys repeated',
    run: async topic => {
      await topic.produce([a(1)])
      await topic.produce([b(1)])
      await topic.produce([a(2)])
      topic.roll()
      await topic.produce([c(1)])
      await topic.produce([a(3)])
      topic.roll()
      await topic.produce([b(2)])
      await topic.keep('before')
      await topic.clean()
      await topic.keep('cleaned')
      return () => topic.keep('after a restart')
    },
  },
  {
    name: 'one key only',
    run: async topic => {
      for (let at = 0; at < 12; at++) {
        if (at % 4 === 0) topic.roll()
        await topic.produce([a(at)])
      }
      await topic.clean()
      await topic.keep('cleaned')
    },
  },
  {
    name: 'batches of several keys',
    run: async topic => {
      await topic.produce([a(1), b(1), c(1), d(1)])
      await topic.produce([b(2), b(3), d(2)])
      await topic.produce([e(1), a(2), e(2)])
      topic.roll()
      await topic.produce([b(4), f(1)])
      topic.roll()
      await topic.produce([f(2)])
      await topic.clean()
      await topic.keep('cleaned')
      return () => topic.keep('after a restart')
    },
  },
  {
    name: 'what only the active segment has again',
    run: async topic => {
      await topic.produce([a(1), b(1)])
      topic.roll()
      await topic.produce([a(2), b(2), a(3)])
      await topic.clean()
      await topic.keep('cleaned')
    },
  },
  {
    name: 'tombstones within delete.retention.ms',
    configs: { 'delete.retention.ms': String(24 * hour) },
    run: async topic => {
      await topic.produce([a(1), b(1), c(1)])
      await topic.produce([tombstone('a'), d(1)])
      await topic.produce([tombstone('b')])
      topic.roll()
      await topic.produce([c(2)])
      await topic.clean()
      await topic.keep('first round')
      topic.roll()
      await topic.produce([d(2)])
      await topic.clean()
      await topic.keep('second round')
      return () => topic.keep('after a restart')
    },
  },
  {
    name: 'tombstones past delete.retention.ms',
    configs: { 'delete.retention.ms': '0' },
    run: async topic => {
      await topic.produce([a(1), b(1), c(1)])
      await topic.produce([tombstone('a'), d(1)])
      await topic.produce([tombstone('b')])
      topic.roll()
      await topic.produce([c(2)])
      await topic.clean()
      await topic.keep('first round')
      topic.roll()
      await topic.produce([e(1)])
      await topic.clean()
      await topic.keep('second round')
      return () => topic.keep('after a restart')
    },
  },
  {
    name: 'a tombstone for what was never there',
    configs: { 'delete.retention.ms': '0' },
    run: async topic => {
      await topic.produce([tombstone('x')])
      await topic.produce([a(1)])
      topic.roll()
      await topic.produce([b(1)])
      await topic.clean()
      await topic.keep('first round')
      topic.roll()
      await topic.produce([c(1)])
      await topic.clean()
      await topic.keep('second round')
    },
  },
  {
    name: 'tombstone, then value, and the other way round',
    configs: { 'delete.retention.ms': '0' },
    run: async topic => {
      await topic.produce([a(1), tombstone('a'), a(2)])
      await topic.produce([b(1), b(2), tombstone('b')])
      await topic.produce([tombstone('c'), tombstone('c')])
      await topic.produce([d(1)])
      topic.roll()
      await topic.produce([tombstone('a'), c(1)])
      topic.roll()
      await topic.produce([e(1)])
      await topic.clean()
      await topic.keep('first round')
      topic.roll()
      await topic.produce([a(3), f(1)])
      topic.roll()
      await topic.produce([f(2)])
      await topic.clean()
      await topic.keep('second round')
    },
  },
  {
    name: 'compact,delete',
    configs: { 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' },
    run: async topic => {
      await topic.produce([a(1), b(1)])
      await topic.produce([a(2)])
      topic.roll()
      await topic.produce([c(1), d(1)])
      topic.roll()
      // Of now: nothing ages.
      await topic.produce([
        ['c', '2', { at: originAgeMs }],
        ['e', '1'],
      ])
      topic.roll()
      await topic.produce([['e', '2', { at: originAgeMs + 1000 }]])
      // No two segments become one, in which the old would be as young as the other.
      await topic.alter({ 'internal.segment.bytes': '100' })
      await topic.clean()
      await topic.keep('compacted')
      await topic.alter({ 'retention.ms': String(24 * hour) })
      await topic.startsAt(5)
      await topic.keep('what is old is gone')
      return () => topic.keep('after a restart')
    },
  },
  {
    name: 'min.compaction.lag.ms',
    configs: { 'min.compaction.lag.ms': String(24 * hour) },
    run: async topic => {
      await topic.produce([a(1), b(1)])
      await topic.produce([a(2)])
      topic.roll()
      await topic.produce([b(2)])
      topic.roll()
      // Too young, and so is all behind it.
      await topic.produce([['a', '3', { at: originAgeMs }]])
      topic.roll()
      await topic.produce([b(3), b(4)])
      topic.roll()
      await topic.produce([c(1)])
      await topic.clean(4)
      await topic.keep('cleaned')
    },
  },
  {
    name: 'max.compaction.lag.ms',
    run: async topic => {
      await topic.produce([a(1), b(1)])
      await topic.produce([a(2)])
      topic.roll()
      await topic.produce([b(2)])
      await topic.keep('not dirty enough')
      await topic.alter({ 'max.compaction.lag.ms': String(hour) })
      await topic.cleaned()
      await topic.keep('too old to wait')
    },
  },
  {
    name: 'a producer whose last batch is superseded',
    run: producerGoesOn,
  },
  {
    name: 'two producers, one with another epoch',
    run: twoProducers,
  },
  ...(['gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec): CleaningScenario => ({
    name: `batches under ${codec}`,
    configs: { 'delete.retention.ms': '0' },
    run: async topic => {
      await topic.produce([a(1), b(1), c(1), d(1)], { codec })
      await topic.produce([a(2), b(2)], { codec })
      await topic.produce([c(2), tombstone('d'), e(1)], { codec })
      await topic.produce([f(1)], { codec })
      topic.roll()
      await topic.produce([a(3), ...wide('w', 40)], { codec })
      topic.roll()
      await topic.produce([f(2), b(3)], { codec })
      await topic.clean()
      await topic.keep('first round')
      topic.roll()
      await topic.produce([a(4)])
      await topic.clean()
      await topic.keep('second round')
    },
  })),
  {
    name: 'headers, an empty key, large keys and values',
    run: async topic => {
      const large = 'k'.repeat(20_000)
      await topic.produce([
        ['a', '1', { headers: [{ key: 'h', value: 'v' }] }],
        ['', 'of the empty key'],
        [large, '1'],
        ['b', ''],
        ['b', null, { headers: [{ key: '', value: null }] }],
      ])
      await topic.produce([
        [
          'a',
          '2',
          {
            headers: [
              { key: 'h', value: 'w' },
              { key: 'i', value: null },
            ],
          },
        ],
        [`${large}!`, 'of another'],
        ['c', 'v'.repeat(40_000)],
      ])
      topic.roll()
      await topic.produce([
        ['', 'again'],
        [large, '2'],
        ['c', ''],
      ])
      topic.roll()
      await topic.produce([a(3)])
      await topic.clean()
      await topic.keep('cleaned')
    },
  },
  {
    name: 'a batch larger than the buffer',
    run: async topic => {
      const value = 'v'.repeat(100_000)
      await topic.produce([['a', value], b(1), ['c', value]])
      await topic.produce([a(2)])
      await topic.produce([['d', value], d(2)])
      topic.roll()
      await topic.produce([
        ['b', value],
        ['e', value],
        ['f', value],
        ['g', value],
      ])
      topic.roll()
      await topic.produce([e(2)])
      await topic.clean()
      await topic.keep('cleaned')
    },
  },
  {
    name: 'a start that DeleteRecords raised',
    run: async topic => {
      await topic.produce([a(1), b(1)])
      topic.roll()
      await topic.produce([c(1), d(1), b(2), e(1)])
      await topic.produce([a(2), f(1)])
      topic.roll()
      await topic.produce([e(2), f(2)])
      topic.roll()
      await topic.produce([g(1)])
      topic.note('of a topic that is only compacted', await topic.deleteRecordsBefore(4))
      await topic.alter({ 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' })
      topic.note('where old segments may go too', await topic.deleteRecordsBefore(4))
      await topic.startsAt(4)
      await topic.clean()
      await topic.keep('cleaned')
      return () => topic.keep('after a restart')
    },
  },
  {
    name: 'several rounds',
    run: async topic => {
      for (let round = 0; round < 5; round++) {
        await topic.produce([a(round), b(round), [`of round ${round}`, 'x']])
        await topic.produce([round % 2 === 0 ? c(round) : tombstone('c'), d(round)])
        topic.roll()
        await topic.produce([b(round + 0.5)])
        topic.roll()
        await topic.produce([e(round)])
        await topic.clean()
        await topic.keep(`round ${round}`)
      }
      return async () => {
        topic.roll()
        await topic.produce([a(9), e(9)])
        topic.roll()
        await topic.produce([f(9)])
        await topic.clean()
        await topic.keep('after a restart')
      }
    },
  },
  {
    name: 'records without keys, from before it was compacted',
    configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1' },
    run: async topic => {
      await topic.produce([[null, 'x'], a(1), [null, 'y']])
      await topic.produce([[null, 'z']])
      await topic.produce([b(1), a(2)])
      await topic.produce([[null, 'the last that is cleaned']])
      topic.roll()
      await topic.produce([b(2)])
      await topic.alter({ 'cleanup.policy': 'compact' })
      const { errorCode } = await topic.offer([[null, 'w']])
      topic.note('one more', errorCode)
      await topic.clean()
      await topic.keep('first round')
      topic.roll()
      await topic.produce([c(1)])
      await topic.clean()
      await topic.keep('second round')
    },
  },
  {
    name: 'LogAppendTime',
    configs: { 'message.timestamp.type': 'LogAppendTime', 'delete.retention.ms': '0' },
    run: async topic => {
      await topic.produce([a(1), b(1)])
      await topic.produce([a(2), tombstone('b')])
      topic.roll()
      await topic.produce([c(1)])
      await topic.clean()
      await topic.keep('first round', { hasTimes: false })
      topic.roll()
      await topic.produce([c(2)])
      await topic.clean()
      await topic.keep('second round', { hasTimes: false })
    },
  },
  {
    name: 'times that are not in order',
    run: async topic => {
      await topic.produce([
        ['a', '1', { at: 900_000 }],
        ['b', '1', { at: 100_000 }],
        ['c', '1', { at: 500_000 }],
      ])
      await topic.produce([['b', '2', { at: 50_000 }]])
      topic.roll()
      await topic.produce([
        ['a', '2', { at: 200_000 }],
        ['d', '1', { at: 300_000 }],
      ])
      topic.roll()
      await topic.produce([['e', '1', { at: 400_000 }]])
      await topic.keep('before')
      await topic.clean()
      await topic.keep('cleaned')
    },
  },
  {
    name: 'more keys than the map holds',
    configs: { 'delete.retention.ms': '0' },
    run: async topic => {
      const keys = Array.from({ length: 45_000 }, (_, at) => `key-${at}`)
      const send = async (version: number): Promise<void> => {
        for (let at = 0; at < keys.length; at += 5000) {
          await topic.produce(keys.slice(at, at + 5000).map(key => [key, `v${version}`]))
        }
      }
      await send(1)
      topic.roll()
      await send(2)
      topic.roll()
      await topic.produce([a(1)])
      await topic.clean()
      await topic.keepDigest('cleaned', digest)
    },
  },
]

/** Its sequence goes on after cleaning and after a restart; what it sends again is known. */
async function producerGoesOn(topic: CompactedTopic): Promise<AfterRestart> {
  const by = await topic.producer()
  await topic.produce([a(1), b(1)], { by })
  await topic.produce([a(2), b(2)], { by })
  topic.roll()
  await topic.produce([a(3), b(3)])
  topic.roll()
  await topic.produce([c(1)])
  await topic.clean()
  await topic.keep('cleaned')
  topic.roll()
  await topic.produce([c(2)])
  await topic.clean()
  await topic.keep('cleaned again')
  await offers(topic, by, 'cleaned')
  return async () => {
    await offers(topic, by, 'after a restart')
    topic.roll()
    await topic.produce([a(9), b(9)])
    topic.roll()
    await topic.produce([c(9)])
    await topic.clean()
    await topic.keep('cleaned after a restart')
  }
}

/** The last batch again, one that leaves a gap, and the next. */
async function offers(topic: CompactedTopic, by: Producer, when: string): Promise<void> {
  const again = await topic.offer([a(2), b(2)], { by, sequence: by.nextSequence - 2 })
  topic.note(`${when}: again`, [again.errorCode, again.baseOffset])
  const ahead = await topic.offer([d(1)], { by, sequence: by.nextSequence + 1 })
  topic.note(`${when}: with a gap`, ahead.errorCode)
  const next = await topic.offer([a(4), b(4)], { by })
  topic.note(`${when}: the next`, [next.errorCode, next.baseOffset])
}

async function twoProducers(topic: CompactedTopic): Promise<AfterRestart> {
  const [one, other] = [await topic.producer(), await topic.producer()]
  await topic.produce([a(1)], { by: one })
  await topic.produce([b(1)], { by: other })
  await topic.produce([a(2)], { by: one })
  await topic.produce([b(2), c(1)], { by: other })
  one.epoch = 1
  one.nextSequence = 0
  await topic.produce([a(3), d(1)], { by: one })
  topic.roll()
  await topic.produce([b(3)], { by: other })
  topic.roll()
  await topic.produce([a(4), b(4), c(2), d(2)])
  topic.roll()
  await topic.produce([e(1)])
  await topic.clean()
  await topic.keep('cleaned')
  return async () => {
    const { errorCode, baseOffset } = await topic.offer([a(5)], { by: one })
    topic.note('one goes on', [errorCode, baseOffset])
    const fenced = await topic.offer([a(6)], { by: { ...one, epoch: 0 }, sequence: 2 })
    topic.note('of an epoch before', fenced.errorCode)
    const { errorCode: others } = await topic.offer([b(5)], { by: other })
    topic.note('the other goes on', others)
    await topic.keep('after a restart')
  }
}

function digest(lines: readonly string[]): { readonly count: number; readonly sha1: string } {
  return { count: lines.length, sha1: createHash('sha1').update(lines.join('\n')).digest('hex') }
}

function keyed(key: string): (version: number) => Rec {
  return version => [key, String(version)]
}

const [a, b, c, d] = [keyed('a'), keyed('b'), keyed('c'), keyed('d')]
const [e, f, g] = [keyed('e'), keyed('f'), keyed('g')]

function tombstone(key: string): Rec {
  return [key, null]
}

/** So many keys that come only here, with values that compress. */
function wide(stem: string, count: number): Rec[] {
  return Array.from({ length: count }, (_, at) => [`${stem}-${at}`, 'value '.repeat(20)])
}
