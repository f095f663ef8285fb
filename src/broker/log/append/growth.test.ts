import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimDisk } from '../../../../sim/disk.ts'
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
import { crc32c } from '../../../lib/crc32c.ts'
import { encodeBatch, readBatchHeader } from '../batch/batch.ts'
import type { LogDirectory } from '../directory/log-directory.ts'
import { logDirectoryName } from '../log-id.ts'
import type { Log } from '../log.ts'
import { decodeProducers, encodeProducers } from '../producers/snapshot.ts'
import { ProducerStates } from '../producers/states.ts'

const folder = `/data/${logDirectoryName(logId())}`
const file = (suffix: string) => `${folder}/00000000000000000000.${suffix}`
const config = logConfig({ indexIntervalBytes: 500 })
const stepBytes = 5000

interface Opened {
  readonly world: LogWorld
  readonly directory: LogDirectory
  readonly log: Log
}

async function open(world: LogWorld, over: Parameters<typeof openDirectory>[1] = {}) {
  const settings = { growthStepBytes: stepBytes }
  const directory = await openDirectory(world, { settings, ...over })
  return { world, directory, log: await directory.openLog(logId(), config) }
}

/** Batches of equal size from producer `producerId`, which goes on where it was. */
async function fill({ world, log }: Opened, producerId: number, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const known = log.producers.stateOf(producerId)?.batches.at(-1)
    const baseSequence = known === undefined ? 0 : known.firstSequence + 1
    const batch = { valueBytes: 300, producerId, producerEpoch: 0, baseSequence }
    expect(await append(world, log, batchOf(1, batch))).toMatchObject({ ok: true })
  }
}

/** Everything is on the device, and the checkpoint says so. */
async function settle({ world, log }: Opened): Promise<void> {
  await drive(world.clock, log.whenDurable(log.endOffset))
  await world.clock.run(3000)
}

async function reopen({ world }: Opened, over: Parameters<typeof openDirectory>[1] = {}) {
  // With a clock of its own: the dead process's timers do not go on.
  const crashed = simWorld(world.disk.crashProcess())
  const readBytes = countReads(crashed.disk)
  const again = await open(crashed, over)
  return { ...again, readBytes: readBytes() }
}

/** Bytes that were read of segments so far. */
function countReads(disk: SimDisk): () => number {
  let bytes = 0
  const openFile = disk.open.bind(disk)
  disk.open = (path, mode) => {
    const opened = openFile(path, mode)
    const read = opened.readAsync.bind(opened)
    opened.readAsync = (position, target) => {
      if (path.endsWith('.log')) bytes += target.length
      return read(position, target)
    }
    return opened
  }
  return () => bytes
}

const knownOf = ({ log }: Opened) =>
  Array.from(log.producers.states(), ({ producerId, batches }) => [
    producerId,
    batches.map(({ baseOffset }) => baseOffset),
  ])

test('a start after a crash reads what lies above the recovery point, and a step below it', async () => {
  const first = await open(simWorld())
  await fill(first, 1, 300)
  await settle(first)
  await fill(first, 2, 10)
  const before = await readAll(first.log)
  const inTime = await first.log.findByTime(0, first.log.endOffset)
  const again = await reopen(first)
  expect(again.directory.startClass).toBe('B')
  expect(again.readBytes).toBeLessThan(3 * stepBytes)
  expect(first.log.sizeBytes).toBeGreaterThan(20 * stepBytes)
  expect(await readAll(again.log)).toEqual(before)
  expect(knownOf(again)).toEqual(knownOf(first))
  expect(again.log.producers.equals(first.log.producers)).toBe(true)
  expect(await again.log.findByTime(0, again.log.endOffset)).toEqual(inTime)

  // Without the caches the same comes out, by reading everything.
  const bare = worldOn(first.world.disk.clone(), first.world)
  bare.disk.unlink(file('growth'))
  const slow = await reopen({ ...first, world: bare })
  expect(slow.readBytes).toBeGreaterThanOrEqual(first.log.sizeBytes)
  expect(await readAll(slow.log)).toEqual(before)
})

