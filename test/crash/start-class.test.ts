import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { logLines } from '../faults/log-lines.ts'
import { type TestBroker, withBroker } from '../helpers/broker.ts'
import { batchOf } from '../helpers/logs.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { eventually } from '../helpers/eventually.ts'
import { MemoryCgroup, whyNoCgroup } from '../stress/memory-cgroup.ts'
import { LoopDisk } from './loop-disk.ts'
import { whyNoPowerLoss } from './power-loss.ts'

const orders = { topic: 'orders', partition: 0 }

/** How a running broker was started: what its log and its metric say, which must agree. */
async function startOf(broker: TestBroker): Promise<string> {
  const line = logLines(broker).findLast(({ msg }) => msg === 'Opened the data directory')!
  const { startClass, reason } = line as unknown as { startClass: string; reason: string }
  expect(line['detail']).toEqual(expect.any(String))
  const labels = `{class="${startClass}",reason="${reason}"}`
  const samples = (await broker.metrics()).match(/^logcluster_start_class_info.*$/gm)
  expect(samples).toEqual([`logcluster_start_class_info${labels} 1`])
  return `${startClass} ${reason}`
}

async function produce(broker: TestBroker, batches: number): Promise<number> {
  const client = await BrokerClient.connect(broker.port)
  for (let at = 0; at < batches; at++) {
    expect((await client.produce(orders, batchOf(10))).errorCode).toBe(0)
  }
  const { offset } = await client.listOffset(orders, -1)
  client.close()
  return offset
}

test('a stop is class A, a kill class B, and an older copy of the disk class C, whose records stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-class-'))
  const dataDir = join(folder, 'data')
  const older = join(folder, 'older')
  // As a volume that is restored while the cluster's metadata, elsewhere, is not.
  const settings = { 'metadata.log.dir': join(folder, 'metadata') }
  const epochOf = (name: string): number => {
    const { body } = JSON.parse(readFileSync(join(dataDir, name), 'utf8')) as {
      body: { brokerEpoch: number }
    }
    return body.brokerEpoch
  }
  try {
    mkdirSync(dataDir)
    await withBroker({ dataDir, settings }, async broker => {
      expect(await startOf(broker)).toBe('D empty')
      const first = epochOf('run.json')
      const client = await BrokerClient.connect(broker.port)
      await client.createTopics([{ name: orders.topic, partitions: 1 }])
      client.close()
      expect(await produce(broker, 3)).toBe(30)
      await broker.stop()
      expect(epochOf('clean.json')).toBe(first)
      cpSync(dataDir, older, { recursive: true })

      await broker.start()
      expect(await startOf(broker)).toBe('A stopped-cleanly')
      const second = epochOf('run.json')
      expect(second).toBeGreaterThan(first)
      expect(await produce(broker, 2)).toBe(50)
      await broker.kill()

      await broker.start()
      expect(await startOf(broker)).toBe('B process-died')
      expect(epochOf('run.json')).toBeGreaterThan(second)
      expect(await produce(broker, 1)).toBe(60)
      await broker.stop()

      rmSync(dataDir, { recursive: true })
      cpSync(older, dataDir, { recursive: true })
      await broker.start()
      expect(await startOf(broker)).toBe('C other-registration')
      expect(await produce(broker, 1)).toBe(40)
      await broker.stop()

      await broker.start()
      expect(await startOf(broker)).toBe('A stopped-cleanly')
      expect(await produce(broker, 1)).toBe(50)
      await broker.stop()
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

async function createOrders(broker: TestBroker): Promise<void> {
  const client = await BrokerClient.connect(broker.port)
  await client.createTopics([{ name: orders.topic, partitions: 1 }])
  client.close()
}

const noCgroup = whyNoCgroup()

test.skipIf(noCgroup !== null)(
  `a process that the kernel kills for memory is class B, and its records are there${because(noCgroup)}`,
  async () => {
    const cgroup = new MemoryCgroup(1 << 30)
    try {
      // It is the one who dies for what another takes.
      const wrapper = ['sh', '-c', 'echo 1000 > /proc/self/oom_score_adj && exec "$@"', 'sh']
      await withBroker({ wrapper: [...cgroup.wrapper, ...wrapper] }, async broker => {
        await createOrders(broker)
        expect(await produce(broker, 3)).toBe(30)
        const gone = broker.ended()
        const hog = spawn('python3', ['-c', hogSource, cgroup.path], { stdio: 'ignore' })
        const hogGone = new Promise(resolve => hog.once('close', resolve))
        await gone
        expect(cgroup.report().oomKills).toBeGreaterThan(0)
        hog.kill('SIGKILL')
        await hogGone
        await broker.start()
        expect(await startOf(broker)).toBe('B process-died')
        expect(await produce(broker, 1)).toBe(40)
        await broker.stop()
      })
    } finally {
      await eventually(
        'the cgroup is empty',
        () => removed(cgroup),
        it => it,
      )
    }
  },
)

/** Takes all memory that there is. */
const hogSource = `
import sys
open(sys.argv[1] + '/cgroup.procs', 'w').write('0')
held = []
while True:
    held.append(bytearray(b'x') * (1 << 24))
`

function removed(cgroup: MemoryCgroup): boolean {
  try {
    cgroup.remove()
    return true
  } catch {
    return false
  }
}

const noPowerLoss = await whyNoPowerLoss()

test.skipIf(noPowerLoss !== null)(
  `a machine that lost its power is class C, and keeps what had been flushed${because(noPowerLoss)}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'logcluster-class-'))
    const disk = await LoopDisk.make(folder)
    const boot = join(folder, 'boot-id')
    const dataDir = join(disk.mountPoint, 'data')
    // The kernel that starts next is another one, and nobody but the broker believes so.
    const mount = `mount --bind ${boot} /proc/sys/kernel/random/boot_id && exec "$@"`
    const wrapper = ['unshare', '-m', 'sh', '-c', mount, 'sh']
    const settings = { 'metadata.log.dir': join(folder, 'metadata') }
    try {
      writeFileSync(boot, 'boot-1')
      mkdirSync(dataDir)
      await withBroker({ dataDir, settings, wrapper }, async broker => {
        await createOrders(broker)
        expect(await produce(broker, 3)).toBe(30)
        await eventually(
          'all of it is flushed',
          () => broker.metric('logcluster_unflushed_bytes'),
          it => it === 0,
        )
        await disk.cutPower(2)
        await broker.kill()
        await disk.unmount()
        await disk.mount()
        writeFileSync(boot, 'boot-2')
        await broker.start()
        expect(await startOf(broker)).toBe('C machine-restarted')
        expect(await produce(broker, 1)).toBe(40)
        await broker.kill()
        await broker.start()
        expect(await startOf(broker)).toBe('B process-died')
        await broker.stop()
      })
    } finally {
      await disk[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

function because(reason: string | null): string {
  return reason === null ? '' : `: skipped, ${reason}`
}
