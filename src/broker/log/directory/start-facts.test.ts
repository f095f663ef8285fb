import { describe, expect, test } from 'vitest'
import { drive } from '../../../../test/helpers/drive.ts'
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
import type { SimDisk } from '../../../../sim/disk.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { logDirectoryName } from '../log-id.ts'
import type { Log } from '../log.ts'
import type { LogDirectory } from './log-directory.ts'

const folderOf = (partition: number) => `/data/${logDirectoryName(logId(partition))}`
const pathOf = (partition: number) => `${folderOf(partition)}/00000000000000000000.log`

/** A start of which the cluster has not heard yet; it was registered in epoch `before` last. */
async function started(world: LogWorld, before: number | null, bootId = 'boot-1') {
  const directory = await openDirectory(world, { bootId, registration: { before, now: null } })
  return { directory, world }
}

const killed = (world: LogWorld) => worldOn(world.disk.clone().crashProcess(), world)
const told = ({ startClass, startReason }: LogDirectory) => `${startClass} ${startReason}`

/** One that was registered in epoch 7, with records in two logs. */
async function registeredOnce() {
  const { directory, world } = await started(simWorld(), null)
  expect(told(directory)).toBe('D empty')
  await directory.registered(7)
  for (const partition of [0, 1]) {
    const log = await directory.openLog(logId(partition), logConfig())
    for (let at = 0; at < 3; at++) await append(world, log, batchOf(2))
    await drive(world.clock, log.whenDurable(4))
  }
  return { directory, world }
}

describe('the worst start since the last that was registered', () => {
  test('counts: power is lost, a start is killed before it is registered, and the next is class C still', async () => {
    const { world } = await registeredOnce()
    const second = await started(killed(world), 7, 'boot-2')
    expect(told(second.directory)).toBe('C machine-restarted')
    const third = await started(killed(second.world), 7, 'boot-2')
    expect(told(third.directory)).toBe('C start-unregistered')
    // A graceful end changes nothing of it.
    await third.directory.close()
    const fourth = await started(third.world, 7, 'boot-2')
    expect(told(fourth.directory)).toBe('C start-unregistered')
    await fourth.directory.registered(9)
    const fifth = await started(killed(fourth.world), 9, 'boot-2')
    expect(told(fifth.directory)).toBe('B process-died')
  })

  test('counts where the disk was empty', async () => {
    const first = await started(simWorld(), null)
    const second = await started(killed(first.world), null)
    expect(told(second.directory)).toBe('D start-unregistered')
    await second.directory.registered(3)
    expect(told((await started(killed(second.world), 3)).directory)).toBe('B process-died')
  })

  test('counts where damage told it, which the start has cut off', async () => {
    const { world } = await registeredOnce()
    const damaged = killed(world)
    const size = batchOf(2).length
    overwrite(damaged.disk, pathOf(0), size * 2 + 80)
    appendTo(damaged.disk, pathOf(0), batchOf(1))
    const second = await started(damaged, 7)
    await second.directory.openLog(logId(0), logConfig())
    expect(told(second.directory)).toBe('C unexpected-damage')
    const third = await started(killed(damaged), 7)
    await third.directory.openLog(logId(0), logConfig())
    expect(told(third.directory)).toBe('C start-unregistered')
  })

  test('does not make worse who was stopped and killed since, and lost nothing', async () => {
    const { directory, world } = await registeredOnce()
    await directory.close()
    const second = await started(world, 7)
    expect(told(second.directory)).toBe('A stopped-cleanly')
    const third = await started(killed(second.world), 7)
    expect(told(third.directory)).toBe('B process-died')
  })
})

test('what is damaged or missing is named, and begins anew when the cluster knows that it is lost', async () => {
  const { world, directory } = await registeredOnce()
  for (const partition of [0, 1]) {
    const log = await directory.openLog(logId(2 + partition), logConfig())
    await append(world, log, batchOf(1))
  }
  await directory.close()
  const next = worldOn(world.disk.clone(), world)
  overwrite(next.disk, pathOf(0), 80)
  next.disk.unlink('/data/clean.json')
  for (const name of next.disk.list(folderOf(1))) next.disk.unlink(`${folderOf(1)}/${name}`)
  next.disk.rmdir(folderOf(1))
  const again = await started(next, 7)
  expect(again.directory.damaged).toEqual([])
  await open(again, 0)
  await open(again, 1)
  await open(again, 2)
  expect(again.directory.damaged).toEqual([logId(0), logId(1)])
  await again.directory.registered(9)
  for (const partition of [0, 1]) {
    await again.directory.beginAnew(logId(partition))
    const log = await again.directory.openLog(logId(partition), logConfig())
    expect([log.offline, log.endOffset]).toEqual([null, 0])
    await append(next, log, batchOf(1))
  }
  expect(again.directory.damaged).toEqual([])
  // What was there is kept, and the new one is there for good.
  expect(again.directory.numbers().strayLogs).toBe(1)
  const last = await started(killed(next), 9)
  for (const partition of [0, 1]) {
    expect((await last.directory.openLog(logId(partition), logConfig())).endOffset).toBe(1)
  }
})

