import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureClients } from './clients.ts'
import { ensureTestRunner } from './librdkafka.ts'
import { countOf, type Count, type Report, summary } from './test-report.ts'

/**
 * `npm test`: the addon where there is a compiler, the test clients, in CI librdkafka's own test-runner, then
 * vitest; the last line is the total. Arguments go to vitest: `npm test -- src/broker/log -t recovery`. Exits 1
 * where a test failed, where none ran, and in CI where one was skipped (a run on the fallback skips what is about
 * the addon).
 */
async function main(): Promise<number> {
  const inCi = process.env['CI'] === 'true'
  const built = await run(builder, inCi ? [] : ['--never-fail'])
  if (!existsSync(join(root, addon))) console.log(`No addon here: ${withoutAddon}`)
  // Minutes of compiling: elsewhere it is built by whoever asks for it.
  // node-rdkafka is compiled against the librdkafka that the test-runner brings: first that, then the clients.
  const noRunner = inCi ? await persistently(ensureTestRunner, why => why === null) : null
  const missing = inCi
    ? await persistently(ensureClients, kits => kits.length === 0)
    : ensureClients()
  for (const { name, why } of missing) console.log(`No ${name} here: ${why}`)
  if (noRunner !== null) console.log(`No librdkafka test-runner here: ${noRunner}`)
  const report = join(root, '.cache', `vitest-${process.pid}.json`)
  mkdirSync(join(root, '.cache'), { recursive: true })
  const status = await run(vitest, ['run', ...reporters(report), ...process.argv.slice(2)])
  const count = readCount(report)
  rmSync(report, { force: true })
  return judge(count, built + status, inCi && process.env['LOGCLUSTER_NATIVE'] !== 'off')
}

const root = join(import.meta.dirname, '..')
const builder = 'tools/build-native.mjs'
const addon = 'native/build/logcluster.node'
const vitest = 'node_modules/vitest/vitest.mjs'
const withoutAddon = 'its own suites are left out, the others run on the TypeScript fallback'

/** For what needs other machines, up to three times. */
async function persistently<Got>(fetch: () => Got, isAll: (got: Got) => boolean): Promise<Got> {
  for (let tries = 1; ; tries++) {
    const got = fetch()
    if (isAll(got) || tries === 3) return got
    await sleep(20_000)
  }
}

/** Runs a script by this same Node; its exit status. */
function run(script: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', code => resolve(code ?? 1))
  })
}

function reporters(report: string): string[] {
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
}

/** A run that left no report has failed. */
function readCount(report: string): Count {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: [] }
  return countOf(JSON.parse(readFileSync(report, 'utf8')) as Report)
}

/** Prints what there is to say, the total last, and gives the exit status. */
function judge(count: Count, status: number, mustRunAll: boolean): number {
  for (const name of count.skipped) console.log(`Skipped: ${name}`)
  const notSkippable = mustRunAll ? count.skipped.length : 0
  if (notSkippable > 0) console.log('Nothing may be skipped in CI: skipped tests count as failed')
  let failed = count.failed + notSkippable
  if (failed === 0 && count.passed === 0) {
    console.log('No test ran')
    failed = 1
  } else if (failed === 0 && status !== 0) {
    console.log('No test failed, but the run did: an error outside of tests, or the addon')
    failed = 1
  }
  const skipped = count.skipped.length - notSkippable
  console.log(summary({ passed: count.passed, failed, skipped }))
  return failed > 0 ? 1 : 0
}

process.exitCode = await main()
