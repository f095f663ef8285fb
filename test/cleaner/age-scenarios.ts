import { originAgeMs } from './compacted-topic.ts'
import { a, b, c, d, e, f, g, tombstone } from './keyed-records.ts'
import type { CleaningScenario } from './scenario.ts'

const hour = 3_600_000

/** Lags, retention, rounds and times. */
export const ageScenarios: readonly CleaningScenario[] = [
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
]