test('one crash after the other: what was found by a walk need not be walked again', async () => {
  const first = await open(simWorld())
  await fill(first, 1, 300)
  const second = await reopen(first)
  // Nothing had been flushed.
  expect(second.readBytes).toBeGreaterThanOrEqual(first.log.sizeBytes)
  await settle(second)
  const third = await reopen(second)
  expect(third.readBytes).toBeLessThan(3 * stepBytes)
  expect(third.log.endOffset).toBe(300)
  expect(third.log.producers.equals(first.log.producers)).toBe(true)
})

test('after a clean stop the index files are where the growth goes on', async () => {
  const first = await open(simWorld())
  await fill(first, 1, 150)
  await first.directory.close()
  expect(first.world.disk.stat(file('growth'))).toBe(null)
  const second = await open(first.world)
  await fill(second, 2, 150)
  await settle(second)
  const before = await readAll(second.log)
  for (const over of [{}, { bootId: 'boot-2' }]) {
    const copy = { ...second, world: worldOn(second.world.disk.clone(), second.world) }
    const third = await reopen(copy, over)
    expect(third.readBytes).toBeLessThan(4 * stepBytes)
    expect(await readAll(third.log)).toEqual(before)
    expect(third.log.producers.equals(second.log.producers)).toBe(true)
  }
})

test.each(['a brief log', 'a log whose index files are lost'])(
  '%s that was stopped grows from its first byte, with all of its producers',
  async what => {
    const first = await open(simWorld())
    const isBrief = what === 'a brief log'
    await fill(first, 1, isBrief ? 1 : 20)
    await first.directory.close()
    const lost = isBrief ? [] : [file('offsets'), file('times')]
    for (const path of lost) first.world.disk.unlink(path)
    expect(first.world.disk.stat(file('offsets'))).toBe(null)
    const second = await open(first.world)
    await fill(second, 2, 150)
    await settle(second)
    const third = await reopen(second)
    expect(third.readBytes).toBeLessThan(4 * stepBytes)
    expect(knownOf(third)).toEqual(knownOf(second))
    expect(third.log.producers.equals(second.log.producers)).toBe(true)
  },
)

test('records of a tail that was lost are not believed when another tail stands there', async () => {
  const first = await open(simWorld())
  await fill(first, 1, 50)
  await settle(first)
  const durableBytes = first.log.sizeBytes
  await fill(first, 2, 60)
  // The machine dies: of the last sixty batches nothing is left, of the growth file everything.
  const lost = worldOn(first.world.disk.clone(), first.world)
  const log = lost.disk.open(file('log'), 'write')
  log.truncate(durableBytes)
  log.close()
  const second = await open(lost, { bootId: 'boot-2', settings: { growthStepBytes: 1e9 } })
  expect(second.log.endOffset).toBe(50)
  await fill(second, 3, 60)
  await settle(second)
  const third = await reopen(second, { bootId: 'boot-2' })
  expect(third.log.endOffset).toBe(110)
  expect(knownOf(third)).toEqual(knownOf(second))
})

test('caches that do not fit the segment are not believed', async () => {
  const first = await open(simWorld())
  await fill(first, 1, 100)
  await settle(first)
  const before = await readAll(first.log)
  const other = await open(simWorld(new SimDisk()))
  await fill(other, 9, 1)
  const wide = batchOf(2, { valueBytes: 500 })
  for (let at = 0; at < 48; at++) await append(other.world, other.log, wide.slice())
  const damages: ((disk: SimDisk) => void)[] = [
    // Of another log.
    disk => {
      const source = other.world.disk.open(file('growth'), 'read')
      const bytes = new Uint8Array(source.size())
      source.read(0, bytes)
      disk.unlink(file('growth'))
      disk.open(file('growth'), 'create').write(0, [bytes])
    },
    // Torn, and damaged in its first record.
    disk => disk.open(file('growth'), 'write').truncate(100),
    disk => disk.open(file('growth'), 'write').write(100, [Uint8Array.of(0xff, 0xff)]),
  ]
  for (const damage of damages) {
    const disk = first.world.disk.clone()
    damage(disk)
    const again = await reopen({ ...first, world: worldOn(disk, first.world) })
    expect(again.readBytes).toBeGreaterThanOrEqual(first.log.sizeBytes)
    expect(await readAll(again.log)).toEqual(before)
    expect(again.log.producers.equals(first.log.producers)).toBe(true)
  }
})

