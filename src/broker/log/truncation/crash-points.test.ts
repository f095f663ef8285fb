import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { drive } from '../../../../test/helpers/drive.ts'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
  worldOn,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { Prng } from '../../../lib/prng.ts'
import type { SimDisk } from '../../../../sim/disk.ts'
import type { Log } from '../log.ts'

/** What a log holds: its bounds, its bytes, and what it knows of the producers of its records. */
interface Content {
  readonly start: number
  readonly end: number
  readonly bytes: string
  readonly producers: string
}

async function contentOf(log: Log): Promise<Content> {
  const { startOffset: start, endOffset: end } = log
  const producers = Array.from(log.producers.states()).flatMap(({ producerId, batches }) => {
    const own = batches.filter(({ baseOffset }) => baseOffset >= start)
    return own.length === 0 ? [] : [JSON.stringify([producerId, own])]
  })
  const bytes = Buffer.from(await readAll(log)).toString('hex')
  return { start, end, bytes, producers: producers.toSorted().join('\n') }
}

/** All that `one` has is in `other`, which begins earlier and goes as far. */
function isEndOf(one: Content, other: Content): boolean {
  return one.end === other.end && one.start > other.start && other.bytes.endsWith(one.bytes)
}

interface Life {
  readonly world: LogWorld
  readonly log: Log
  readonly prng: Prng
  /** All of it is on the device. */
  readonly isFlushed: boolean
}

/** A log whose shape `seed` chooses: some batches in some segments, some of them removed, caches from a stop or none. */
async function livedThrough(seed: number): Promise<Life> {
  const prng = new Prng(seed)
  const world = simWorld(undefined, seed)
  let directory = await drive(world.clock, openDirectory(world, { settings: growing }))
  let log = await drive(world.clock, directory.openLog(logId(), configOf(prng)))
  const sequences = new Map<number, number>()
  const count = 1 + prng.below(24)
  for (let at = 0; at < count; at++) {
    const producerId = prng.below(3)
    const baseSequence = sequences.get(producerId) ?? 0
    const size = 1 + prng.below(3)
    sequences.set(producerId, baseSequence + size)
    const input = { producerId, producerEpoch: 0, baseSequence, valueBytes: prng.below(60) }
    await append(world, log, batchOf(size, input), { leaderEpoch: Math.floor(at / 4) })
    if (!prng.chance(1, 12)) continue
    await drive(world.clock, directory.close())
    directory = await drive(world.clock, openDirectory(world, { settings: growing }))
    log = await drive(world.clock, directory.openLog(logId(), configOf(prng)))
  }
  if (prng.chance(1, 2)) {
    await drive(world.clock, log.raiseStartOffset(prng.below(log.endOffset)))
  }
  return { world, log, prng, isFlushed: prng.chance(2, 3) }
}

const growing = { growthStepBytes: 200 }
const configOf = (prng: Prng) =>
  logConfig({ segmentBytes: prng.pick([250, 500, 5000]), indexIntervalBytes: 1 })

async function reopened({ world }: Life, disk: SimDisk, kind: 'process' | 'machine') {
  const next = worldOn(disk, world)
  const bootId = kind === 'process' ? 'boot-1' : 'boot-2'
  const directory = await drive(next.clock, openDirectory(next, { bootId, settings: growing }))
  const log = await drive(next.clock, directory.openLog(logId(), logConfig({ segmentBytes: 500 })))
  return { world: next, directory, log }
}

type Cut = (log: Log) => Promise<void>

/** The disk before each operation of `cut`, and at its end, with what the log held before and after. */
async function pointsOf({ world, log, isFlushed }: Life, cut: Cut, steps: readonly Cut[]) {
  if (isFlushed) await drive(world.clock, log.whenDurable(log.endOffset))
  const states = [await contentOf(log)]
  const disks: SimDisk[] = []
  for (const step of steps) {
    const twin = await reopened({ world } as Life, world.disk.clone(), 'process')
    await drive(twin.world.clock, step(twin.log))
    states.push(await contentOf(twin.log))
  }
  world.disk.onOperation(() => disks.push(world.disk.clone()))
  await drive(world.clock, cut(log))
  world.disk.onOperation(null)
  disks.push(world.disk.clone())
  return { disks, states, after: await contentOf(log) }
}

async function problemsOf(life: Life, cut: Cut, steps: readonly Cut[] = []): Promise<string[]> {
  const { disks, states, after } = await pointsOf(life, cut, steps)
  const { prng } = life
  const problems: string[] = []
  const lowest = Math.min(after.start, ...states.map(({ start }) => start))
  for (const [at, disk] of disks.entries()) {
    const crashes: ['process' | 'machine', SimDisk][] = [['process', disk.clone().crashProcess()]]
    // What a machine's crash leaves of what was never flushed is something that nobody promised.
    for (let again = 0; life.isFlushed && again < 2; again++) {
      crashes.push(['machine', disk.clone().crashMachine(prng)])
    }
    for (const [kind, left] of crashes) {
      const where = `operation ${at} of ${disks.length - 1}, ${kind}`
      const { log, world } = await reopened(life, left, kind)
      if (log.offline !== null) {
        problems.push(`${where}: ${log.offline}`)
        continue
      }
      const found = await contentOf(log)
      const allowed = at === disks.length - 1 ? [after] : [after, ...states]
      // Where the start falls too, that comes first.
      const isBefore = lowest < states[0]!.start && isEndOf(states[0]!, found)
      if (!isBefore && !allowed.some(each => isDeepStrictEqual(each, found))) {
        problems.push(`${where}: ${JSON.stringify(found)}`)
      }
      // What is appended now is there after the next crash, and nothing of what was cut comes back behind it.
      for (let more = 0; more < 4; more++) {
        await append(world, log, batchOf(2, { valueBytes: 50 }), { leaderEpoch: 90 })
      }
      await drive(world.clock, log.whenDurable(log.endOffset))
      const grown = await contentOf(log)
      const again = await reopened(life, world.disk.crashMachine(prng), 'machine')
      const kept = again.log.offline ?? (await contentOf(again.log))
      if (!isDeepStrictEqual(kept, grown)) {
        problems.push(`${where}, once more: ${JSON.stringify([kept, grown])}`)
      }
    }
  }
  return problems
}

const seeds = Array.from({ length: 12 }, (_, at) => at + 1)

test.each(seeds)('a crash within a cut leaves the log before it or after it, %i', async seed => {
  const life = await livedThrough(seed)
  const offset = life.prng.below(life.log.endOffset)
  expect(await problemsOf(life, log => log.truncateTo(offset))).toEqual([])
})

test.each(seeds)('and so does one where the log begins anew, %i', async seed => {
  const life = await livedThrough(1000 + seed)
  const offset = life.prng.below(life.log.endOffset + 10)
  // The one place between the two: a log that is cut there.
  const isInside = offset < life.log.endOffset
  const steps = isInside ? [(log: Log) => log.truncateTo(offset)] : []
  expect(await problemsOf(life, log => log.truncateFullyAndStartAt(offset), steps)).toEqual([])
})
