import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../helpers/run.ts'

const root = join(import.meta.dirname, '../..')

/** The last line that a CI script of these steps prints. */
async function closingLine(...steps: string[]): Promise<string> {
  const script = ['set -uo pipefail', 'source .ci/steps.sh', ...steps].join('\n')
  const { stdout } = await run('bash', ['-c', script], { cwd: root, anyStatus: true })
  return stdout.trimEnd().split('\n').at(-1)!
}

test('steps and suites are summed up', async () => {
  const suite =
    "suite b bash -c 'echo 9 passed, 9 failed; echo 7 passed, 2 failed, 1 skipped; exit 1'"
  expect(await closingLine('step a true', suite, 'step c false')).toBe('8 passed, 3 failed')
})

test.each([
  ['says nothing', 'true'],
  ['says nothing of a count', 'echo passed'],
  ['saw nothing', 'echo 0 passed, 0 failed'],
])('a suite that %s has failed', async (_, command) => {
  expect(await closingLine(`suite a ${command}`)).toBe('0 passed, 1 failed')
})

test('a suite that counts no failure and exits with one has failed', async () => {
  expect(await closingLine("suite a bash -c 'echo 5 passed, 0 failed; exit 1'")).toBe(
    '5 passed, 1 failed',
  )
})

test('what needs other machines is tried three times', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-again-'))
  const after = (times: number): string =>
    `again bash -c 'echo >> ${folder}/${times}; (($(wc -l < ${folder}/${times}) >= ${times}))'`
  const steps = [`step third ${after(3)}`, `step fourth ${after(4)}`]
  expect(await closingLine('AGAIN_AFTER=0', ...steps)).toBe('1 passed, 1 failed')
  rmSync(folder, { recursive: true })
})

test('a script that dies half way still says what it had, and that it failed', async () => {
  expect(await closingLine('step a true', 'exit 9')).toBe('1 passed, 1 failed')
})