test('a full disk costs the growth file a record, and the log nothing', async () => {
  const first = await open(simWorld())
  const fault = { operation: 'write', pathPattern: /growth$/, code: 'ENOSPC', written: 9 } as const
  first.world.disk.failNext(fault)
  await fill(first, 1, 100)
  await settle(first)
  expect(first.directory.failure).toBe(null)
  const again = await reopen(first)
  expect(again.readBytes).toBeLessThan(3 * stepBytes)
  expect(again.log.producers.equals(first.log.producers)).toBe(true)
})

test('a roll leaves the growth files of the last two segments only, a removed segment none', async () => {
  const world = simWorld()
  const directory = await openDirectory(world, { settings: { growthStepBytes: 1000 } })
  const log = await directory.openLog(
    logId(),
    logConfig({ segmentBytes: 5000, retentionBytes: 5000, retentionMs: -1 }),
  )
  const opened = { world, directory, log }
  for (let round = 0; round < 6; round++) {
    await fill(opened, 1, 12)
    await settle(opened)
  }
  const growthFiles = () => world.disk.list(folder).filter(name => name.endsWith('.growth'))
  expect(growthFiles().length).toBeLessThanOrEqual(2)
  await drive(world.clock, log.applyRetention(world.clock.now()))
  await world.clock.run(10)
  expect(world.disk.list(folder).filter(name => name.endsWith('.log')).length).toBeLessThan(4)
  expect(growthFiles().length).toBeLessThanOrEqual(2)
})

test('a snapshot and those who appended since give the producers as they are, in their order', () => {
  const options = { expirationMs: 1000, countMax: 3 }
  const ids = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 30 })
  fc.assert(
    fc.property(ids, ids, (before, after) => {
      const live = new ProducerStates(options)
      let offset = 0
      const send = (producerId: number) => {
        const baseSequence = offset
        const input = { producerId, producerEpoch: 0, baseSequence, baseTimestamp: 9 }
        const records = { codec: 0, bytes: new Uint8Array(1), count: 1 }
        live.apply(readBatchHeader(encodeBatch({ records, ...input }), 0), offset++, offset)
      }
      for (const producerId of before) send(producerId)
      const snapshot = live.encode()
      const since = offset
      for (const producerId of after) send(producerId)
      const later = ProducerStates.decode(snapshot, options)!
      later.advance(decodeProducers(encodeProducers(live.since(since), crc32c), crc32c)!)
      expect(later.encode()).toEqual(live.encode())
    }),
  )
})

test('in whatever order logs grow, each has a growth record for every step of its own', async () => {
  const step = fc.record({ at: fc.nat({ max: 2 }), valueBytes: fc.nat({ max: 2000 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const world = simWorld()
      const settings = { growthStepBytes: stepBytes }
      const directory = await openDirectory(world, { settings })
      const logs = await Promise.all([0, 1, 2].map(at => directory.openLog(logId(at), config)))
      // Size at the last record of growth; every log gets its own.
      const told = logs.map(() => 0)
      for (const { at, valueBytes } of steps) {
        const log = logs[at]!
        const path = `/data/${log.name}/00000000000000000000.growth`
        const before = world.disk.stat(path)?.size ?? 0
        await append(world, log, batchOf(1, { valueBytes }))
        const isTold = (world.disk.stat(path)?.size ?? 0) > before
        expect(isTold).toBe(log.sizeBytes - told[at]! >= stepBytes)
        if (isTold) told[at] = log.sizeBytes
      }
    }),
  )
})
