import { expect, test } from 'vitest'
import { drive } from '../../../../test/helpers/drive.ts'
import { cleaned, compactedConfig, fill, recordsOf } from '../../../../test/helpers/keyed-log.ts'
import { logId, openDirectory, simWorld, worldOn } from '../../../../test/helpers/logs.ts'
import type { SimDisk } from '../../../../sim/disk.ts'
import type { SimOperation } from '../../../../sim/disk-faults.ts'
import { logDirectoryName } from '../log-id.ts'

const folder = `/data/${logDirectoryName(logId())}`

/** The disks before each operation of a cleaning that `isIt`, what the log held before it, and what after. */
async function disksBefore(isIt: (operation: SimOperation) => boolean) {
  const world = simWorld()
  const directory = await drive(world.clock, openDirectory(world))
  const log = await drive(world.clock, directory.openLog(logId(), compactedConfig()))
  // Cleaned once, its segments are small: in the next run several become one.
  await fill(world, log)
  await cleaned(world, directory)
  await fill(world, log, { count: 12 })
  const before = await recordsOf(log)
  const disks: SimDisk[] = []
  world.disk.onOperation(operation => {
    if (isIt(operation)) disks.push(world.disk.clone())
  })
  await cleaned(world, directory, 2)
  world.disk.onOperation(null)
  return { world, disks, before, after: await recordsOf(log) }
}

async function opened(disk: SimDisk, world: Awaited<ReturnType<typeof disksBefore>>['world']) {
  const next = worldOn(disk.crashProcess(), world)
  const directory = await drive(next.clock, openDirectory(next))
  const log = await drive(next.clock, directory.openLog(logId(), compactedConfig()))
  return { log, names: next.disk.list(folder) }
}

const latest = (records: Awaited<ReturnType<typeof recordsOf>>) =>
  new Map(records.map(([offset, key, value]) => [key, [offset, value]]))

test('a segment that was being written goes, and nothing else', async () => {
  const isSync = ({ name, path }: SimOperation) => name === 'sync' && path.endsWith('.cleaned')
  const { world, disks, before } = await disksBefore(isSync)
  expect(disks[0]!.list(folder).filter(name => name.endsWith('.cleaned'))).toHaveLength(1)
  const { log, names } = await opened(disks[0]!, world)
  expect(names.filter(name => /cleaned|swap/.test(name))).toEqual([])
  expect(await recordsOf(log)).toEqual(before)
})

test('a segment that had its name takes its place, and what it was made of goes', async () => {
  const isLast = ({ name, path }: SimOperation) => name === 'rename' && path.endsWith('.swap')
  const { world, disks, before } = await disksBefore(isLast)
  for (const disk of disks) {
    const [swap] = disk.list(folder).filter(name => name.endsWith('.swap'))
    const [from, to] = [Number(swap!.slice(0, 20)), Number(swap!.slice(21, 41))]
    const { log, names } = await opened(disk, world)
    const bases = names.filter(name => name.endsWith('.log')).map(name => Number.parseInt(name, 10))
    expect(bases.filter(base => base > from && base < to)).toEqual([])
    expect(bases).toContain(from)
    expect(names.filter(name => /cleaned|swap/.test(name))).toEqual([])
    expect(latest(await recordsOf(log))).toEqual(latest(before))
    expect(log.offline).toBe(null)
  }
})

test('with all that it was made of still there it takes its place too', async () => {
  // The first that happens after the name: what lies beside it is as it was.
  const isFirst = ({ name, path }: SimOperation) =>
    name === 'rename' && path.endsWith('.log') && path.startsWith(folder)
  const { world, disks, before } = await disksBefore(isFirst)
  const [disk] = disks
  const [swap] = disk!.list(folder).filter(name => name.endsWith('.swap'))
  const { log, names } = await opened(disk!, world)
  const to = Number(swap!.slice(21, 41))
  const bases = names.filter(name => name.endsWith('.log')).map(name => Number.parseInt(name, 10))
  expect(bases.filter(base => base > Number(swap!.slice(0, 20)) && base < to)).toEqual([])
  const after = await recordsOf(log)
  expect(after.length).toBeLessThan(before.length)
  expect(latest(after)).toEqual(latest(before))
})

test('one that is damaged leaves the log out of service, and everything where it is', async () => {
  const isLast = ({ name, path }: SimOperation) => name === 'rename' && path.endsWith('.swap')
  const { world, disks } = await disksBefore(isLast)
  const disk = disks.find(each => each.list(folder).some(name => name.endsWith('.swap')))!
  const [name] = disk.list(folder).filter(each => each.endsWith('.swap'))
  const file = disk.open(`${folder}/${name}`, 'write')
  file.write(70, [Uint8Array.of(0x55)])
  file.close()
  const logs = disk.list(folder).filter(each => each.endsWith('.log') || each.endsWith('.swap'))
  const { log, names } = await opened(disk, world)
  expect(log.offline).toMatch(/which the log cleaner left .* is damaged at byte \d+/)
  expect(names.filter(each => each.endsWith('.log') || each.endsWith('.swap'))).toEqual(logs)
})
