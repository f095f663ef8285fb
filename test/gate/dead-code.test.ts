import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, type RunResult } from '../helpers/run.ts'

const root = join(import.meta.dirname, '../..')
const sources = ['src', 'sim', 'test', 'tools', 'bench', 'vitest.config.ts']
let checkout: string

// As `npm run check` sees it, with dead code in it.
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'logcluster-dead-'))
  for (const name of [...sources, 'package.json', 'knip.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(checkout, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  writeFileSync(join(checkout, 'src/broker/log/nobody.ts'), 'export const nobody = 1\n')
  appendFileSync(join(checkout, 'src/broker/log/log-id.ts'), 'export const never = 1\n')
  appendFileSync(join(checkout, 'src/broker/log/shortage.ts'), 'export const onlyTests = 1\n')
  const user = "import { onlyTests } from './shortage.ts'\nexpect(onlyTests).toBe(1)\n"
  appendFileSync(join(checkout, 'src/broker/log/log.test.ts'), user)
})
afterAll(() => rmSync(checkout, { recursive: true, force: true }))

function knip(...args: string[]): Promise<RunResult> {
  const script = join(root, 'node_modules/knip/bin/knip.js')
  return run(process.execPath, [script, '--no-progress', ...args], {
    cwd: checkout,
    anyStatus: true,
  })
}

test('a file and an export that nobody uses are found', async () => {
  const { stdout, status } = await knip()
  expect(stdout).toContain('src/broker/log/nobody.ts')
  expect(stdout).toMatch(/^never .*src\/broker\/log\/log-id\.ts/m)
  expect(stdout).not.toContain('onlyTests')
  expect(status).toBe(1)
})

test('an export that only tests use is found', async () => {
  const { stdout, status } = await knip('--production', '--exclude', 'types')
  expect(stdout).toMatch(/^onlyTests .*src\/broker\/log\/shortage\.ts/m)
  expect(status).toBe(1)
})

test('a tree in which nothing is seen fails', async () => {
  for (const name of sources) rmSync(join(checkout, name), { recursive: true })
  expect((await knip()).status).toBe(1)
  expect((await knip('--production', '--exclude', 'types')).status).toBe(1)
})
