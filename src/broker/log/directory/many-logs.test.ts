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
import { logDirectoryName } from '../log-id.ts'
import type { Log } from '../log.ts'
import type { LogDirectory } from './log-directory.ts'

const folderOf = (partition = 0) => `/data/${logDirectoryName(logId(partition))}`
const config = logConfig({ flushMs: 100, retentionMs: -1 })
const partitions = Array.from({ length: 20 }, (_, partition) => partition)

interface Opened {
  readonly world: LogWorld
  readonly directory: LogDirectory
  readonly logs: readonly Log[]
}

async function open(world: LogWorld, which: readonly number[] = partitions): Promise<Opened> {
  const directory = await drive(world.clock, openDirectory(world))
  const opening = Promise.all(which.map(partition => directory.openLog(logId(partition), config)))
  return { world, directory, logs: await drive(world.clock, opening) }
}

/** Whatever is done to the disk below log directories from now on, by operation and name of the file. */
function watched({ disk }: LogWorld): string[] {
  const seen: string[] = []
  disk.onOperation(({ name, path }) => {
    if (path.startsWith('/data/orders-'))
      seen.push(`${name} ${path.slice(path.indexOf('/', 6) + 1)}`)
    else if (name === 'syncFileSystem') seen.push(name)
  })
  return seen
}

async function kill(world: LogWorld): Promise<LogWorld> {
  // The flush, and the checkpoint that follows it.
  await world.clock.run(3000)
  return worldOn(world.disk.crashProcess(), world)
}

test('brief logs that were written to are flushed together at a stop, and nothing is left beside them', async () => {
  const { world, directory, logs } = await open(simWorld())
  for (const log of logs) await append(world, log, batchOf(1))
  const seen = watched(world)
  await directory.close()
  expect(seen).toEqual(['syncFileSystem'])
  const files = world.disk.list(folderOf())
  expect(files).toEqual(['00000000000000000000.log', 'partition.json'])
})

test('a few logs are flushed each by itself at a stop', async () => {
  const { world, directory, logs } = await open(simWorld(), [0, 1])
  for (const log of logs) await append(world, log, batchOf(1))
  const seen = watched(world)
  await directory.close()
  expect(seen.toSorted()).toEqual(
    ['sync 00000000000000000000.log', 'sync 00000000000000000000.log'].toSorted(),
  )
})

test.each(['stopped', 'killed'])(
  'a brief log that was %s knows its records, epochs and producers',
  async how => {
    const { world, directory, logs } = await open(simWorld(), [0])
    const log = logs[0]!
    for (const [at, leaderEpoch] of [2, 2, 5].entries()) {
      const producer = { producerId: 7, producerEpoch: 0, baseSequence: at * 3 }
      await append(world, log, batchOf(3, producer), { leaderEpoch })
    }
    const records = await readAll(log)
    const later = how === 'killed' ? await kill(world) : world
    if (how === 'stopped') await directory.close()
    expect(later.disk.list(folderOf())).not.toContain('leader-epoch-checkpoint')
    const again = (await open(later, [0])).logs[0]!
    expect(await readAll(again)).toEqual(records)
    expect(again.latestEpoch).toBe(5)
    expect([again.endOfEpoch(2), again.epochAt(3)]).toEqual([{ epoch: 2, endOffset: 6 }, 2])
    expect(again.producers.stateOf(7)?.batches).toHaveLength(3)
    expect([again.durableOffset, again.endOffset]).toEqual([9, 9])
  },
)

test('a log that is brief no longer gets a checkpoint of its epochs with the next flush', async () => {
  const { world, logs } = await open(simWorld(), [0])
  await append(world, logs[0]!, batchOf(1), { leaderEpoch: 2 })
  await world.clock.run(200)
  expect(world.disk.list(folderOf())).not.toContain('leader-epoch-checkpoint')
  await append(world, logs[0]!, batchOf(1, { valueBytes: 20_000 }), { leaderEpoch: 2 })
  await world.clock.run(200)
  expect(world.disk.list(folderOf())).toContain('leader-epoch-checkpoint')
})

test('a log that has not changed since the last stop is left as it is', async () => {
  const { world, directory, logs } = await open(simWorld(), [0])
  const sequences = [0, 1, 2, 3]
  for (const baseSequence of sequences) {
    const producer = { producerId: 7, producerEpoch: 0, baseSequence }
    await append(world, logs[0]!, batchOf(1, { valueBytes: 20_000, ...producer }))
  }
  await directory.close()
  expect(world.disk.list(folderOf())).toEqual([
    '00000000000000000000.log',
    '00000000000000000000.offsets',
    '00000000000000000000.times',
    '00000000000000000004.producers',
    'leader-epoch-checkpoint',
    'partition.json',
  ])
  const again = await open(world, [0])
  const seen = watched(world)
  await again.directory.close()
  expect(seen).toEqual([])
})

test('index files that do not fit are written again at the next stop', async () => {
  const { world, directory, logs } = await open(simWorld(), [0])
  for (let at = 0; at < 4; at++) await append(world, logs[0]!, batchOf(1, { valueBytes: 20_000 }))
  await directory.close()
  world.disk.unlink(`${folderOf()}/00000000000000000000.times`)
  await (await open(world, [0])).directory.close()
  expect(world.disk.list(folderOf())).toContain('00000000000000000000.times')
})

test('what was flushed before a process died is not flushed again', async () => {
  const { world, logs } = await open(simWorld())
  for (const log of logs) await append(world, log, batchOf(1))
  const killed = await kill(world)
  const seen = watched(killed)
  const again = await open(killed)
  await killed.clock.run(10_000)
  expect(again.directory.startClass).toBe('B')
  expect(again.directory.unflushedBytes).toBe(0)
  expect(seen.filter(operation => operation.startsWith('sync'))).toEqual([])
})
