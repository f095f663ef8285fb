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
import { utf8 } from '../../../lib/bytes.ts'
import { deferred } from '../../../lib/deferred.ts'
import { Prng } from '../../../lib/prng.ts'
import { logDirectoryName } from '../log-id.ts'
import type { LogDirectory } from './log-directory.ts'
import { parseSegmentName } from '../segment/segment.ts'

const folderOf = (partition = 0) => `/data/${logDirectoryName(logId(partition))}`

async function filled(
  world: LogWorld,
  options: { readonly batches?: number; readonly segmentBytes?: number } = {},
) {
  const directory = await openDirectory(world)
  const log = await directory.openLog(
    logId(),
    logConfig({ segmentBytes: options.segmentBytes ?? 600 }),
  )
  for (let at = 0; at < (options.batches ?? 12); at++) await append(world, log, batchOf(2))
  return { directory, log }
}

function overwrite({ disk }: LogWorld, path: string, position: number, bytes: Uint8Array): void {
  const file = disk.open(path, 'write')
  file.write(position, [bytes])
  file.close()
}

test('a directory that another process has open is refused', async () => {
  const world = simWorld()
  const first = await openDirectory(world)
  await expect(openDirectory(world)).rejects.toMatchObject({
    reason: 'locked',
    message: expect.stringContaining('/data'),
  })
  await first.close()
  await (await openDirectory(world)).close()
})

test('a directory of another cluster or broker, a damaged or nameless one is refused, and stays as it is', async () => {
  const world = simWorld()
  await (await filled(world)).directory.close()
  await expect(openDirectory(world, { clusterId: 'other' })).rejects.toMatchObject({
    reason: 'foreign',
  })
  await expect(openDirectory(world, { brokerId: 2 })).rejects.toMatchObject({ reason: 'foreign' })
  const moved = worldOn(world.disk.clone(), world)
  moved.disk.unlink('/data/meta.properties')
  await expect(openDirectory(moved)).rejects.toMatchObject({ reason: 'foreign' })
  overwrite(world, '/data/meta.properties', 0, utf8('version=9'))
  await expect(openDirectory(world)).rejects.toMatchObject({ reason: 'damaged' })
})

test('what the operating system refuses is said so', async () => {
  const world = simWorld()
  world.disk.failNext({ operation: 'lock', code: 'EIO' })
  await expect(openDirectory(world)).rejects.toMatchObject({ reason: 'unusable' })
})

test('start classes: empty, clean, killed, cut off from power, unknown', async () => {
  const world = simWorld()
  const { directory } = await filled(world)
  expect(startOf(directory)).toBe('D empty')
  const running = world.disk.clone()
  await directory.close()
  const start = async (disk: LogWorld['disk'], over: Parameters<typeof openDirectory>[1] = {}) =>
    startOf(await openDirectory(worldOn(disk.clone(), world), over))
  expect(await start(world.disk)).toBe('A stopped-cleanly')
  expect(await start(world.disk, { bootId: 'boot-2' })).toBe('A stopped-cleanly')
  expect(await start(running)).toBe('B process-died')
  expect(await start(running, { bootId: 'boot-2' })).toBe('C machine-restarted')
  expect(await start(running, { bootId: '' })).toBe('C machine-restarted')
  const registration = { before: 7, now: 8 }
  // As a version left them that did not note registrations.
  expect(await start(world.disk, { registration })).toBe('C registration-unknown')
  expect(await start(running, { registration })).toBe('C registration-unknown')
  const without = (disk: LogWorld['disk'], name: string) => {
    const copy = disk.clone()
    copy.unlink(`/data/${name}`)
    return copy
  }
  expect(await start(without(running, 'run.json'))).toBe('C no-last-run')
})

