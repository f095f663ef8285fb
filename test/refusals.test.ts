import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { check } from '../src/broker/check.ts'

const root = join(import.meta.dirname, '..')

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logcluster-refusals-'))
  file = join(folder, 'termination-log')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Told {
  readonly reason: string
  readonly message: string
}

function told(): Told {
  const text = readFileSync(file, 'utf8')
  expect(text.trimEnd().split('\n')).toHaveLength(1)
  return JSON.parse(text) as Told
}

function argsOf(settings: Readonly<Record<string, string>>): string[] {
  const all = {
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'http.address': '',
    'log.dirs': join(folder, 'data'),
    'termination.log.file': file,
    ...settings,
  }
  return Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`])
}

/** The exit code of a broker that is started so. */
function started(settings: Readonly<Record<string, string>>): Promise<number | null> {
  const main = join(root, 'src/broker/main.ts')
  const child = spawn(process.execPath, [main, ...argsOf(settings)], {
    cwd: root,
    stdio: 'ignore',
  })
  return new Promise(resolve => child.on('close', resolve))
}

async function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}

describe('a broker that refuses to start says why in the termination log', () => {
  test('a configuration that is wrong, all of it', async () => {
    expect(await started({ 'num.partition': '1', 'http.address': 'nowhere' })).toBe(78)
    const { reason, message } = told()
    expect(reason).toBe('ConfigurationInvalid')
    expect(message).toContain('did you mean num.partitions?')
    expect(message).toContain('--set: there is no setting num.partition')
  })

  test('a private listener where nobody could log in', async () => {
    expect(await started({ 'private.listener': '127.0.0.1:0' })).toBe(78)
    expect(told().message).toContain('private.credentials.dir')
  })

  test.each(['listeners', 'http.address', 'private.listener'])(
    'an address in use, by %s',
    async setting => {
      const { server, port } = await listening()
      const address = `127.0.0.1:${port}`
      const value = setting === 'listeners' ? `PLAINTEXT://${address}` : address
      expect(await started({ 'private.credentials.dir': folder, [setting]: value })).toBe(1)
      server.close()
      expect(told()).toMatchObject({
        reason: 'AddressInUse',
        message: expect.stringContaining(String(port)) as string,
      })
    },
  )

  test('a data directory of somebody else', async () => {
    const data = join(folder, 'data')
    mkdirSync(data)
    writeFileSync(join(data, 'meta.properties'), 'version=1\ncluster.id=x\nnode.id=7\n')
    expect(await started({})).toBe(1)
    expect(told().reason).toMatch(/^(?:DataDirectory|MetadataStore)[A-Z]/)
  })

  test('a log that cannot be written is no reason to hide the exit code', async () => {
    const unwritable = join(folder, 'none', 'log')
    expect(await started({ 'termination.log.file': unwritable, 'num.partitions': '0' })).toBe(78)
  })
})

test('a broker that waits for the metadata store lives, and a signal ends it without a refusal', async () => {
  for (const name of ['token', 'ca']) writeFileSync(join(folder, name), '')
  const main = join(root, 'src/broker/main.ts')
  const settings = {
    'private.listener': '127.0.0.1:0',
    'private.credentials.dir': folder,
    'metadata.store': 'kubernetes',
    'cluster.id': '8Jb3kPz1QmSx5rT0vW2yAg',
    'kubernetes.namespace': 'streaming',
    'kubernetes.cluster.name': 'orders',
    'kubernetes.api.url': 'https://127.0.0.1:1',
    'kubernetes.token.file': join(folder, 'token'),
    'kubernetes.ca.file': join(folder, 'ca'),
  }
  const child = spawn(process.execPath, [main, ...argsOf(settings)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('"msg":"Listening"')) child.kill('SIGTERM')
  }
  expect(await ended).toBe(0)
  expect(() => readFileSync(file)).toThrow('ENOENT')
})

describe('a disk that failed in an earlier run', () => {
  let http: string

  beforeEach(async () => {
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data/failed.json'), '{}')
    const { server, port } = await listening()
    await new Promise(closed => server.close(closed))
    http = `127.0.0.1:${port}`
  })

  test('is told to whoever reads the termination log, at once', async () => {
    expect(await started({ 'http.address': http })).toBe(1)
    expect(told().reason).toBe('DataDirectoryFailed')
  })

  test('is told by metrics and probes where nobody reads one, until a signal ends it', async () => {
    const main = join(root, 'src/broker/main.ts')
    const args = argsOf({ 'http.address': http, 'termination.log.file': '' })
    const child = spawn(process.execPath, [main, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = new Promise<number | null>(resolve => child.on('close', resolve))
    const seen: unknown[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes('The disk failed')) continue
      const metrics = await fetch(`http://${http}/metrics`)
      seen.push(/^logcluster_storage_failed .*$/m.exec(await metrics.text())?.[0])
      for (const path of ['healthz', 'readyz']) {
        const { status, json } = await probed(path)
        seen.push(status, json.reason)
      }
      child.kill('SIGTERM')
    }
    const reason = expect.stringContaining('failed in an earlier run') as unknown
    expect(seen).toEqual(['logcluster_storage_failed 1', 503, reason, 503, reason])
    expect(await ended).toBe(0)
  })

  async function probed(path: string): Promise<{ status: number; json: { reason: string } }> {
    const answer = await fetch(`http://${http}/${path}`)
    return { status: answer.status, json: (await answer.json()) as { reason: string } }
  }
})

describe('check', () => {
  beforeEach(() => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    vi.spyOn(console, 'error').mockImplementation(() => {})
  })

  afterEach(() => vi.restoreAllMocks())

  test('finds nothing where a broker would start, and leaves nothing behind', () => {
    expect(check(argsOf({}))).toBe(0)
    expect(() => readFileSync(file)).toThrow('ENOENT')
    expect(() => readFileSync(join(folder, 'data'))).toThrow('ENOENT')
    expect(vi.mocked(console.log).mock.calls.flat().join(' ')).toMatch(/Data path: \w+/)
  })

  test('tells what a broker would refuse, by its exit code', () => {
    expect(check(argsOf({ 'log.segment.byte': '1' }))).toBe(78)
    expect(told().reason).toBe('ConfigurationInvalid')
    expect(vi.mocked(console.error)).toHaveBeenCalledWith(
      expect.stringContaining('did you mean log.segment.bytes?'),
    )
  })

  test('prints help as a broker does', () => {
    expect(check(['--help'])).toBe(0)
    expect(vi.mocked(console.log)).toHaveBeenCalledWith(expect.stringContaining('Settings:'))
  })
})
