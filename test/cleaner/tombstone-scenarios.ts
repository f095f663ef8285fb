import { a, b, c, d, e, f, tombstone } from './keyed-records.ts'
import type { CleaningScenario } from './scenario.ts'

const hour = 3_600_000

/** What becomes of tombstones. */
export const tombstoneScenarios: readonly CleaningScenario[] = [
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
]
