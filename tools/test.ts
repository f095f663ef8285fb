import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureClients } from './clients.ts'
import { ensureTestRunner } from './librdkafka.ts'
import { everything, leaveOutVariable, leavesOutLong, longSuites } from './long-suites.ts'
import { countOf, type Count, type Report, skippedLines, summary } from './test-report.ts'

/**
 * `npm test`: the addon where there is a compiler, the test clients, in CI librdkafka's own test-runner, then
 * vitest; the last lines are what was left out or skipped, how to run it, and the total. Arguments go to vitest:
 * `npm test -- src/broker/log -t recovery`. Outside of CI the long suites are left out, unless a file or
 * `--everything` is named. Exits 1 where a test failed, where none ran, and in CI where one was skipped (a run on
 * the fallback skips what is about the addon).
 */
async function main(): Promise<number> {
  const inCi = process.env['CI'] === 'true'
  const built = await run(builder, inCi ? [] : ['--never-fail'])
  if (!existsSync(join(root, addon))) console.log(`No addon here: ${withoutAddon}`)
  // Minutes of compiling: elsewhere it is built by whoever asks for it.
  // node-rdkafka is compiled against the librdkafka that the test-runner brings: first that, then the clients.
  const noRunner = inCi ? await persistently(ensureTestRunner, why => why === null) : null
  const missing = inCi
    ? await persistently(
        () => ensureClients(),
        kits => kits.length === 0,
      )
    : ensureClients()
  for (const { name, why } of missing) console.log(`No ${name} here: ${why}`)
  if (noRunner !== null) console.log(`No librdkafka test-runner here: ${noRunner}`)
  const report = join(root, '.cache', `vitest-${process.pid}.json`)
  mkdirSync(join(root, '.cache'), { recursive: true })
  const args = process.argv.slice(2)
  const isShort = !inCi && leavesOutLong(args)
  if (isShort) process.env[leaveOutVariable] = 'true'
  const ofVitest = args.filter(arg => arg !== everything)
  const status = await run(vitest, ['run', ...reporters(report), ...ofVitest])
  const count = readCount(report)
  rmSync(report, { force: true })
  if (isShort) sayWhatWasLeftOut()
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

function sayWhatWasLeftOut(): void {
  console.log(`\nLeft out here, and run by CI: npm test -- ${everything}, or the file by name`)
  const width = Math.max(...longSuites.map(({ file }) => file.length))
  for (const { file, what } of longSuites) console.log(`  ${file.padEnd(width)}  ${what}`)
}

/** Prints what there is to say, the total last, and gives the exit status. */
function judge(count: Count, status: number, mustRunAll: boolean): number {
  if (count.skipped.length > 0) console.log('\nSkipped, for want of what is said with it:')
  for (const line of skippedLines(count.skipped)) console.log(`  ${line}`)
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
