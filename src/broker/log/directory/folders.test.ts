import { expect, test } from 'vitest'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  simWorld,
} from '../../../../test/helpers/logs.ts'
import { logDirectoryName } from '../log-id.ts'

const folderOf = (partition: number) => `/data/${logDirectoryName(logId(partition))}`

/** A directory with two logs of a batch each, closed. */
async function filled() {
  const world = simWorld()
  const directory = await openDirectory(world)
  for (const partition of [0, 1]) {
    const log = await directory.openLog(logId(partition), logConfig())
    await append(world, log, batchOf(2))
  }
  await directory.close()
  return world
}

const unreadable = [
  { operation: 'open', pathPattern: /orders-0.*partition\.json/, code: 'EACCES' },
  { operation: 'read', pathPattern: /orders-0.*partition\.json/, code: 'EIO' },
  { operation: 'stat', pathPattern: /orders-0[^/]*$/, code: 'EIO' },
] as const

test.each(unreadable)(
  'a log that cannot be read ($operation, $code) keeps no other from being served',
  async fault => {
    const world = await filled()
    world.disk.failNext(fault)
    const directory = await openDirectory(world)
    const other = await directory.openLog(logId(1), logConfig())
    expect(await append(world, other, batchOf(1))).toMatchObject({ ok: true })
    const log = await directory.openLog(logId(0), logConfig())
    expect(log.offline).toMatch(
      new RegExp(`failed with ${fault.code}: check the device and the rights of /data/orders-0`),
    )
    expect(directory.damaged).toEqual([logId(0)])
    expect(directory.failure).toBe(null)
    await directory.close()
    const again = await openDirectory(world)
    expect((await again.openLog(logId(0), logConfig())).endOffset).toBe(2)
  },
)

test('a log whose folder, or segment, cannot be opened counts as damaged, and the others are served', async () => {
  const world = await filled()
  const directory = await openDirectory(world, { bootId: 'boot-2' })
  world.disk.failNext({ operation: 'open', pathPattern: /orders-0.*\.log$/, code: 'EACCES' })
  await expect(directory.openLog(logId(0), logConfig())).rejects.toMatchObject({ code: 'EACCES' })
  expect(directory.damaged).toEqual([logId(0)])
  world.disk.failNext({ operation: 'list', pathPattern: /orders-1/, code: 'EIO' })
  await expect(directory.openLog(logId(1), logConfig())).rejects.toMatchObject({ code: 'EIO' })
  expect(directory.failure).toBe(null)
  // Where it goes later, nothing is wrong with it.
  expect((await directory.openLog(logId(0), logConfig())).endOffset).toBe(2)
  expect(directory.damaged).toEqual([logId(1)])
})

test('a start for which descriptors are missing takes no log for damaged', async () => {
  const world = await filled()
  world.disk.failNext({ operation: 'open', pathPattern: /partition\.json/, code: 'EMFILE' })
  await expect(openDirectory(world)).rejects.toThrow('EMFILE')
})

test('a start removes what was removed of logs, and nothing of a stranger', async () => {
  const world = await filled()
  const { disk } = world
  const strangers = [
    '/data/photos.deleted',
    '/data/photos.deleted.2',
    '/data/old-1.deleted',
    '/data/photos.stray',
  ]
  const gone = [`${folderOf(2)}.deleted`, `${folderOf(2)}.deleted.1`]
  for (const path of [...strangers, ...gone]) {
    disk.mkdir(path)
    disk.open(`${path}/file`, 'create').close()
  }
  const directory = await openDirectory(world)
  await world.clock.settle()
  expect(strangers.filter(path => disk.stat(`${path}/file`) === null)).toEqual([])
  expect(gone.filter(path => disk.stat(path) !== null)).toEqual([])
  expect(directory.numbers().strayLogs).toBe(0)
})

test('the greatest id of a broker, and of a disk, is read as it was written', async () => {
  const world = simWorld()
  const brokerId = 2 ** 31 - 1
  const first = await openDirectory(world, { brokerId, incarnation: brokerId })
  await first.close()
  const { identity } = await openDirectory(world, { brokerId })
  expect(identity).toMatchObject({ brokerId, incarnation: brokerId, isNew: false })
})
