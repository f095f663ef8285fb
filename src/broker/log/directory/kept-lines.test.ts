import { describe, expect, test } from 'vitest'
import type { SimDisk } from '../../../../sim/disk.ts'
import { drive } from '../../../../test/helpers/drive.ts'
import { cleaned, compactedConfig, fill, recordsOf } from '../../../../test/helpers/keyed-log.ts'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  simWorld,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { parseSegmentName, segmentPath } from '../segment/segment.ts'
import { logDirectoryName } from '../log-id.ts'
import type { LogDirectory } from './log-directory.ts'

const folder = `/data/${logDirectoryName(logId(0))}`
const away = '/elsewhere'

function open(world: LogWorld, over: Parameters<typeof openDirectory>[1] = {}) {
  return drive(world.clock, openDirectory(world, over))
}

/** A compacted log with gaps, in a directory that is closed; and what a reader saw of it. */
async function compacted(world: LogWorld) {
  const directory = await open(world)
  const log = await drive(world.clock, directory.openLog(logId(0), compactedConfig()))
  await fill(world, log)
  await cleaned(world, directory)
  const records = await recordsOf(log)
  const bases = world.disk.list(folder).flatMap(name => parseSegmentName(name, 'log') ?? [])
  expect(bases.length).toBeGreaterThan(2)
  await drive(world.clock, directory.close())
  return { endOffset: 40, records, bases }
}

async function found(world: LogWorld, directory: LogDirectory) {
  const log = await drive(world.clock, directory.openLog(logId(0), compactedConfig()))
  return { endOffset: log.endOffset, offline: log.offline, records: await recordsOf(log) }
}

/** Another log is flushed, cleaned, and loses its beginning: each checkpoint is written. */
async function workElsewhere(world: LogWorld, directory: LogDirectory): Promise<void> {
  const other = await drive(world.clock, directory.openLog(logId(1), compactedConfig()))
  await fill(world, other)
  await cleaned(world, directory)
  await drive(world.clock, other.raiseStartOffset(8))
}

describe('a log that was away for a run is what it was', () => {
  test('where it had been moved', async () => {
    const world = simWorld()
    const { endOffset, records } = await compacted(world)
    world.disk.rename(folder, away)
    const directory = await open(world)
    await workElsewhere(world, directory)
    await drive(world.clock, directory.close())
    world.disk.rename(away, folder)
    expect(await found(world, await open(world))).toEqual({ endOffset, records, offline: null })
  })

  test('where it was set aside', async () => {
    const world = simWorld()
    const { endOffset, records } = await compacted(world)
    const directory = await open(world)
    await drive(world.clock, directory.setAside(logId(0)))
    await workElsewhere(world, directory)
    await drive(world.clock, directory.close())
    world.disk.rename(`${folder}.stray`, folder)
    expect(await found(world, await open(world))).toEqual({ endOffset, records, offline: null })
  })

  test('and what was deleted of it stays deleted', async () => {
    const world = simWorld()
    const directory = await open(world)
    const log = await directory.openLog(logId(0), logConfig())
    for (let at = 0; at < 5; at++) await append(world, log, batchOf(2))
    await drive(world.clock, log.raiseStartOffset(8))
    await drive(world.clock, directory.close())
    world.disk.rename(folder, away)
    await drive(world.clock, (await open(world)).close())
    world.disk.rename(away, folder)
    const again = await (await open(world)).openLog(logId(0), logConfig())
    expect([again.startOffset, again.endOffset]).toEqual([8, 10])
  })
})

test('of a log that begins anew nothing is believed that was true of the one before, whatever crashes', async () => {
  const world = simWorld()
  await compacted(world)
  const file = world.disk.open(`${folder}/partition.json`, 'write')
  file.write(0, [new Uint8Array(8)])
  file.close()
  const directory = await open(world)
  const damaged = await directory.openLog(logId(0), compactedConfig())
  expect(damaged.offline).not.toBe(null)
  await drive(world.clock, directory.beginAnew(logId(0)))
  const log = await directory.openLog(logId(0), compactedConfig())
  await fill(world, log, { count: 2 })
  const disk = world.disk.crashProcess()
  const after = { ...world, disk, env: { ...world.env, disk } }
  expect(await found(after, await open(after))).toMatchObject({ endOffset: 2, offline: null })
})

describe('a compacted log of which no checkpoint tells (a backup without them)', () => {
  function loseCheckpoints(disk: SimDisk): void {
    for (const name of disk.list('/data'))
      if (name.endsWith('-checkpoint') || name === 'clean.json') disk.unlink(`/data/${name}`)
  }

  test('is not cut where offsets are missing, but after the death of a machine', async () => {
    const world = simWorld()
    const { endOffset, records } = await compacted(world)
    loseCheckpoints(world.disk)
    const whole = { endOffset, records, offline: null }
    const directory = await open(world, { bootId: 'boot-1' })
    expect(directory.startClass).toBe('B')
    expect(await found(world, directory)).toEqual(whole)
    await drive(world.clock, directory.close())
    // Nor at the next start, also where its policy is another one by then.
    const again = await open(world, { bootId: 'boot-3' })
    const log = await drive(world.clock, again.openLog(logId(0), logConfig()))
    expect([log.offline, await recordsOf(log)]).toEqual([null, records])
  })

  /** A log that was never cleaned, and whose first segment lost its end. */
  async function torn(keepsIndex: boolean) {
    const world = simWorld()
    const first = await open(world)
    await fill(world, await drive(world.clock, first.openLog(logId(0), compactedConfig())))
    await drive(world.clock, first.close())
    loseCheckpoints(world.disk)
    const bases = world.disk.list(folder).flatMap(name => parseSegmentName(name, 'log') ?? [])
    const file = world.disk.open(segmentPath(folder, 0, 'log'), 'write')
    file.truncate(0)
    file.close()
    if (!keepsIndex) world.disk.unlink(segmentPath(folder, 0, 'offsets'))
    const directory = await open(world, { bootId: 'boot-2' })
    const log = await drive(world.clock, directory.openLog(logId(0), compactedConfig()))
    const isWhole = bases.every(base => world.disk.stat(segmentPath(folder, base, 'log')) !== null)
    return { isWhole, offline: log.offline, endOffset: log.endOffset }
  }

  const cut = { offline: null, endOffset: 0, isWhole: false }

  test('is cut where a crash tore a segment that has no index yet', async () => {
    expect(await torn(false)).toEqual(cut)
  })

  test('is cut where the index of what was torn tells another end', async () => {
    expect(await torn(true)).toEqual(cut)
  })
})

test('the lines of a log that is away go when its topic was deleted', async () => {
  const world = simWorld()
  await compacted(world)
  const directory = await open(world)
  await drive(world.clock, directory.setAside(logId(0)))
  directory.forgetDeleted(topicId => topicId !== logId(0).topicId)
  await expect(directory.openLog(logId(0), logConfig())).rejects.toThrow('set aside')
  directory.forgetDeleted(topicId => topicId === logId(0).topicId)
  expect((await directory.openLog(logId(0), logConfig())).endOffset).toBe(0)
  await drive(world.clock, directory.close())
  const log = await (await open(world)).openLog(logId(0), logConfig())
  expect([log.offline, log.startOffset, log.endOffset]).toEqual([null, 0, 0])
})
