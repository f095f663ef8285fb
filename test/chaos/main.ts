import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { plantedVariable } from '../planted/patch.ts'
import { type ChaosResult, runChaos } from './run.ts'
import { Surroundings, whyNotEvery } from './surroundings.ts'

/**
 * `npm run qualify -- chaos`: clusters of three and five brokers, over a folder and over etcd, under every kind of fault, each
 * run with a seed of its own. Writes `docs/qualification/chaos-DATE.json`, and exits 1 where anything was violated or a run
 * could not come to its end. `--runs`, `--seconds`, `--seed` (of the first run) and `--out`; `--kinds a,b` does these only, and
 * `--bug NAME` plants one of test/planted, which has to be found.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '60' },
      seconds: { type: 'string', default: '120' },
      seed: { type: 'string', default: '1' },
      kinds: { type: 'string' },
      bug: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const why = await whyNotEvery()
  if (why !== null) {
    console.error(why)
    return 1
  }
  const startedAt = new Date()
  const runs: (ChaosResult | Failed)[] = []
  for (let seed = Number(values.seed); runs.length < Number(values.runs); seed++) {
    const kinds = values.kinds?.split(',') ?? null
    const run = await oneRun({ seed, seconds: Number(values.seconds), kinds, bug: values.bug })
    runs.push(run)
    console.log(told(run))
  }
  const report = { ...headOf(startedAt), ...sumOf(runs), runs }
  if (values.bug === undefined) {
    const path = values.out ?? join(folder, `chaos-${report.date.slice(0, 10)}.json`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`)
    console.log(`Written to ${path}`)
  }
  return report.violations + report.failedRuns === 0 ? 0 : 1
}

/** A run that did not come to its end. */
interface Failed {
  readonly seed: number
  readonly failure: string
}

interface Wish {
  readonly seed: number
  readonly seconds: number
  readonly kinds: readonly string[] | null
  readonly bug: string | undefined
}

const folder = join(import.meta.dirname, '../../docs/qualification')
const hooks = join(import.meta.dirname, '../planted/hooks.ts')

async function oneRun({ seed, seconds, kinds, bug }: Wish): Promise<ChaosResult | Failed> {
  const brokers = seed % 3 === 0 ? 5 : 3
  const planted =
    bug === undefined ? {} : { nodeArgs: ['--import', hooks], env: { [plantedVariable]: bug } }
  try {
    await using around = await Surroundings.make(brokers, seed % 2 === 0 ? 'etcd' : 'files')
    const all = Object.entries(around.faults)
    const chosen = kinds === null ? all : all.filter(([kind]) => kinds.includes(kind))
    return await runChaos({
      seed,
      brokers,
      seconds,
      faultsMin: 1,
      faults: Object.fromEntries(chosen),
      settings: around.settings,
      placeOf: id => ({ ...around.placeOf(id), ...planted }),
      progress: text => console.log(`  ${text}`),
    })
  } catch (error) {
    return { seed, failure: String(error) }
  }
}

function told(run: ChaosResult | Failed): string {
  if ('failure' in run) return `seed ${run.seed} failed: ${run.failure}`
  const { seed, brokers, faults, ackedRecords, longestWaitMs, violations } = run
  const found = violations.map(({ kind, text }) => `\n  ${kind}: ${text}`).join('')
  return `seed ${seed}: ${brokers} brokers, ${faults.length} faults, ${ackedRecords} acknowledged, longest wait ${longestWaitMs} ms, ${violations.length} violations${found}`
}

function headOf(startedAt: Date) {
  return {
    date: startedAt.toISOString(),
    commit: git('rev-parse', 'HEAD'),
    hasLocalChanges: git('status', '--porcelain', '--', 'src', 'native', 'test') !== '',
    cores: availableParallelism(),
    loadAtEnd: loadavg()[0]!,
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
  }
}

function sumOf(runs: readonly (ChaosResult | Failed)[]) {
  const ended = runs.filter((run): run is ChaosResult => !('failure' in run))
  const faults = ended.flatMap(run => run.faults)
  const kinds = Object.groupBy(faults, ({ kind }) => kind)
  return {
    failedRuns: runs.length - ended.length,
    violations: ended.reduce((sum, { violations }) => sum + violations.length, 0),
    ackedRecords: ended.reduce((sum, { ackedRecords }) => sum + ackedRecords, 0),
    acknowledgedCommits: ended.reduce((sum, run) => sum + run.acknowledgedCommits, 0),
    /** By kind: how often, and how long a record waited in milliseconds. */
    faults: Object.fromEntries(
      Object.entries(kinds).map(([kind, done = []]) => {
        const waits = done.map(({ longestWaitMs }) => longestWaitMs).toSorted((a, b) => a - b)
        return [kind, { count: waits.length, p50: waits[waits.length >> 1], max: waits.at(-1) }]
      }),
    ),
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
}

process.exitCode = await main()
