import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changed } from '../../sim/changed.ts'
import type { CompactionLane } from '../../src/broker/log/cleaner/compaction-lane.ts'
import type { Disk } from '../../src/env/disk.ts'
import type { Compaction, Mapped } from '../../src/broker/log/cleaner/compaction.ts'
import { live, type LifeOptions, type PlantedBug, type Step } from './life.ts'
import { readBatches } from './what-is-left.ts'

const records = fc.array(fc.record({ key: fc.nat(5), isTombstone: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
})

const append: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('append' as const),
  records,
  producer: fc.integer({ min: -1, max: 1 }),
  isCompressed: fc.boolean(),
})

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: append },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.constantFrom(3, 10, 25, 60, 150),
      }),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'clean' }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('crash' as const),
        isMachine: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('raise' as const),
        thousandth: fc.nat(400),
      }),
    },
  ),
  { minLength: 10, maxLength: 60 },
)

const options: fc.Arbitrary<LifeOptions> = fc.record({
  seed: fc.nat(1_000_000),
  config: fc.record({
    flushPolicy: fc.constantFrom('interval' as const, 'ack' as const),
    segmentBytes: fc.constantFrom(200, 500, 1500),
    minCleanableDirtyRatio: fc.constantFrom(0, 0.4),
    deleteRetentionMs: fc.constantFrom(0, 30, 100_000),
    minCompactionLagMs: fc.constantFrom(0, 40),
  }),
  // Of some hundred keys, and of three: fewer than there are.
  keyMapBytes: fc.constantFrom(4096, 100),
})

test('whatever happens to it, a compacted log has the last of each key, in order, where it was written', async () => {
  const sum = { cleanings: 0, crashes: 0, removed: 0 }
  await fc.assert(
    fc.asyncProperty(steps, options, async (of, how) => {
      const { problems, ...counts } = await live(of, how)
      expect(problems).toEqual([])
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name]
    }),
    { numRuns: 80 },
  )
  expect(sum.cleanings).toBeGreaterThan(40)
  expect(sum.crashes).toBeGreaterThan(40)
  expect(sum.removed).toBeGreaterThan(400)
})

describe('a bug that is planted is found', () => {
  const planted: Readonly<Record<string, PlantedBug>> = {
    'a tombstone goes as soon as it can': {
      lane: lane => keeping(lane, rules => ({ ...rules, deleteRetentionMs: 0 })),
    },
    'the last batch of a producer goes with its last record': {
      lane: lane => keeping(lane, rules => ({ ...rules, producerEnds: new Map() })),
    },
    'a full map takes keys and forgets them': { lane: forgetful },
    'a new segment takes its place before it is on the device': {
      disk: disk => lying(disk, /\.cleaned$/),
    },
  }

  test.each(Object.entries(planted))('%s', async (_, bug) => {
    let problems: readonly string[] = []
    const isFine = async (of: readonly Step[], how: LifeOptions): Promise<boolean> => {
      const found = await live(of, { ...how, bug }).catch((error: unknown) => [String(error)])
      problems = 'problems' in found ? found.problems : found
      return problems.length === 0
    }
    const check = { numRuns: 300, endOnFailure: true }
    const { failed, counterexample } = await fc.check(
      fc.asyncProperty(steps, options, isFine),
      check,
    )
    expect(failed).toBe(true)
    console.log(`Found by: ${problems[0]}`)
    // The same life without the bug: it was the bug that was found.
    const [of, how] = counterexample!
    expect((await live(of, how)).problems).toEqual([])
  })
})

type Rules = Parameters<Compaction['keep']>[0]

function keeping(lane: CompactionLane, change: (rules: Rules) => Rules): CompactionLane {
  return {
    close: () => lane.close(),
    call: (name, argument) => {
      return lane.call(name, name === 'keep' ? (change(argument as Rules) as never) : argument)
    },
  }
}

/** Where no key fits any more it says that all of the chunk is in the map. */
function forgetful(lane: CompactionLane): CompactionLane {
  return {
    close: () => lane.close(),
    call: async (name, argument) => {
      const answer = await lane.call(name, argument)
      if (name !== 'map' || !(answer as Mapped).isFull) return answer
      const { bytes } = argument as Parameters<Compaction['map']>[0]
      const batches = readBatches(bytes)
      const mappedTo = batches.at(-1)!.records.at(-1)!.offset + 1
      const usedBytes = batches.reduce((sum, { header }) => sum + header.sizeBytes, 0)
      return { ...(answer as Mapped), isFull: false, mappedTo, usedBytes } as never
    },
  }
}

/** Files of such names are not synced when they say so. */
function lying(disk: Disk, names: RegExp): Disk {
  return changed(disk, {
    open: (path, mode) => {
      const file = disk.open(path, mode)
      return names.test(path) ? changed(file, { sync: async () => {} }) : file
    },
  })
}
