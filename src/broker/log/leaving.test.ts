import { describe, expect, test } from 'vitest'
import type { SimDisk } from '../../../sim/disk.ts'
import { drive } from '../../../test/helpers/drive.ts'
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
} from '../../../test/helpers/logs.ts'
import { logDirectoryName } from './log-id.ts'

const folder = `/data/${logDirectoryName(logId())}`
const config = logConfig({ segmentBytes: 300, retentionBytes: 300, retentionMs: -1 })

/** A log of several segments, of which retention will leave the last ones. */
async function grown() {
  const warnings: string[] = []
  const world = simWorld()
  const directory = await openDirectory(world, {
    hooks: { warn: message => void warnings.push(message) },
  })
  const log = await directory.openLog(logId(), config)
  for (let at = 0; at < 12; at++) await append(world, log, batchOf(2))
  await drive(world.clock, log.whenDurable(24))
  return { world, disk: world.disk, clock: world.clock, directory, log, warnings }
}

type Grown = Awaited<ReturnType<typeof grown>>

/** The same after a stop, or after the death of the process. */
async function startAgain(kind: 'stop' | 'kill', { world, disk, directory }: Grown) {
  if (kind === 'stop') await directory.close()
  const next: LogWorld = worldOn(kind === 'stop' ? disk.clone() : disk.crashProcess(), world)
  const again = await openDirectory(next)
  expect(again.startClass).toBe(kind === 'stop' ? 'A' : 'B')
  return { log: await again.openLog(logId(), config), world: next }
}

const filesBelow = ({ disk }: LogWorld, offset: number) =>
  disk.list(folder).filter(name => /^\d{20}/.test(name) && Number(name.slice(0, 20)) < offset)

/** A run of retention in which the second segment's file can neither be renamed nor removed. */
async function refuseSecond({ disk, clock, log, directory, warnings }: Grown) {
  const logs = () => disk.list(folder).filter(name => name.endsWith('.log'))
  const second = logs()[1]!
  for (const operation of ['rename', 'unlink'] as const) {
    disk.failNext({ operation, pathPattern: new RegExp(second), code: 'ENOSPC' })
  }
  await log.applyRetention(clock.now())
  await clock.run(1)
  expect(directory.failure).toBe(null)
  expect(warnings).toEqual(['Could not remove all that retention takes; it is tried again'])
  return { startOffset: log.startOffset, left: logs(), second }
}

describe.each(['stop', 'kill'] as const)('and after a %s the log is whole', kind => {
  test.each(['log', 'offsets', 'times', 'producers'])(
    'where a full disk has no room for the new name of .%s, the file goes at once',
    async suffix => {
      const found = await grown()
      const { disk, clock, directory, log, warnings } = found
      for (const code of ['ENOSPC', 'EDQUOT'] as const) {
        disk.failNext({ operation: 'rename', pathPattern: new RegExp(`\\.${suffix}$`), code })
      }
      await log.applyRetention(clock.now())
      await clock.run(1)
      const { startOffset } = log
      expect(startOffset).toBeGreaterThan(6)
      expect(filesBelow(found.world, startOffset)).toEqual([])
      expect([directory.failure, warnings]).toEqual([null, []])
      const { log: again } = await startAgain(kind, found)
      expect([again.offline, again.startOffset, again.endOffset]).toEqual([null, startOffset, 24])
    },
  )

  test('where it cannot go either, it and what is behind it stay', async () => {
    const found = await grown()
    const { startOffset, left, second } = await refuseSecond(found)
    expect(left[0]).toBe(second)
    const { log: again, world } = await startAgain(kind, found)
    expect([again.offline, again.startOffset, again.endOffset]).toEqual([null, startOffset, 24])
    expect(filesBelow(world, startOffset)).toEqual([])
  })

  test('though an earlier version left a gap below its start', async () => {
    const found = await grown()
    const { disk, clock, directory, log } = found
    const kept = disk.clone()
    await log.applyRetention(clock.now())
    await directory.close()
    const { startOffset } = log
    const first = '00000000000000000000.log'
    const copy = disk.open(`${folder}/${first}`, 'create')
    const was = kept.open(`${folder}/${first}`, 'read')
    const bytes = new Uint8Array(was.size())
    was.read(0, bytes)
    copy.write(0, [bytes])
    copy.close()
    was.close()
    if (kind === 'kill') disk.unlink('/data/clean.json')
    const next = worldOn(disk.clone(), found.world)
    const again = await openDirectory(next)
    const reopened = await again.openLog(logId(), config)
    expect([reopened.offline, reopened.startOffset]).toEqual([null, startOffset])
    expect((await readAll(reopened)).length).toBe(reopened.sizeBytes)
    expect(disk.list(folder)).toContain(first)
    expect(next.disk.list(folder)).not.toContain(first)
  })
})

