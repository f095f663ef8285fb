import { createHash } from 'node:crypto'
import { a, b, c, d, e, f, tombstone, wide } from './keyed-records.ts'
import type { CleaningScenario } from './scenario.ts'

/** Which records stay, and what their batches look like then. */
export const keyScenarios: readonly CleaningScenario[] = [
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

function digest(lines: readonly string[]): { readonly count: number; readonly sha1: string } {
  return { count: lines.length, sha1: createHash('sha1').update(lines.join('\n')).digest('hex') }
}