test('a run is known by its registration: an older copy of the disk is class C, stopped or killed', async () => {
  const world = simWorld()
  const opened = async (disk: LogWorld['disk'], before: number | null, now: number) =>
    openDirectory(worldOn(disk, world), { registration: { before, now } })
  const first = await opened(world.disk, null, 7)
  const killedFirst = world.disk.clone()
  await first.close()
  const stoppedFirst = world.disk.clone()

  const second = await opened(world.disk, 7, 12)
  expect(startOf(second)).toBe('A stopped-cleanly')
  const killedSecond = world.disk.clone()
  await second.close()

  expect(startOf(await opened(killedSecond.clone(), 12, 15))).toBe('B process-died')
  for (const older of [killedFirst, stoppedFirst]) {
    expect(startOf(await opened(older.clone(), 12, 15))).toBe('C other-registration')
  }
  // The registration was committed, and the process died before it could note it.
  expect(startOf(await opened(killedSecond.clone(), 15, 19))).toBe('C other-registration')
  // The metadata is older than the disk.
  expect(startOf(await opened(killedSecond.clone(), 7, 12))).toBe('C other-registration')
  expect(startOf(await opened(killedSecond.clone(), null, 3))).toBe('C other-registration')
})

function startOf({ startClass, startReason }: LogDirectory): string {
  return `${startClass} ${startReason}`
}

test('the clean marker goes before anything else, and a log that does not fit it is recovered', async () => {
  const world = simWorld()
  const { directory, log } = await filled(world)
  const before = await readAll(log)
  await directory.close()
  const again = await openDirectory(world)
  expect(world.disk.stat('/data/clean.json')).toBe(null)
  await again.close()
  const last = world.disk.list(folderOf()).findLast(name => parseSegmentName(name, 'log') !== null)!
  const path = `${folderOf()}/${last}`
  overwrite(world, path, world.disk.stat(path)!.size, utf8('torn'))
  const third = await openDirectory(world)
  expect(third.startClass).toBe('A')
  const reopened = await third.openLog(logId(), logConfig({ segmentBytes: 600 }))
  expect(await readAll(reopened)).toEqual(before)
  expect(reopened.offline).toBe(null)
})

test('a log that a run never opened keeps its clean line', async () => {
  const world = simWorld()
  await (await filled(world)).directory.close()
  await (await openDirectory(world)).close()
  const third = await openDirectory(world)
  expect(third.found()).toEqual([logId()])
  expect(third.progress()).toEqual({ logsDone: 0, logsTotal: 1 })
  const log = await third.openLog(logId(), logConfig())
  expect([log.endOffset, log.durableOffset]).toEqual([24, 24])
  expect(third.progress()).toEqual({ logsDone: 1, logsTotal: 1 })
})

test('damage below the recovery point is not cut off: that log is out of service, others are not', async () => {
  const world = simWorld()
  const { directory, log } = await filled(world)
  const other = await directory.openLog(logId(1), logConfig())
  await append(world, other, batchOf(1))
  await drive(world.clock, log.whenDurable(log.endOffset))
  await world.clock.run(3000)
  const crashed = worldOn(world.disk.crashProcess(), world)
  const last = crashed.disk
    .list(folderOf())
    .findLast(name => parseSegmentName(name, 'log') !== null)!
  const size = crashed.disk.stat(`${folderOf()}/${last}`)!.size
  overwrite(crashed, `${folderOf()}/${last}`, 80, Uint8Array.of(0xff))
  const again = await openDirectory(crashed)
  const damaged = await again.openLog(logId(), logConfig({ segmentBytes: 600 }))
  expect(damaged.offline).toContain('damaged')
  expect(damaged.read(0, { maxBytes: 1, upToOffset: 24, minOneBatch: true })).toMatchObject({
    kind: 'failed',
    error: 'KAFKA_STORAGE_ERROR',
  })
  expect(await append(crashed, damaged, batchOf(1))).toMatchObject({
    ok: false,
    error: 'KAFKA_STORAGE_ERROR',
  })
  expect(crashed.disk.stat(`${folderOf()}/${last}`)!.size).toBe(size)
  const healthy = await again.openLog(logId(1), logConfig())
  expect(await append(crashed, healthy, batchOf(1))).toMatchObject({ ok: true, baseOffset: 1 })
  await again.close()
  // It is not forgotten: the next start finds it damaged as well.
  const third = await openDirectory(crashed)
  expect((await third.openLog(logId(), logConfig({ segmentBytes: 600 }))).offline).toContain(
    'damaged',
  )
})