describe('the count of seconds', () => {
  test('goes on where it was, through stops and kills, and says only what is written', async () => {
    const { directory, world } = await started(simWorld(), null)
    expect([directory.beat.found, directory.beat.value]).toEqual([0, 0])
    directory.beat.start()
    expect(directory.beat.value).toBe(1)
    await world.clock.run(25_000)
    expect(directory.beat.value).toBe(6)
    const older = world.disk.clone()
    world.disk.failNext({ operation: 'write', pathPattern: /beat$/, code: 'ENOSPC' })
    await world.clock.run(5_000)
    expect(directory.beat.value).toBe(6)
    await world.clock.run(5_000)
    expect((await started(killed(world), 7)).directory.beat.found).toBe(7)
    expect((await started(worldOn(older, world), 7)).directory.beat.found).toBe(6)
  })

  test('is none where it is damaged', async () => {
    const { directory, world } = await started(simWorld(), null)
    directory.beat.start()
    for (const position of [3, 26, 30]) {
      const next = killed(world)
      overwrite(next.disk, '/data/beat', position)
      expect((await started(next, null)).directory.beat.found).toBe(0)
    }
  })
})

async function open({ directory }: { directory: LogDirectory }, partition: number): Promise<void> {
  await directory.openLog(logId(partition), logConfig()).catch((error: Error) => error.name)
}

function overwrite(disk: SimDisk, path: string, position: number): void {
  const file = disk.open(path, 'write')
  file.write(position, [utf8('?')])
  file.close()
}

function appendTo(disk: SimDisk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, 'write')
  file.write(file.size(), [bytes])
  file.close()
}

describe('a run whose logs all flush before they acknowledge', () => {
  const acking = logConfig({ flushPolicy: 'ack' })
  const afterPowerLoss = async (world: LogWorld, before: number) =>
    told((await started(killed(world), before, 'boot-9')).directory)

  async function ackingRun() {
    const { directory, world } = await started(simWorld(), null)
    const log = await directory.openLog(logId(0), acking)
    await directory.registered(7)
    return { directory, world, log }
  }

  test('lost nothing that was acknowledged when the machine died', async () => {
    const { world, log } = await ackingRun()
    await append(world, log, batchOf(2))
    expect(await afterPowerLoss(world, 7)).toBe('C-acked machine-restarted')
  })

  test.each([
    [
      'another log is opened that does not',
      (directory: LogDirectory) => directory.openLog(logId(1), logConfig()),
    ],
    ['its topic is told not to', (_: LogDirectory, log: Log) => log.configure(logConfig())],
  ])('is none when %s, and that is known before anything is acknowledged so', async (_, leave) => {
    const { directory, world, log } = await ackingRun()
    const left = leave(directory, log)
    expect(log.config.flushPolicy).toBe('ack')
    await drive(world.clock, Promise.resolve(left))
    await world.clock.run(10)
    expect(await afterPowerLoss(world, 7)).toBe('C machine-restarted')
    // It does not become one again.
    log.configure(acking)
    await directory.registered(8)
    expect(await afterPowerLoss(world, 8)).toBe('C machine-restarted')
  })

  test('is none where a log did not from the beginning', async () => {
    const { directory, world } = await started(simWorld(), null)
    await directory.openLog(logId(0), acking)
    await directory.openLog(logId(1), logConfig())
    await directory.registered(7)
    expect(await afterPowerLoss(world, 7)).toBe('C machine-restarted')
  })

  test('flushes what an earlier run left before it says so', async () => {
    const { world } = await registeredOnce()
    const second = await started(killed(world), 7)
    const log = await second.directory.openLog(logId(0), acking)
    await second.directory.openLog(logId(1), acking)
    await drive(world.clock, second.directory.registered(9))
    expect(log.durableOffset).toBe(log.endOffset)
    expect(await afterPowerLoss(second.world, 9)).toBe('C-acked machine-restarted')
  })

  test('acknowledges what is flushed as long as the note is not on the device', async () => {
    const { world, log } = await ackingRun()
    world.disk.failNext({ operation: 'write', pathPattern: /run\.json/, code: 'ENOSPC' })
    log.configure(logConfig({ retentionMs: 5 }))
    await world.clock.run(100)
    expect([log.config.flushPolicy, log.config.retentionMs]).toEqual(['ack', 5])
    expect(await afterPowerLoss(world, 7)).toBe('C-acked machine-restarted')
  })
})
