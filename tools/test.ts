import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureClients, ensureShortClients } from './clients.ts'
import { ensureTestRunner } from './librdkafka.ts'
import { everything, leaveOutVariable, leavesOutLong, longSuites } from './long-suites.ts'
import { judge, runScript, runVitest } from './vitest-run.ts'

/**
 * `npm test`: the addon where there is a compiler, the test clients, in CI librdkafka's own test-runner, then
 * vitest; the last lines are what was left out or skipped, how to run it, and the total. Arguments go to vitest:
 * `npm test -- src/broker/log -t recovery`. Outside of CI the long suites are left out, unless a file or
 * `--everything` is named. Exits 1 where a test failed, where none ran, and in CI where one was skipped (a run on
 * the fallback skips what is about the addon).
 */
async function main(): Promise<number> {
  const inCi = process.env['CI'] === 'true'
  const args = process.argv.slice(2)
  const isShort = !inCi && leavesOutLong(args)
  const built = await runScript(builder, inCi ? [] : ['--never-fail'])
  if (!existsSync(join(root, addon))) console.log(`No addon here: ${withoutAddon}`)
  // Minutes of compiling: elsewhere it is built by whoever asks for it.
  // node-rdkafka is compiled against the librdkafka that the test-runner brings: first that, then the clients.
  const noRunner = inCi ? await persistently(ensureTestRunner, why => why === null) : null
  const ensure = isShort ? ensureShortClients : ensureClients
  const missing = inCi
    ? await persistently(
        () => ensure(),
        kits => kits.length === 0,
      )
    : ensure()
  for (const { name, why } of missing) console.log(`No ${name} here: ${why}`)
  if (noRunner !== null) console.log(`No librdkafka test-runner here: ${noRunner}`)
  if (isShort) process.env[leaveOutVariable] = 'true'
  const ofVitest = args.filter(arg => arg !== everything)
  const { count, status } = await runVitest(ofVitest)
  if (isShort) sayWhatWasLeftOut()
  return judge(count, built + status, inCi && process.env['LOGCLUSTER_NATIVE'] !== 'off')
}

const root = join(import.meta.dirname, '..')
const builder = 'tools/build-native.mjs'
const addon = 'native/build/logcluster.node'
const withoutAddon = 'its own suites are left out, the others run on the TypeScript fallback'

/** For what needs other machines, up to three times. */
async function persistently<Got>(fetch: () => Got, isAll: (got: Got) => boolean): Promise<Got> {
  for (let tries = 1; ; tries++) {
    const got = fetch()
    if (isAll(got) || tries === 3) return got
    await sleep(20_000)
  }
}

function sayWhatWasLeftOut(): void {
  console.log(`\nLeft out here, and run by CI: npm test -- ${everything}, or the file by name`)
  const width = Math.max(...longSuites.map(({ file }) => file.length))
  for (const { file, what } of longSuites) console.log(`  ${file.padEnd(width)}  ${what}`)
}

process.exitCode = await main()