test('a missing segment below the recovery point is damage, not an empty log', async () => {
  const world = simWorld()
  const { directory, log } = await filled(world)
  await drive(world.clock, log.whenDurable(log.endOffset))
  await directory.close()
  for (const name of world.disk.list(folderOf())) {
    if (parseSegmentName(name, 'log') !== null) world.disk.unlink(`${folderOf()}/${name}`)
  }
  const again = await openDirectory(world, { bootId: 'boot-2' })
  expect((await again.openLog(logId(), logConfig())).offline).toContain('missing')
})

test('a torn tail of a killed process is cut; a hole before valid batches makes it class C', async () => {
  const world = simWorld()
  const { log } = await filled(world, { segmentBytes: 100_000 })
  const size = batchOf(2).length
  const path = `${folderOf()}/00000000000000000000.log`
  const torn = worldOn(world.disk.crashProcess(), world)
  overwrite(torn, path, log.sizeBytes - 5, new Uint8Array(5))
  const again = await openDirectory(torn)
  expect((await again.openLog(logId(), logConfig())).endOffset).toBe(22)
  expect(again.startClass).toBe('B')

  const holed = worldOn(world.disk.clone(), world)
  overwrite(holed, path, 5 * size + 70, Uint8Array.of(0xff, 0xff))
  const warnings: string[] = []
  const third = await openDirectory(holed, { hooks: { warn: message => warnings.push(message) } })
  expect((await third.openLog(logId(), logConfig())).endOffset).toBe(10)
  expect(startOf(third)).toBe('C unexpected-damage')
  expect(warnings.join()).toContain('crash of the machine')
})

test('a log directory without partition.json: nothing in it, and it goes; records in it, and it is out of service', async () => {
  const world = simWorld()
  const { directory } = await filled(world)
  await directory.close()
  world.disk.mkdir(folderOf(5))
  world.disk.unlink(`${folderOf()}/partition.json`)
  const again = await openDirectory(world)
  expect(again.found()).toEqual([logId()])
  expect(world.disk.stat(folderOf(5))).toBe(null)
  const log = await again.openLog(logId(), logConfig())
  expect(log.offline).toContain('partition.json')
})

test('a removed log is gone, its id can be opened anew; one set aside stays on disk', async () => {
  const world = simWorld()
  const { directory, log } = await filled(world)
  await directory.remove(logId())
  expect(log.read(0, { maxBytes: 1, upToOffset: 1, minOneBatch: true })).toMatchObject({
    kind: 'failed',
  })
  expect(await append(world, log, batchOf(1))).toMatchObject({ ok: false })
  await world.clock.run(1)
  expect(world.disk.list('/data').filter(name => name.startsWith('orders'))).toEqual([])
  const anew = await directory.openLog(logId(), logConfig())
  expect(anew.endOffset).toBe(0)
  await append(world, anew, batchOf(1))
  await directory.setAside(logId())
  expect(world.disk.stat(`${folderOf()}.stray`)?.isDirectory).toBe(true)
  await directory.close()
  const again = await openDirectory(world)
  expect(again.found()).toEqual([])
  expect(world.disk.stat(`${folderOf()}.stray`)?.isDirectory).toBe(true)
})

test('a log that is removed while it is written and flushed does not take the directory with it', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  for (let round = 0; round < 20; round++) {
    const log = await directory.openLog(logId(), logConfig({ flushPolicy: 'ack' }))
    log.noteEpoch(round)
    const appended = append(world, log, batchOf(1))
    for (let turn = 0; turn < round % 5; turn++) await Promise.resolve()
    await directory.remove(logId())
    await appended
    await world.clock.settle()
    expect(directory.failure).toBeNull()
  }
  await directory.close()
})

