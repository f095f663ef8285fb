import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { testRunner } from '../../tools/librdkafka.ts'
import type { PlannedTest } from './plan.ts'

export interface Outcome {
  /**
   * `pass`: something ran and all of it passed. `nothing ran`: the runner was content, but has nothing under
   * this number that needs a broker of this kind.
   */
  readonly result: 'pass' | 'fail' | 'nothing ran'
  /** Names of what ran. */
  readonly names: readonly string[]
  /** What failed, or what was skipped and why; one line. */
  readonly remark: string
  readonly seconds: number
  /** All that the runner said. */
  readonly output: string
}

/** Runs one test against the brokers at `address`, in a process of its own that has these libraries loaded before others. */
export async function runTest(
  test: PlannedTest,
  address: string,
  preloaded: readonly string[] = [],
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'librdkafka-'))
  const began = performance.now()
  try {
    const conf = join(folder, 'test.conf')
    writeFileSync(conf, `bootstrap.servers=${address}\n`)
    const said = await runnerSaid(test, conf, preloaded)
    return { ...judge(said), seconds: (performance.now() - began) / 1000 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The longest quick test takes 65 s, with Apache Kafka too; 0113 in full takes minutes. */
const timeoutMsMax = { quick: 200_000, sockem: 200_000, full: 900_000 } as const

const modeFlags = { quick: ['-Q', '-E'], sockem: ['-Q'], full: ['-E'] } as const

/** The runner writes its files of statistics to where it is started, so that is a folder of its own. */
function runnerSaid(
  test: PlannedTest,
  conf: string,
  preloaded: readonly string[],
): Promise<string> {
  const { program, libraryPath } = testRunner()
  const mode = modeFlags[test.mode]
  const scenario = test.scenario === 'noautocreate' ? ['-s', test.scenario] : []
  const child = spawn(program, ['-p1', ...mode, '-L', '-V', '4.0.0', ...scenario], {
    cwd: dirname(conf),
    env: {
      PATH: process.env['PATH'],
      LD_LIBRARY_PATH: libraryPath,
      ...(preloaded.length === 0 ? {} : { LD_PRELOAD: preloaded.join(':') }),
      RDKAFKA_TEST_CONF: conf,
      // Where others use the machine too its patience is three times as long, and no assertion about a duration fails.
      CI: 'true',
      TESTS: test.number,
      ...(test.subtest === null ? {} : { SUBTESTS: `do_test_${test.subtest}` }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve, reject) => {
    const timeoutMs = timeoutMsMax[test.mode]
    const timer = setTimeout(() => {
      said += `\n### killed after ${timeoutMs} ms ###\n`
      child.kill('SIGKILL')
    }, timeoutMs)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      resolve(said)
    })
  })
}

/**
 * By the lines that it wrote, since the runner may crash at its end after all has passed, or in the middle
 * without a word; then its last lines tell most.
 */
export function judge(output: string): Omit<Outcome, 'seconds'> {
  const plain = stripVTControlCharacters(output)
  const names = [...new Set(captured(plain, /=+ Running test (\S+) =+/g))]
  const passed = new Set(captured(plain, /=+ Test (\S+) PASSED =+/g))
  const skipped = new Set(captured(plain, /=+ Test (\S+) SKIPPED =+/g))
  const isPassed =
    plain.includes('ALL TESTS PASSED') &&
    names.every(name => passed.has(name) || skipped.has(name)) &&
    !/=+ Test \S+ FAILED =+/.test(plain)
  if (!isPassed) return { result: 'fail', names, remark: whyFailed(plain), output }
  const isLeftOut = names.every(name => skipped.has(name))
  const result = didAnything(plain) && !isLeftOut ? 'pass' : 'nothing ran'
  return { result, names, remark: whySkipped(plain), output }
}

/** Much of what has no quick form passes without a word to the broker, which takes longer than this. */
const nothingMs = 1

function didAnything(plain: string): boolean {
  const tookMs = captured(plain, /\] \d{4}_\w+: duration ([\d.]+)ms/g)
  return tookMs.some(text => Number(text) > nothingMs)
}

function captured(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, group]) => group!)
}

function whyFailed(plain: string): string {
  const at = plain.search(/^### /m)
  const lines = (at >= 0 ? plain.slice(at) : plain.slice(-400)).split('\n')
  const why = at >= 0 ? lines.slice(0, 2) : lines.slice(-3)
  return oneLine(why.join(' '))
}

function whySkipped(plain: string): string {
  const reasons = [...plain.matchAll(/SKIPPING (?:TEST|SUBTEST)?:? ?(.*)/g)].map(([, why]) => why!)
  const told = new Set(reasons.filter(why => !why.includes('negative test flags')))
  return oneLine([...told].join('; '))
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 400)
}
