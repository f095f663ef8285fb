import { spawn, type StdioOptions } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { countOf, type Count, type Report, skippedLines, summary } from './test-report.ts'

const root = join(import.meta.dirname, '..')

/** Each has a report of its own: two may run at a time. */
let runs = 0

export interface VitestRun {
  readonly count: Count
  readonly status: number
}

/** Runs vitest once with these arguments; what its tests came to, and its exit status. `hear` gets what it says too. */
export async function runVitest(
  args: readonly string[],
  hear?: (said: string) => void,
): Promise<VitestRun> {
  const report = join(root, '.cache', `vitest-${process.pid}-${++runs}.json`)
  mkdirSync(join(root, '.cache'), { recursive: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const vitest = ['run', ...reporters, ...args]
  const status = await runScript('node_modules/vitest/vitest.mjs', vitest, hear)
  const count = readCount(report)
  rmSync(report, { force: true })
  return { count, status }
}

/** Runs a script by this same Node; its exit status. What it says is said here, and to `hear`. */
export function runScript(
  script: string,
  args: readonly string[],
  hear?: (said: string) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const stdio = hear === undefined ? 'inherit' : ['inherit', 'pipe', 'pipe']
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      stdio: stdio as StdioOptions,
    })
    child.stdout?.setEncoding('utf8').on('data', (said: string) => tell(process.stdout, said))
    child.stderr?.setEncoding('utf8').on('data', (said: string) => tell(process.stderr, said))
    child.on('error', reject)
    child.on('close', code => resolve(code ?? 1))

    function tell(to: NodeJS.WriteStream, said: string): void {
      to.write(said)
      hear?.(said)
    }
  })
}

/** A run that left no report has failed. */
function readCount(report: string): Count {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: [] }
  return countOf(JSON.parse(readFileSync(report, 'utf8')) as Report)
}

/** Prints what there is to say, the total last, and gives the exit status. */
export function judge(count: Count, status: number, mustRunAll: boolean): number {
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
