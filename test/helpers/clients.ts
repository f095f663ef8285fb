import { join } from 'node:path'
import { describe, test } from 'vitest'
import { type ClientName, kitFolder, whyMissing } from '../../tools/clients.ts'
import { run, type RunOptions, type RunResult } from './run.ts'

export { java, kcat } from './programs.ts'

/**
 * A suite that needs a client which `npm test` fetches. Where that could not be had the suite is skipped and
 * its title says why; with `CI=true` it fails instead.
 */
export function describeWith(client: ClientName, title: string, suite: () => void): void {
  const why = whyMissing(client)
  if (why === null) return void describe(title, { timeout: timeoutMs }, suite)
  const missing = `${title}: no ${client}: ${why}`
  if (process.env['CI'] !== 'true') return void describe.skip(missing, suite)
  describe(title, () => {
    test(missing, () => {
      throw new Error(missing)
    })
  })
}

/** Of one test. Its programs have time-outs of their own; a Java one takes seconds only to start. */
const timeoutMs = 240_000

/** Prometheus's own checker. */
export function promtool(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(join(kitFolder('promtool'), 'usr/bin/promtool'), args, options)
}

/**
 * What `promtool check metrics` says of a scrape; '' for nothing. Two names of kafka_exporter end with `_sum`, which
 * promtool refuses and dashboards made for it need: they are kept from promtool.
 */
export async function checkMetrics(text: string): Promise<string> {
  const foreign = /kafka_consumergroup_(current_offset|lag)_sum/
  const input = text
    .split('\n')
    .filter(line => !foreign.test(line))
    .join('\n')
  const { stdout, stderr } = await promtool(['check', 'metrics'], { input })
  return stdout + stderr
}

/** A script of `test/clients/` with confluent-kafka on its path. */
export function python(
  script: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const env = { ...options.env, PYTHONPATH: kitFolder('confluent-kafka'), PYTHONUNBUFFERED: '1' }
  const path = join(import.meta.dirname, '..', 'clients', script)
  return run('python3', ['-B', path, ...args], { ...options, env })
}
