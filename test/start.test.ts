import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from './helpers/eventually.ts'

const root = join(import.meta.dirname, '..')

/** npm, its shell and the broker form a process group of their own, so that one signal reaches them all. */
test('npm start tells a person how to produce, to consume, and where the metrics are', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'logcluster-start-'))
  const free = ['listeners=PLAINTEXT://127.0.0.1:0', 'http.address=127.0.0.1:0']
  const settings = [...free, `log.dirs=${dataDir}`].flatMap(setting => ['--set', setting])
  const child = spawn('npm', ['start', '--', ...settings], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let hasEnded = false
  const closed = new Promise<void>(resolve => child.on('close', () => resolve()))
  void closed.then(() => (hasEnded = true))
  try {
    const hear = (chunk: Buffer): void => void (output += chunk.toString())
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    const said = (): string => {
      if (hasEnded) throw new Error(`npm start ended\n${output}`)
      return output
    }
    await eventually('the welcome', said, text => text.includes('/metrics | grep'))
    const port = /"listeners":\["127\.0\.0\.1:(\d+)"\]/.exec(output)![1]!
    expect(output).toMatch(new RegExp(`kcat .*127\\.0\\.0\\.1:${port}.* -P`))
    expect(output).toMatch(new RegExp(`kcat .*127\\.0\\.0\\.1:${port}.* -C`))
  } finally {
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGTERM')
    await closed
    rmSync(dataDir, { recursive: true, force: true })
  }
})
