import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { run } from '../helpers/run.ts'
import { freePorts } from '../five-minutes/local-cluster.ts'

const root = join(import.meta.dirname, '../..')
const closesTerminal = join(root, 'test/helpers/closed-terminal.py')

/** How a broker, or some, ended whose terminal was closed when they had said `mark`. */
async function closeTerminalOf(mark: string, dataDir: string, ...words: string[]): Promise<string> {
  const port = await freePorts(2)
  const settings = [
    `listeners=PLAINTEXT://127.0.0.1:${port}`,
    'http.address=127.0.0.1:0',
    `log.dirs=${dataDir}`,
  ]
  const args = [...words, ...settings.flatMap(setting => ['--set', setting])]
  const broker = [process.execPath, join(root, 'src/broker/main.ts'), ...args]
  const { stdout } = await run('python3', [closesTerminal, mark, dataDir, ...broker])
  return stdout.trim()
}

function dataDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'logcluster-terminal-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('a broker whose terminal is closed stops in order', async () => {
  const dataDir = dataDirectory()
  expect(await closeTerminalOf('LogCluster listens', dataDir)).toBe('exit code 0')
  expect(existsSync(join(dataDir, 'clean.json'))).toBe(true)
}, 60_000)

test('so do several of one command, and none is killed in the middle of it', async () => {
  const dataDir = dataDirectory()
  expect(await closeTerminalOf('metadata  ', dataDir, '--brokers', '2')).toBe('exit code 0')
  const isClean = () => [0, 1].map(id => existsSync(join(dataDir, `${id}/clean.json`)))
  await eventually('all stopped', isClean, each => each.every(Boolean))
}, 90_000)
