import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCleanerPoints, type CleanerPointsResult } from '../crash/cleaner-points.ts'
import { runCrashPoints, type CrashPointsResult } from '../crash/crash-points.ts'
import { plantedBugNames, type PlantedBugName } from '../crash/planted-bugs.ts'
import { onSlowDisk, runKillTest, type KillTestResult } from './kill.ts'
import { runPowerLoss, whyNoPowerLoss, type PowerLossResult } from '../crash/power-loss.ts'

/**
 * `npm run qualify -- faults`: the fault tests at the counts that the README claims, about ten minutes on two cores. Writes
 * `docs/qualification/DATE.json` and prints a summary; exits 1 where anything was violated or a planted bug was
 * not found. `--kills`, `--points` and `--cuts` change the counts, `--seed` the runs, `--out` the file.
 */
async function main(): Promise<number> {
  const counts = readCounts()
  const startedAt = new Date()
  const kill = await step('kill test', () => {
    return runKillTest({ kills: counts.kills, seed: counts.seed, progress: every(20) })
  })
  const killOnSlowDisk = await step('kill test on a slow disk', () => {
    const kills = Math.ceil(counts.kills / 4)
    return runKillTest({ kills, seed: counts.seed, progress: every(20), broker: onSlowDisk })
  })
  const crashPoints = await step('crash points', () => {
    return runCrashPoints({ count: counts.points, seed: counts.seed })
  })
  const cleanerPoints = await step('crash points of the log cleaner', () => {
    return runCleanerPoints({ count: counts.points, seed: counts.seed })
  })
  const plantedBugs = await step('planted bugs', () => findBugs(counts.seed))
  const powerLoss = await step('power loss', () => cutPower(counts))
  const report: Qualification = {
    date: startedAt.toISOString(),
    commit: git('rev-parse', 'HEAD'),
    hasLocalChanges: git('status', '--porcelain', '--', 'src', 'native', 'test', 'sim') !== '',
    machine: machine(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    kill,
    killOnSlowDisk,
    crashPoints: { ...crashPoints, violations: crashPoints.violations.slice(0, 50) },
    cleanerPoints: { ...cleanerPoints, violations: cleanerPoints.violations.slice(0, 50) },
    plantedBugs,
    powerLoss,
  }
  const path = counts.out ?? join(folder, `${report.date.slice(0, 10)}.json`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`)
  const failures = failuresOf(report)
  print(report, failures)
  console.log(`Written to ${path}`)
  return failures.length === 0 ? 0 : 1
}

interface Qualification {
  readonly date: string
  readonly commit: string
  /** Sources differed from the commit. */
  readonly hasLocalChanges: boolean
  readonly machine: Readonly<Record<string, string | number>>
  readonly seconds: number
  readonly kill: KillTestResult
  /** Where threads do most of the writes. */
  readonly killOnSlowDisk: KillTestResult
  readonly crashPoints: CrashPointsResult
  /** While a compacted log is cleaned. */
  readonly cleanerPoints: CleanerPointsResult
  readonly plantedBugs: readonly FoundBug[]
  /** Or why there was none. */
  readonly powerLoss: PowerLossResult | { readonly skipped: string }
}

interface FoundBug {
  readonly bug: PlantedBugName
  readonly isFound: boolean
  /** Crash points visited until it was found. */
  readonly crashPoints: number
}

interface Counts {
  readonly kills: number
  readonly points: number
  readonly cuts: number
  readonly seed: number
  readonly out: string | null
}

const folder = join(import.meta.dirname, '../../docs/qualification')

function readCounts(): Counts {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      points: { type: 'string', default: '10000' },
      cuts: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  })
  return {
    kills: Number(values.kills),
    points: Number(values.points),
    cuts: Number(values.cuts),
    seed: Number(values.seed),
    out: values.out ?? null,
  }
}

async function step<T>(name: string, act: () => Promise<T>): Promise<T> {
  const began = Date.now()
  console.log(`${name} ...`)
  const result = await act()
  console.log(`${name}: ${Math.round((Date.now() - began) / 1000)} s`)
  return result
}

/** Every so many reports, one is printed. */
function every(count: number): (text: string) => void {
  let heard = 0
  return text => {
    heard++
    if (heard % count === 0) console.log(`  ${text}`)
  }
}

/** Each bug is planted by itself, and must make the crash points fail. */
async function findBugs(seed: number): Promise<FoundBug[]> {
  const found: FoundBug[] = []
  for (const bug of plantedBugNames) {
    const options = { count: 2000, seed: seed + 1, bug, bail: true }
    const { violations, crashPoints } = await runCrashPoints(options)
    found.push({ bug, isFound: violations.length > 0, crashPoints })
  }
  return found
}

async function cutPower({ cuts, seed }: Counts): Promise<Qualification['powerLoss']> {
  const why = await whyNoPowerLoss()
  if (why !== null) return { skipped: why }
  return runPowerLoss({ cycles: cuts, seed, progress: every(2) })
}

function machine(): Qualification['machine'] {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  }
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

function failuresOf(report: Qualification): string[] {
  const { kill, killOnSlowDisk, crashPoints, cleanerPoints, plantedBugs, powerLoss } = report
  const killed = [...kill.violations, ...killOnSlowDisk.violations]
  return [
    ...killed.map(({ kind, text }) => `kill test: ${kind}: ${text}`),
    ...crashPoints.violations.map(violation => `crash points: ${JSON.stringify(violation)}`),
    ...cleanerPoints.violations.map(violation => `crash points of the log cleaner: ${violation}`),
    ...plantedBugs.flatMap(({ bug, isFound }) => (isFound ? [] : [`${bug} was not found`])),
    ...('violations' in powerLoss ? powerLoss.violations.map(text => `power loss: ${text}`) : []),
  ]
}

function print(report: Qualification, failures: readonly string[]): void {
  const { kill, killOnSlowDisk, crashPoints, cleanerPoints, plantedBugs, powerLoss } = report
  const { backMs } = kill
  const found = plantedBugs.filter(({ isFound }) => isFound).length
  const lines = [
    `kill test: ${kill.kills} kills, ${kill.ackedRecords} acknowledged records, ${kill.violationCount} violations; back in ${backMs.p50} ms (p50), ${backMs.p99} ms (p99)`,
    `kill test on a slow disk: ${killOnSlowDisk.kills} kills, ${killOnSlowDisk.ackedRecords} acknowledged records, ${killOnSlowDisk.threadWrites} writes by threads, ${killOnSlowDisk.violationCount} violations`,
    `crash points: ${crashPoints.crashPoints} (${crashPoints.duringThreadWrites} while a thread wrote), recovered ${crashPoints.processCrashes + crashPoints.machineCrashes} times, ${crashPoints.violations.length} violations`,
    `crash points of the log cleaner: ${cleanerPoints.crashPoints} (${cleanerPoints.swapPoints} while a segment took its place), recovered ${cleanerPoints.recoveries} times, ${cleanerPoints.violations.length} violations`,
    `planted bugs: ${found} of ${plantedBugs.length} found`,
    'skipped' in powerLoss
      ? `power loss: none: ${powerLoss.skipped}`
      : `power loss: ${powerLoss.cycles} cuts, ${powerLoss.violations.length} violations`,
  ]
  for (const line of [...lines, ...failures]) console.log(line)
}

process.exitCode = await main()
