import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { run } from '../helpers/run.ts'
import { freePorts, LocalCluster } from './local-cluster.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logcluster-brokers-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a producer and a group go on while a broker is killed and another one stopped', async () => {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    timeoutMs: 280_000,
  })
  expect(stdout).toContain('topic orders: 4 partitions with 3 replicas')
  expect(stdout).toMatch(/^\d+ records acknowledged, 0 lost, 0 twice, 0 out of order$/m)
  expect(stdout).toContain('Ctrl-C stopped all three in order: exit code 0')
}, 300_000)

describe('--brokers', () => {
  test('keeps its passwords to this user', async () => {
    const port = await freePorts(1)
    const cluster = await LocalCluster.start({ count: 1, dataDir: folder, port })
    expect(await cluster.stop()).toBe(0)
    for (const user of ['broker', 'operator']) {
      const { mode, size } = statSync(join(folder, 'metadata/credentials', user))
      expect([mode & 0o777, size]).toEqual([0o600, 43])
    }
  })

  test('takes its brokers along when it is killed', async () => {
    const cluster = await LocalCluster.start({
      count: 2,
      dataDir: folder,
      port: await freePorts(2),
    })
    const pids = [0, 1].map(id => cluster.pidAtFirst(id))
    cluster.signal('SIGKILL')
    await cluster.ended()
    await eventually(
      'the brokers end',
      () => pids.filter(isRunning),
      left => left.length === 0,
    )
  })

  test('says which port is taken, and what to do', async () => {
    const port = await freePorts(3)
    const server = await listening(port + 2)
    try {
      const cluster = LocalCluster.launch({ count: 3, dataDir: folder, port })
      expect(await cluster.ended()).toBe(1)
      expect(cluster.output).toBe(
        `Broker 2 cannot listen at 127.0.0.1:${port + 2}: another process has it. End what listens there, or give ` +
          'the first broker another place (--set listeners=PLAINTEXT://127.0.0.1:PORT): the ports of the others ' +
          'follow it.\n',
      )
    } finally {
      server.close()
    }
  })

  test('refuses a number of brokers that cannot be, and settings that each has of its own', async () => {
    const main = join(import.meta.dirname, '../../src/cli/main.ts')
    const launch = (...args: string[]) =>
      run(process.execPath, [main, 'broker', ...args], { anyStatus: true })
    expect(await launch('--brokers', '12')).toMatchObject({
      status: 78,
      stderr: "--brokers takes a number from 1 to 9, and not '12'\n",
    })
    expect(await launch('--brokers=3', '--set', 'node.id=1')).toMatchObject({
      status: 64,
      stderr: '--brokers gives each broker its own node.id; leave it out\n',
    })
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function listening(port: number): Promise<Server> {
  const server = createServer()
  return new Promise(resolve => server.listen(port, '127.0.0.1', () => resolve(server)))
}