test('what could not be removed is tried again in the next run', async () => {
  const found = await grown()
  const { startOffset } = await refuseSecond(found)
  await found.log.applyRetention(found.clock.now())
  await found.clock.run(1)
  expect(filesBelow(found.world, startOffset)).toEqual([])
})

test('one file that cannot be removed holds up no other', async () => {
  const { disk, clock, log, warnings } = await grown()
  disk.failNext({ operation: 'unlink', pathPattern: /0\.log\.deleted/, code: 'EIO' })
  await log.applyRetention(clock.now())
  await clock.run(1)
  expect(disk.list(folder).filter(name => name.endsWith('.deleted'))).toEqual([
    '00000000000000000000.log.deleted',
  ])
  expect(warnings).toEqual([
    'Could not remove files of retired segments: they go at the next start',
  ])
})

test('a log that is over as a whole, on a disk without room for a new segment, loses what is closed', async () => {
  const { disk, clock, log, directory, warnings, world } = await grown()
  log.configure({ ...config, retentionBytes: 0 })
  disk.failNext({ operation: 'create', pathPattern: /\.log$/, code: 'ENOSPC' })
  await log.applyRetention(clock.now())
  expect([log.segmentCount, directory.failure]).toEqual([1, null])
  expect(log.startOffset).toBeLessThan(24)
  expect(warnings).toEqual([
    'Could not begin a new segment, so that the last one stays; it is tried again',
  ])
  await log.applyRetention(clock.now())
  expect([log.startOffset, log.endOffset, log.sizeBytes]).toEqual([24, 24, 0])
  expect(await append(world, log, batchOf(1))).toMatchObject({ baseOffset: 24 })
})

test('wherever the process dies while a start rises, the next one knows the producers, from snapshots or from batches', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), config)
  const produce = (producerId: number) =>
    append(world, log, batchOf(2, { producerId, producerEpoch: 0, baseSequence: 0 }))
  for (let producerId = 1; producerId <= 12; producerId++) await produce(producerId)
  await drive(world.clock, log.whenDurable(24))
  const moments: SimDisk[] = []
  world.disk.onOperation(() => moments.push(world.disk.clone()))
  await drive(world.clock, log.raiseStartOffset(15))
  await world.clock.run(1)
  let leftThere = 0
  let hadGone = 0
  for (const moment of moments) {
    const isAllThere = moment.stat(`${folder}/00000000000000000000.log`) !== null
    for (const hasSnapshots of isAllThere ? [true, false] : [true]) {
      const next = worldOn(moment.crashProcess(), world)
      for (const name of hasSnapshots ? [] : next.disk.list(folder)) {
        if (name.endsWith('.producers')) next.disk.unlink(`${folder}/${name}`)
      }
      const again = await openDirectory(next)
      const reopened = await again.openLog(logId(), config)
      const { offline, startOffset, endOffset, producers } = reopened
      expect([offline, endOffset, producers.size]).toEqual([null, 24, 12])
      if (startOffset < 15) continue
      expect((await readAll(reopened, 15)).length).toBeGreaterThan(0)
      const below = filesBelow(next, 12)
      if (hasSnapshots) expect(below).toEqual([])
      if (hasSnapshots) hadGone++
      else if (below.length > 0) leftThere++
    }
  }
  expect(hadGone).toBeGreaterThan(0)
  expect(leftThere).toBeGreaterThan(0)
})
