import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Counts, parts, partsNamed, type PartName, type Results } from './parts.ts'

/**
 * `npm run qualify -- faults`: the fault tests at the counts that the README claims, about ten minutes on two cores. Adds to
 * `docs/qualification/DATE.json` run by run and prints a summary; exits 1 where anything was violated or a planted bug
 * was not found. `--kills`, `--points` and `--cuts` change the counts, `--seed` the runs, `--parts a,b` runs only
 * these, `--out` changes the file.
 */
async function main(): Promise<number> {
  const { counts, names, out } = readArguments()
  const path = out ?? join(folder, `${new Date().toISOString().slice(0, 10)}.json`)
  mkdirSync(folder, { recursive: true })
  let isClean = true
  for (const name of names) {
    const run = await runOf(name, counts)
    keep(path, run)
    const failures = tell(run)
    isClean &&= failures.length === 0
  }
  console.log(`Written to ${path}`)
  return isClean ? 0 : 1
}

/** One run of one part: what was asked, of which code, and what was found. */
interface Run<Name extends PartName = PartName> {
  readonly part: Name
  readonly seed: number
  readonly date: string
  readonly commit: string
  /** Sources differed from the commit. */
  readonly hasLocalChanges: boolean
  readonly seconds: number
  readonly result: Results[Name]
}

interface Qualification {
  readonly machine: Readonly<Record<string, string | number>>
  readonly runs: readonly Run[]
}

const folder = join(import.meta.dirname, '../../docs/qualification')

function readArguments(): {
  readonly counts: Counts
  readonly names: readonly PartName[]
  readonly out: string | undefined
} {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      points: { type: 'string', default: '10000' },
      cuts: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      parts: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const counts = {
    kills: Number(values.kills),
    points: Number(values.points),
    cuts: Number(values.cuts),
    seed: Number(values.seed),
  }
  return { counts, names: partsNamed(values.parts), out: values.out }
}

async function runOf<Name extends PartName>(part: Name, counts: Counts): Promise<Run<Name>> {
  const began = new Date()
  console.log(`${part} ...`)
  const result = await parts[part].run(counts)
  return {
    part,
    seed: counts.seed,
    date: began.toISOString(),
    commit: git('rev-parse', 'HEAD'),
    hasLocalChanges: git('status', '--porcelain', '--', 'src', 'native', 'test', 'sim') !== '',
    seconds: Math.round((Date.now() - began.getTime()) / 1000),
    result,
  }
}

/** Beside what the file has; in the place of the same part's run with the same seed. */
function keep(path: string, run: Run): void {
  const before = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<Qualification>)
    : {}
  const others = (before.runs ?? []).filter(
    ({ part, seed }) => part !== run.part || seed !== run.seed,
  )
  const report: Qualification = { machine: machine(), runs: [...others, run] }
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`)
}

/** Prints what a run found; gives what must not have been. */
function tell<Name extends PartName>({
  part,
  seed,
  seconds,
  result,
}: Run<Name>): readonly string[] {
  const failures = parts[part].failures(result)
  const found = `${parts[part].tell(result)}; ${failures.length} violations`
  console.log(`${part}, seed ${seed}: ${found}; ${seconds} s`)
  for (const failure of failures) console.log(`${part}: ${failure}`)
  return failures
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

process.exitCode = await main()
