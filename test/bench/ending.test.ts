import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../helpers/eventually.ts'

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('after %s nothing is left of what a comparison started', async (signal, status) => {
  const driver = spawn(process.execPath, [join(import.meta.dirname, 'ending-driver.ts')])
  const exited = new Promise(resolve => driver.once('exit', resolve))
  const said = await new Promise<Buffer>(resolve => driver.stdout.once('data', resolve))
  const { folder, pids } = JSON.parse(String(said)) as { folder: string; pids: number[] }
  expect([existsSync(folder), ...pids.map(isRunning)]).toEqual([true, true, true])

  try {
    driver.kill(signal)
    expect(await exited).toBe(status)
    expect(existsSync(folder)).toBe(false)
    await eventually(
      'processes left',
      () => pids.filter(isRunning),
      left => left.length === 0,
    )
  } finally {
    for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGKILL')
  }
})

/** A zombie is not: whoever inherits it buries it when it likes. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
