import { describe, expect, test } from 'vitest'
import type { SimDisk } from '../../../../sim/disk.ts'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  simWorld,
  worldOn,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { Prng } from '../../../lib/prng.ts'
import { readWhole } from '../../../env/disk.ts'
import { logDirectoryName, logKey } from '../log-id.ts'

const folderOf = (partition = 0) => `/data/${logDirectoryName(logId(partition))}`

/** A directory with two logs that have records, closed. */
async function filled(world = simWorld()): Promise<LogWorld> {
  const directory = await openDirectory(world)
  for (const partition of [0, 1]) {
    const log = await directory.openLog(logId(partition), logConfig())
    await append(world, log, batchOf(2))
  }
  await directory.close()
  return world
}

function removeFolder(disk: SimDisk, folder: string): void {
  for (const name of disk.list(folder)) disk.unlink(`${folder}/${name}`)
  disk.rmdir(folder)
}

const expected = () => [logId(0), logId(1), logId(2)]

/** The end offset of each of three logs, or why it could not be opened. */
async function openAll(
  world: LogWorld,
  over: Parameters<typeof openDirectory>[1] = {},
): Promise<(number | string)[]> {
  const directory = await openDirectory(world, over)
  const ends: (number | string)[] = []
  for (const id of expected()) {
    try {
      ends.push((await directory.openLog(id, logConfig())).endOffset)
    } catch (error) {
      ends.push((error as Error).name)
    }
  }
  await directory.close()
  return ends
}

describe('the directory of a log that was served', () => {
  test('is missed: it is not made anew, the others and new ones are served, and it may come back', async () => {
    const world = await filled()
    const whole = world.disk.clone()
    removeFolder(world.disk, folderOf(0))
    const directory = await openDirectory(world)
    await expect(directory.openLog(logId(0), logConfig())).rejects.toMatchObject({
      name: 'MissingLogError',
      message: expect.stringMatching(
        /\/data\/orders-0\..* is missing, and this broker has held orders-0.*Restore it.*or delete the topic/,
      ),
    })
    expect(world.disk.stat(folderOf(0))).toBe(null)
    await directory.close()
    expect(await openAll(world)).toEqual(['MissingLogError', 2, 0])
    expect(await openAll(worldOn(whole, world))).toEqual([2, 2, 0])
  })

  test('is not missed after its topic was deleted', async () => {
    const world = await filled()
    const directory = await openDirectory(world)
    await directory.openLog(logId(0), logConfig())
    await directory.remove(logId(0))
    expect((await directory.openLog(logId(0), logConfig())).endOffset).toBe(0)
    // Nor where the topic of a log that is missing was deleted.
    await world.clock.settle()
    await directory.close()
    removeFolder(world.disk, folderOf(1))
    const again = await openDirectory(world)
    await again.remove(logId(1))
    expect((await again.openLog(logId(1), logConfig())).endOffset).toBe(0)
    await again.close()
  })

  test('that was set aside is missed, and found by its other name', async () => {
    const world = await filled()
    const directory = await openDirectory(world)
    await directory.setAside(logId(0))
    expect(directory.numbers().strayLogs).toBe(1)
    const name = `orders-0.${logId().topicId}.stray`
    const told = { message: expect.stringContaining(`set aside as ${name} `) }
    await expect(directory.openLog(logId(0), logConfig())).rejects.toMatchObject(told)
    await directory.close()
    const again = await openDirectory(world)
    expect(again.numbers().strayLogs).toBe(1)
    await expect(again.openLog(logId(0), logConfig())).rejects.toMatchObject(told)
    await again.close()
    world.disk.rename(`${folderOf()}.stray`, folderOf())
    expect(await openAll(world)).toEqual([2, 2, 0])
  })

  test('is not taken for unfinished because it lost partition.json', async () => {
    const world = await filled()
    removeFolder(world.disk, folderOf(0))
    world.disk.mkdir(folderOf(0))
    const directory = await openDirectory(world)
    const log = await directory.openLog(logId(0), logConfig())
    expect(log.offline).toContain('partition.json')
    await directory.close()
  })

  test('that the disk was too full to list is made at the next attempt', async () => {
    const world = await filled()
    const directory = await openDirectory(world)
    world.disk.failNext({ operation: 'write', pathPattern: /\/logs$/, code: 'ENOSPC', written: 9 })
    await expect(directory.openLog(logId(2), logConfig())).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(directory.failure).toBe(null)
    expect((await directory.openLog(logId(2), logConfig())).endOffset).toBe(0)
    await directory.close()
    removeFolder(world.disk, folderOf(2))
    expect(await openAll(world)).toEqual([2, 2, 'MissingLogError'])
  })
})