test('of a removed log one file that cannot be removed holds up no other', async () => {
  const world = simWorld()
  const { directory } = await filled(world, { segmentBytes: 300 })
  world.disk.failNext({ operation: 'unlink', pathPattern: /0\.log$/, code: 'EIO' })
  await directory.remove(logId())
  await world.clock.run(1)
  expect(world.disk.list(`${folderOf()}.deleted`)).toEqual(['00000000000000000000.log'])
})

test('a removed log whose process died is removed at the next start', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  await directory.openLog(logId(), logConfig({ fileDeleteDelayMs: 60_000 }))
  await directory.remove(logId())
  const killed = worldOn(world.disk.crashMachine(new Prng(1)), world)
  const again = await openDirectory(killed)
  await killed.clock.settle()
  expect(again.found()).toEqual([])
  expect(killed.disk.list('/data').filter(name => name.startsWith('orders'))).toEqual([])
})

test('many logs are opened a few at a time, and all of them', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const ids = Array.from({ length: 30 }, (_, partition) => logId(partition))
  const logs = await Promise.all(ids.map(id => directory.openLog(id, logConfig())))
  expect(logs.map(({ id }) => id.partition)).toEqual(ids.map(({ partition }) => partition))
  await directory.close()
  expect((await openDirectory(world)).found().length).toBe(30)
})

test('caches under the names that they had in earlier versions are made anew, after either end', async () => {
  for (const isClean of [true, false]) {
    const world = simWorld()
    const { directory, log } = await filled(world)
    const batch = batchOf(1, { producerId: 7, producerEpoch: 0, baseSequence: 0 })
    await append(world, log, batch)
    const before = await readAll(log)
    await world.clock.run(3000)
    if (isClean) await directory.close()
    const again = worldOn(isClean ? world.disk.clone() : world.disk.crashProcess(), world)
    const former = { offsets: 'index', times: 'timeindex', producers: 'snapshot' }
    let renamed = 0
    for (const name of again.disk.list(folderOf())) {
      for (const [suffix, old] of Object.entries(former)) {
        if (!name.endsWith(`.${suffix}`)) continue
        const path = `${folderOf()}/${name}`
        again.disk.rename(path, path.replace(`.${suffix}`, `.${old}`))
        renamed++
      }
    }
    expect(renamed).toBeGreaterThan(2)
    const opened = await openDirectory(again)
    const found = await opened.openLog(logId(), logConfig({ segmentBytes: 600 }))
    expect(found.offline).toBe(null)
    expect(await readAll(found)).toEqual(before)
    expect(found.producers.stateOf(7)?.batches).toHaveLength(1)
    expect(await found.findByTime(0, found.endOffset)).toMatchObject({ offset: 0 })
    await opened.close()
    const names = again.disk.list(folderOf())
    expect(names.filter(name => /\.(?:index|timeindex|snapshot)$/.test(name))).toEqual([])
    const bases = names.flatMap(name => parseSegmentName(name, 'log') ?? [])
    const indexed = names.flatMap(name => parseSegmentName(name, 'offsets') ?? [])
    expect(bases).toEqual(expect.arrayContaining(indexed))
    expect(indexed).toContain(bases.at(-1))
  }
})

test('a write-back that ends when its file is closed begins no other, and is no failure of the disk', async () => {
  const writeBacks = [deferred<void>(), deferred<void>()]
  let count = 0
  class SlowDisk extends SimDisk {
    override open(...args: Parameters<SimDisk['open']>) {
      const file = super.open(...args)
      if (args[0].endsWith('.log')) file.writeBack = () => writeBacks[count++]!.promise
      return file
    }
  }
  const world = simWorld(new SlowDisk())
  const directory = await openDirectory(world, { settings: { logWriteBackBytes: 100 } })
  const log = await directory.openLog(logId(), logConfig())
  for (let at = 0; at < 8; at++) await append(world, log, batchOf(2))
  expect(count).toBe(1)
  await drive(world.clock, directory.close())
  writeBacks[0]!.resolve()
  await new Promise(resolve => setImmediate(resolve))
  expect([count, directory.failure, world.disk.stat('/data/failed.json')]).toEqual([1, null, null])
})
