import { describe, expect, test } from 'vitest'
import type { SimDisk } from '../../../../sim/disk.ts'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  simWorld,
} from '../../../../test/helpers/logs.ts'

/** Everything in a directory, and it. */
function removeAll(disk: SimDisk, path: string): void {
  for (const name of disk.list(path)) {
    if (disk.stat(`${path}/${name}`)!.isDirectory) removeAll(disk, `${path}/${name}`)
    else disk.unlink(`${path}/${name}`)
  }
  disk.rmdir(path)
}

/** A directory with a log whose writes are on the device. */
async function served() {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig())
  await append(world, log, batchOf(1))
  await world.clock.run(3000)
  expect(directory.failure).toBe(null)
  return { world, disk: world.disk, directory, log }
}

describe('a checkpoint that cannot be written', () => {
  test.each(['EROFS', 'EACCES', 'ENOTDIR', 'ENOENT', 'EIO'])(
    'ends the directory (%s)',
    async code => {
      const { world, disk, directory, log } = await served()
      disk.failNext({ operation: 'create', pathPattern: /recovery-point-checkpoint/, code })
      await append(world, log, batchOf(1))
      await world.clock.run(3000)
      expect(directory.failure).toMatchObject({ code })
      expect(await append(world, log, batchOf(1))).toMatchObject({ ok: false })
    },
  )

  test.each(['ENOSPC', 'EMFILE'])(
    'for want of something that comes back does not (%s)',
    async code => {
      const { world, disk, directory, log } = await served()
      disk.failNext({ operation: 'create', pathPattern: /recovery-point-checkpoint/, code })
      await append(world, log, batchOf(1))
      await world.clock.run(3000)
      expect(directory.failure).toBe(null)
      expect(await append(world, log, batchOf(1))).toMatchObject({ ok: true })
    },
  )
})

describe('a directory that is removed under its broker', () => {
  test('is noticed soon after a write, which open files still take', async () => {
    const { world, disk, directory, log } = await served()
    removeAll(disk, '/data')
    expect(await append(world, log, batchOf(1))).toMatchObject({ ok: true })
    await world.clock.run(3000)
    expect(directory.failure).toMatchObject({ code: 'ENOENT' })
    expect(await append(world, log, batchOf(1))).toMatchObject({ ok: false })
  })

  test('is noticed when another one has its name', async () => {
    const { world, disk, directory, log } = await served()
    removeAll(disk, '/data')
    disk.mkdir('/data')
    await append(world, log, batchOf(1))
    await world.clock.run(3000)
    expect(directory.failure).toMatchObject({ code: 'ENOENT' })
  })

  test('is noticed without a write or a flush too', async () => {
    const { world, disk, directory } = await served()
    removeAll(disk, '/data')
    await world.clock.run(61_000)
    expect(directory.failure).toMatchObject({ code: 'ENOENT' })
  })

  test('is not made anew for a new log', async () => {
    const { disk, directory } = await served()
    removeAll(disk, '/data')
    const opened = directory.openLog(logId(1), logConfig())
    await expect(opened).rejects.toMatchObject({ code: 'ENOENT' })
    expect(disk.stat('/data/meta.properties')).toBe(null)
    expect(directory.failure).toMatchObject({ code: 'ENOENT' })
  })
})

test.each([
  ['rename', 'EIO'],
  ['create', 'EROFS'],
] as const)(
  'what fails of a new log ends the directory where a write is in doubt (%s, %s)',
  async (operation, code) => {
    const { disk, directory } = await served()
    disk.failNext({ operation, pathPattern: /partition\.json/, code })
    await expect(directory.openLog(logId(1), logConfig())).rejects.toMatchObject({ code })
    expect(directory.failure).toMatchObject({ code })
  },
)

test('what is wrong with one log alone does not', async () => {
  const { disk, directory } = await served()
  disk.failNext({ operation: 'create', pathPattern: /partition\.json/, code: 'EACCES' })
  await expect(directory.openLog(logId(1), logConfig())).rejects.toMatchObject({ code: 'EACCES' })
  expect(directory.failure).toBe(null)
})