describe('without a list that can be believed', () => {
  const damages: [string, (disk: SimDisk) => void][] = [
    ['it is gone', disk => disk.unlink('/data/logs')],
    ['its first line is damaged', disk => overwrite(disk, 0, 'x')],
    ['a line in its middle is damaged', disk => overwrite(disk, 20, 'x')],
    ['it is no text', disk => overwrite(disk, 20, '\xff')],
  ]

  test.each(damages)('(%s) a log that should be there is missed', async (_, damage) => {
    const world = await filled()
    await openAll(world)
    removeFolder(world.disk, folderOf(0))
    damage(world.disk)
    const again = world.disk.clone()
    expect(await openAll(world, { expected })).toEqual(['MissingLogError', 2, 0])
    // Whoever does not know what should be there finds what is.
    expect((await openAll(worldOn(again, world)))[1]).toBe(2)
  })

  test('(a version without one) what is missing is made, and what is there gets listed', async () => {
    const world = await filled()
    world.disk.unlink('/data/logs')
    const properties = fromUtf8(readWhole(world.disk, '/data/meta.properties')!)
    world.disk.unlink('/data/meta.properties')
    const file = world.disk.open('/data/meta.properties', 'create')
    file.write(0, [utf8(properties.replace('log.list=1\n', ''))])
    file.close()
    expect(await openAll(world, { expected })).toEqual([2, 2, 0])
    removeFolder(world.disk, folderOf(1))
    expect(await openAll(world)).toEqual([2, 'MissingLogError', 0])
  })

  test('(an empty disk) what the metadata gives to this broker is missed, and what comes later is made', async () => {
    const world = simWorld()
    const lost = () => [logId(0), logId(1)]
    expect(await openAll(world, { expected: lost })).toEqual([
      'MissingLogError',
      'MissingLogError',
      0,
    ])
    expect(await openAll(world)).toEqual(['MissingLogError', 'MissingLogError', 0])
  })
})

test('whatever crashes while logs are made: what was served is missed, what was not is made', async () => {
  const world = simWorld()
  const points: { readonly disk: SimDisk; readonly served: ReadonlySet<string> }[] = []
  const served = new Set<string>()
  const directory = await openDirectory(world)
  world.disk.onOperation(() => points.push({ disk: world.disk.clone(), served: new Set(served) }))
  await Promise.all(
    expected().map(async id => {
      await directory.openLog(id, logConfig())
      served.add(logKey(id))
    }),
  )
  world.disk.onOperation(null)
  expect(points.length).toBeGreaterThan(25)
  for (const [at, point] of points.entries()) {
    const subsets = [0, 1, 2].map(subset => point.disk.crashMachine(new Prng(at * 10 + subset)))
    for (const disk of [...subsets, point.disk.crashProcess()]) {
      const emptied = disk.clone()
      // What a crash leaves is complete by itself.
      expect(await openAll(worldOn(disk, world), { expected })).toEqual([0, 0, 0])
      for (const partition of [0, 1, 2]) {
        if (emptied.stat(folderOf(partition)) !== null) removeFolder(emptied, folderOf(partition))
      }
      const ends = await openAll(worldOn(emptied, world))
      for (const [partition, end] of ends.entries()) {
        if (point.served.has(logKey(logId(partition)))) expect(end).toBe('MissingLogError')
      }
    }
  }
})

function overwrite(disk: SimDisk, position: number, text: string): void {
  const file = disk.open('/data/logs', 'write')
  file.write(position, [Uint8Array.from(text, letter => letter.charCodeAt(0))])
  file.close()
}
