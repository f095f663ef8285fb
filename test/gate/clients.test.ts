import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, type RunResult } from '../helpers/run.ts'

const root = join(import.meta.dirname, '../..')
let checkout: string

// A checkout on a machine that has nothing: no apt, no Python, no Java.
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'logcluster-clients-'))
  const tools = ['tools/clients.ts', 'tools/node-rdkafka.ts']
  for (const name of ['package.json', ...tools, 'test/scenarios/drivers/go']) {
    cpSync(join(root, name), join(checkout, name), { recursive: true })
  }
})
afterAll(() => rmSync(checkout, { recursive: true, force: true }))

function fetchClients(CI: string): Promise<RunResult> {
  const env = { PATH: checkout, CI }
  return run(process.execPath, [join(checkout, 'tools/clients.ts')], { env, anyStatus: true })
}

test('clients that cannot be had are named, each with the reason', async () => {
  const { stdout, status } = await fetchClients('')
  expect(status).toBe(0)
  expect(stdout).toMatch(/No kcat: needs apt-get and dpkg/)
  expect(stdout).toMatch(/No confluent-kafka: python3 not found/)
  expect(stdout).toMatch(/No java: java and mvn not found/)
})

test('in CI that is a failure', async () => {
  expect((await fetchClients('true')).status).toBe(1)
})
