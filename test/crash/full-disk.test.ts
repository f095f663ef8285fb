import * as fs from 'node:fs'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type TestBroker, withBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { batchOf } from '../helpers/logs.ts'
import { run } from '../helpers/run.ts'
import { BrokerClient } from '../helpers/broker-client.ts'

/** A broker on a small ext4 of its own, which is filled to the last byte. Needs root and a loop device. */
const folder = mkdtempSync(join(tmpdir(), 'logcluster-full-'))
const mountPoint = join(folder, 'mnt')
const dataDir = join(mountPoint, 'data')
const why = await mount()

const storageError = 56
const settings = { 'num.partitions': '1', 'offsets.topic.num.partitions': '1' }
const configs = {
  'segment.bytes': '1048576',
  'retention.bytes': '4194304',
  'file.delete.delay.ms': '1000',
}
const to = { topic: 'orders', partition: 0 }

test.skipIf(why !== null)(
  `a full disk: stop, kill and start go on, and retention makes room${why === null ? '' : ` (${why})`}`,
  async () => {
    try {
      await withBroker({ dataDir, settings }, lives)
    } finally {
      await run('umount', [mountPoint])
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

async function lives(broker: TestBroker): Promise<void> {
  const client = await BrokerClient.connect(broker.port)
  await client.createTopics([{ name: to.topic, partitions: 1, configs }])
  const batch = batchOf(10, { valueBytes: 50_000 })
  for (let at = 0; at < 40; at++)
    expect((await client.produce(to, batch.slice())).errorCode).toBe(0)
  await atRest(broker)
  fill('first')
  expect((await client.produce(to, batch.slice())).errorCode).toBe(storageError)

  await broker.kill()
  fill('first')
  await broker.start()
  expect(broker.output).toContain('The disk was full: made room for a start')
  const again = await BrokerClient.connect(broker.port)
  // Retention ran before anybody was served.
  const { offset: start } = await again.listOffset(to, -2)
  expect(start).toBeGreaterThan(0)
  const read = await again.fetch(to, start)
  expect(read.errorCode).toBe(0)
  const produced = async () => (await again.produce(to, batch.slice())).errorCode
  await eventually('a produce', produced, code => code === 0)
  const { offset: end } = await again.listOffset(to, -1)

  const retired = () => readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
  await eventually('retired files', retired, names => !names.some(it => it.endsWith('.deleted')))
  fill('second')
  await broker.stop()
  expect(existsSync(join(dataDir, 'failed.json'))).toBe(false)
  rmSync(join(dataDir, 'ballast'), { force: true })
  fill('third')
  await expect(broker.start()).rejects.toThrow()
  await broker.ended()
  expect(broker.output).toMatch(
    /The disk that holds the data directory .* is full: \d+ of \d+ bytes/,
  )

  for (const name of ['first', 'second', 'third']) rmSync(join(mountPoint, name), { force: true })
  await broker.start()
  const last = await BrokerClient.connect(broker.port)
  expect((await last.listOffset(to, -1)).offset).toBe(end)
  expect((await last.produce(to, batch.slice())).errorCode).toBe(0)

  await atRest(broker)
  fill('fourth')
  expect((await last.produce(to, batch.slice())).errorCode).toBe(storageError)
  // A deletion is written first, to a metadata log that has no more room than anybody.
  const { responses } = await last.deleteTopics([to.topic])
  expect(responses).toMatchObject([{ errorCode: 0 }])
  expect(broker.output).toContain('The disk is full: released the ballast')
  await last.createTopics([{ name: 'after', partitions: 1 }])
  const after = async () => (await last.produce({ ...to, topic: 'after' }, batch.slice())).errorCode
  await eventually('what the topic held is free', after, code => code === 0)
  await broker.stop()
}

/** The ballast is there, and no flush comes that may need it: what it gives up while the disk is being filled is taken too. */
async function atRest(broker: TestBroker): Promise<void> {
  const unflushed = () => broker.metric('logcluster_unflushed_bytes')
  await eventually('all flushed', unflushed, bytes => bytes === 0)
  await eventually('the ballast', () => existsSync(join(dataDir, 'ballast')))
}

/** Takes everything that is free, in ever smaller pieces. */
function fill(name: string): void {
  const fd = fs.openSync(join(mountPoint, name), 'a')
  for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1) {
    try {
      for (;;) fs.writeSync(fd, new Uint8Array(bytes))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  fs.closeSync(fd)
}

/** Null, or why there can be no such file system here. */
async function mount(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'not root'
  const image = join(folder, 'disk.img')
  mkdirSync(mountPoint)
  try {
    await run('truncate', ['-s', '192M', image])
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', image])
    await run('mount', ['-o', 'loop', image, mountPoint])
    mkdirSync(dataDir)
    return null
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1)!
  }
}
