import { runCleanerPoints, type CleanerPointsResult } from '../crash/cleaner-points.ts'
import { runCrashPoints, type CrashPointsResult } from '../crash/crash-points.ts'
import { plantedBugNames, type PlantedBugName } from '../crash/planted-bugs.ts'
import { runPowerLoss, whyNoPowerLoss, type PowerLossResult } from '../crash/power-loss.ts'
import { onSlowDisk, runKillTest, type KillTestResult } from './kill.ts'

export interface Counts {
  readonly kills: number
  readonly points: number
  readonly cuts: number
  readonly seed: number
}

interface FoundBug {
  readonly bug: PlantedBugName
  readonly isFound: boolean
  /** Crash points visited until it was found. */
  readonly crashPoints: number
}

export interface Results {
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

export type PartName = keyof Results

export interface Part<Result> {
  run(counts: Counts): Promise<Result>
  /** What was found, in one line. */
  tell(result: Result): string
  /** What must not have been, one line each. */
  failures(result: Result): readonly string[]
}

const violationsMax = 50

/** In the order in which a whole run has them. */
export const parts: { readonly [Name in PartName]: Part<Results[Name]> } = {
  kill: {
    run: ({ kills, seed }) => runKillTest({ kills, seed, progress: every(20) }),
    tell: tellKills,
    failures: failuresOfKills,
  },
  killOnSlowDisk: {
    run: ({ kills, seed }) =>
      runKillTest({ kills: Math.ceil(kills / 4), seed, progress: every(20), broker: onSlowDisk }),
    tell: result => `${tellKills(result)}; ${result.threadWrites} writes by threads`,
    failures: failuresOfKills,
  },
  crashPoints: {
    run: async ({ points, seed }) => cut(await runCrashPoints({ count: points, seed })),
    tell: ({ crashPoints, duringThreadWrites, processCrashes, machineCrashes }) =>
      `${crashPoints} (${duringThreadWrites} while a thread wrote), recovered ${processCrashes + machineCrashes} times`,
    failures: ({ violations }) => violations.map(violation => JSON.stringify(violation)),
  },
  cleanerPoints: {
    run: async ({ points, seed }) => cut(await runCleanerPoints({ count: points, seed })),
    tell: ({ crashPoints, swapPoints, recoveries }) =>
      `${crashPoints} (${swapPoints} while a segment took its place), recovered ${recoveries} times`,
    failures: ({ violations }) => violations.map(String),
  },
  plantedBugs: {
    run: ({ seed }) => findBugs(seed),
    tell: bugs => `${bugs.filter(({ isFound }) => isFound).length} of ${bugs.length} found`,
    failures: bugs => bugs.flatMap(({ bug, isFound }) => (isFound ? [] : [`${bug} is not found`])),
  },
  powerLoss: {
    run: cutPower,
    tell: result => ('skipped' in result ? `none: ${result.skipped}` : `${result.cycles} cuts`),
    failures: result => ('skipped' in result ? [] : result.violations),
  },
}

/** @throws Error: what there is, where `text` names something else. */
export function partsNamed(text: string | undefined): readonly PartName[] {
  const all = Object.keys(parts) as PartName[]
  if (text === undefined) return all
  const named = text.split(',')
  const unknown = named.find(name => !Object.hasOwn(parts, name))
  if (unknown !== undefined) throw new Error(`no part ${unknown}: there are ${all.join(', ')}`)
  return all.filter(name => named.includes(name))
}

function tellKills({ kills, ackedRecords, backMs }: KillTestResult): string {
  return `${kills} kills, ${ackedRecords} acknowledged records; back in ${backMs.p50} ms (p50), ${backMs.p99} ms (p99)`
}

function failuresOfKills({ violations }: KillTestResult): string[] {
  return violations.map(({ kind, text }) => `${kind}: ${text}`)
}

function cut<Violation, Result extends { readonly violations: readonly Violation[] }>(
  result: Result,
): Result {
  return { ...result, violations: result.violations.slice(0, violationsMax) }
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

async function cutPower({ cuts, seed }: Counts): Promise<Results['powerLoss']> {
  const why = await whyNoPowerLoss()
  if (why !== null) return { skipped: why }
  return runPowerLoss({ cycles: cuts, seed, progress: every(2) })
}

/** Every so many reports, one is printed. */
function every(count: number): (text: string) => void {
  let heard = 0
  return text => {
    heard++
    if (heard % count === 0) console.log(`  ${text}`)
  }
}
