import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { withBroker } from './helpers/broker.ts'
import { run, type RunResult } from './helpers/run.ts'

const root = join(import.meta.dirname, '..')
const main = join(root, 'src/cli/main.ts')
const tellsModules = [
  '--import',
  pathToFileURL(join(import.meta.dirname, 'helpers/told-modules.mjs')).href,
]

function logcluster(...args: string[]): Promise<RunResult> {
  return run(process.execPath, [main, ...args], { anyStatus: true })
}

/** Packages that a process told of, in the order in which it loaded them. */
function loaded(output: string): string[] {
  return [...output.matchAll(/^loads (.*)$/gm)].map(match => match[1]!)
}

describe('logcluster broker', () => {
  test('loads nothing of the operator', async () => {
    const options = { main, words: ['broker'], nodeArgs: tellsModules }
    await withBroker(options, async broker => {
      const packages = loaded(broker.output)
      expect(packages).toContain('pino')
      expect(packages).not.toContain('@kubernetes/client-node')
      expect(packages).not.toContain('zod')
      expect(packages).not.toContain('undici')
      await broker.stop()
    })
  })

  test('would be seen to load it', async () => {
    const code = "await import('zod'); await import('undici')"
    const args = [...tellsModules, '--input-type=module', '--eval', code]
    const { stderr } = await run(process.execPath, args, { cwd: root })
    expect(loaded(stderr)).toEqual(['zod', 'undici'])
  })

  test('refuses a setting as `npm start` does', async () => {
    const { status, stderr } = await logcluster(
      'broker',
      '--set',
      'log.dir=x',
      '--set',
      'lisners=y',
    )
    expect(status).toBe(78)
    expect(stderr).toContain('listeners')
  })
})

const noRoot = process.getuid!() === 0 ? '' : ' (left out: needs root)'

describe(`as process 1 of a container${noRoot}`, () => {
  test.skipIf(noRoot !== '' && process.env['CI'] !== 'true')(
    'a command that listens for no signal ends on SIGTERM',
    async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const command = [process.execPath, main, 'try', `127.0.0.1:${port}`, '--wait=9999']
      const outside = spawn('unshare', ['--pid', '--fork', '--kill-child', ...command])
      onTestFinished(() => {
        outside.kill('SIGKILL')
        server.close()
      })
      const ended = once(outside, 'exit')
      // From now on it waits for an answer that never comes.
      await once(server, 'connection')
      const children = `/proc/${outside.pid}/task/${outside.pid}/children`
      process.kill(Number(readFileSync(children, 'utf8')), 'SIGTERM')
      expect(await ended).toEqual([143, null])
    },
  )
})

describe('logcluster check', () => {
  test('says that a broker could start, and leaves its data directory alone', async () => {
    const folder = join(tmpdir(), `logcluster-check-${process.pid}`)
    const { status, stdout } = await logcluster('check', '--set', `log.dirs=${folder}`)
    expect(status).toBe(0)
    expect(stdout).toContain('The configuration can be used.')
    expect(existsSync(folder)).toBe(false)
  })

  test('ends as the broker would', async () => {
    const { status, stderr } = await logcluster('check', '--set', 'log.retention.hors=1')
    expect(status).toBe(78)
    expect(stderr).toContain('log.retention.hours')
  })
})

test('logcluster check knows several brokers of one command', async () => {
  expect((await logcluster('check', '--brokers', '3')).status).toBe(0)
  const { status, stderr } = await logcluster('check', '--brokers=3', '--set', 'node.id=1')
  expect([status, stderr]).toEqual([
    64,
    '--brokers gives each broker its own node.id; leave it out\n',
  ])
})

test('logcluster status tells apart what it did not understand and whom it could not ask', async () => {
  expect((await logcluster('status', 'localhost')).status).toBe(64)
  expect((await logcluster('status', '127.0.0.1:1')).status).toBe(69)
})

describe('logcluster try', () => {
  test('produces, consumes, and leaves no topic behind', async () => {
    await withBroker({}, async broker => {
      const { status, stdout } = await logcluster('try', broker.address)
      expect(status).toBe(0)
      expect(stdout).toMatch(
        new RegExp(
          `^${broker.address}: 100 records produced in [0-9.]+ ms, consumed in [0-9.]+ ms\n$`,
        ),
      )
      expect(await broker.metric('logcluster_requests_total', 'api="Produce"')).toBe(1)
      expect(await broker.metric('logcluster_requests_total', 'api="Fetch"')).toBe(1)
      const folders = readdirSync(broker.dataDir).filter(name => name.includes('logcluster-try'))
      expect(folders.filter(name => !name.endsWith('.deleted'))).toEqual([])
    })
  })

  test('says what failed where nobody listens', async () => {
    const { status, stdout, stderr } = await logcluster('try', '127.0.0.1:1', '--wait=0')
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^127\.0\.0\.1:1: cannot connect to 127\.0\.0\.1:1: /)
  })

  test.each([
    [[], 'needs one address'],
    [['a:1', 'b:2'], 'needs one address'],
    [['localhost'], 'is not host:port'],
    [['a:1', '--wait', 'x'], '--wait=x is no option'],
    [['a:1', '--wiat=1'], '--wiat=1 is no option: there is --wait=SECONDS'],
  ])('with %j tells how it is asked', async (args, problem) => {
    const { status, stderr } = await logcluster('try', ...args)
    expect(status).toBe(64)
    expect(stderr).toContain(problem)
  })
})

test('logcluster import waits for a document that comes by a pipe without blocking', async () => {
  // Both ends of a pipe of a shell's pipeline share their flags with nobody; Python sets them as some terminals and parents do.
  const script = [
    'import os, subprocess, sys, time',
    'reader, writer = os.pipe()',
    'os.set_blocking(reader, False)',
    'child = subprocess.Popen(sys.argv[1:], stdin=reader)',
    'time.sleep(1)',
    "os.write(writer, b'[]')",
    'os.close(writer)',
    'sys.exit(child.wait())',
  ].join('\n')
  const command = ['-c', script, process.execPath, main, 'import', '-', '127.0.0.1:1']
  const { status, stderr } = await run('python3', command, { anyStatus: true })
  expect([status, stderr]).toEqual([
    1,
    '-: It has no version, and this program reads logcluster.dev/export-v1.\n',
  ])
})
