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
import { DiskError } from '../../../env/disk.ts'
import { logDirectoryName } from '../log-id.ts'
import { makeRoom } from './ballast.ts'

const mebibyte = 2 ** 20
const settings = { ballastBytes: mebibyte }
const config = logConfig({ segmentBytes: 20_000, retentionMs: -1, fileDeleteDelayMs: 1000 })
const folder = `/data/${logDirectoryName(logId())}`

function smallWorld(): LogWorld {
  return simWorld(new SimDisk({ capacityBytes: 20 * mebibyte }))
}

/** Takes all that is free but `leaveBytes`. */
function fillDisk({ disk }: LogWorld, name: string, leaveBytes = 0): void {
  const file = disk.open(`/${name}`, 'create')
  const { freeBytes } = disk.space('/')
  file.write(0, [new Uint8Array(freeBytes - leaveBytes)])
  file.close()
  expect(disk.space('/').freeBytes).toBe(leaveBytes)
}

async function opened(world: LogWorld) {
  const directory = await drive(world.clock, openDirectory(world, { settings }))
  const log = await drive(world.clock, directory.openLog(logId(), config))
  await world.clock.settle()
  return { directory, log }
}

async function filled(world: LogWorld) {
  const { directory, log } = await opened(world)
  for (let at = 0; at < 20; at++) await append(world, log, batchOf(1, { valueBytes: 5000 }))
  await drive(world.clock, log.whenDurable(log.endOffset))
  await world.clock.run(3000)
  expect(world.disk.stat('/data/ballast')?.size).toBe(mebibyte)
  return { directory, log }
}

test('a killed broker starts on a full disk, retention frees space, and the ballast comes back', async () => {
  const world = smallWorld()
  const { log } = await filled(world)
  const before = await readAll(log)
  fillDisk(world, 'filler')
  expect(await append(world, log, batchOf(1, { valueBytes: 9000 }))).toMatchObject({
    ok: false,
    error: 'KAFKA_STORAGE_ERROR',
  })
  const crashed = simWorld(world.disk.crashProcess())
  await expect(openDirectory(crashed, { settings })).rejects.toMatchObject({ reason: 'unusable' })
  expect(await drive(crashed.clock, makeRoom(crashed.env, '/data'))).toBe(true)
  expect(crashed.disk.stat('/data/ballast')).toBe(null)
  const again = await opened(crashed)
  expect(again.directory.startClass).toBe('B')
  expect(await readAll(again.log)).toEqual(before)
  again.log.configure({ ...config, retentionBytes: 20_000 })
  await drive(crashed.clock, again.log.applyRetention(crashed.clock.now()))
  expect(again.log.startOffset).toBeGreaterThan(0)
  crashed.disk.unlink('/filler')
  await crashed.clock.run(120_000)
  expect(crashed.disk.stat('/data/ballast')?.size).toBe(mebibyte)
  expect(await drive(crashed.clock, makeRoom(crashed.env, '/data'))).toBe(false)
  expect(await append(crashed, again.log, batchOf(1))).toMatchObject({ ok: true })
})

test('what was being removed goes before the ballast does', async () => {
  const world = smallWorld()
  const { directory, log } = await filled(world)
  const other = await drive(
    world.clock,
    directory.openLog(logId(1), { ...config, segmentBytes: mebibyte }),
  )
  await append(world, other, batchOf(1, { valueBytes: 300_000 }))
  await drive(world.clock, log.raiseStartOffset(log.endOffset))
  const retired = () => world.disk.list(folder).filter(name => name.endsWith('.deleted'))
  expect(retired().length).toBeGreaterThan(0)
  await drive(world.clock, directory.remove(logId(1)))
  fillDisk(world, 'filler')
  const crashed = simWorld(world.disk.crashProcess())
  expect(await drive(crashed.clock, makeRoom(crashed.env, '/data'))).toBe(true)
  expect(crashed.disk.stat('/data/ballast')).not.toBe(null)
  expect(crashed.disk.list(folder).filter(name => name.endsWith('.deleted'))).toEqual([])
  await opened(crashed)
})

test('on a disk that is full of other things a start is refused in words, and changes nothing', async () => {
  const world = smallWorld()
  await filled(world)
  world.disk.unlink('/data/ballast')
  fillDisk(world, 'filler')
  const crashed = simWorld(world.disk.crashProcess())
  const names = crashed.disk.list('/data')
  await expect(makeRoom(crashed.env, '/data')).rejects.toMatchObject({
    name: 'DirectoryError',
    reason: 'full',
    message: expect.stringMatching(/\/data is full: 0 of \d+ bytes are free.*enlarge it/s),
  })
  expect(crashed.disk.list('/data')).toEqual(names)
})

test('a log start is raised on a full disk, with the place that the ballast kept', async () => {
  const world = smallWorld()
  const { directory, log } = await filled(world)
  fillDisk(world, 'filler')
  await drive(world.clock, log.raiseStartOffset(10))
  expect([log.startOffset, world.disk.stat('/data/ballast')]).toEqual([10, null])
  expect(directory.failure).toBe(null)
})

test('a stop on a full disk is a clean one with the ballast, and without it does no harm', async () => {
  for (const hasBallast of [true, false]) {
    const world = smallWorld()
    const { directory, log } = await filled(world)
    const before = await readAll(log)
    log.noteEpoch(3)
    if (!hasBallast) world.disk.unlink('/data/ballast')
    fillDisk(world, 'filler')
    await drive(world.clock, directory.close())
    expect(world.disk.stat('/data/failed.json')).toBe(null)
    world.disk.unlink('/filler')
    const again = await opened(simWorld(world.disk))
    expect(again.directory.startClass).toBe(hasBallast ? 'A' : 'B')
    expect(await readAll(again.log)).toEqual(before)
  }
})

test('a lock that another process holds is left to who opens the directory', async () => {
  const world = smallWorld()
  await filled(world)
  fillDisk(world, 'filler')
  expect(await makeRoom(world.env, '/data')).toBe(false)
  expect(world.disk.stat('/data/ballast')).not.toBe(null)
})

test('the ballast is not made where there is not plenty, and costs nothing where its making fails', async () => {
  const world = smallWorld()
  fillDisk(world, 'filler', 3 * mebibyte)
  const { directory } = await opened(world)
  expect(world.disk.stat('/data/ballast')).toBe(null)
  world.disk.unlink('/filler')
  world.disk.failNext({ operation: 'write', pathPattern: /ballast/, code: 'ENOSPC' })
  await world.clock.run(61_000)
  expect(world.disk.list('/data').filter(name => name.startsWith('ballast'))).toEqual([])
  world.disk.failNext({ operation: 'sync', pathPattern: /ballast/, code: 'EIO' })
  await world.clock.run(61_000)
  expect(directory.failure).toBeInstanceOf(DiskError)
  expect(worldOn(world.disk, world).disk.stat('/data/ballast')).toBe(null)
})
