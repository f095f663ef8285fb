import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import type { Outcome } from '../../sim/simulation.ts'

export interface Campaign {
  readonly first: number
  readonly last: number
  /** Processes that share the seeds. */
  readonly workers: number
  /** Arguments of `npm run qualify -- simulate` that say how each seed runs. */
  readonly args: readonly string[]
  readonly isUntilFailure?: boolean
  /** Told of each seed as it ends; `outcome` is null where its process hung or ended. */
  ended(seed: number, outcome: Outcome | null): void
}

/** What the seeds of a campaign came to. */
export interface Result {
  readonly seeds: number
  readonly failed: number
  /** Sums of what each counted, faults by their kinds among them. */
  readonly totals: Readonly<Record<string, number>>
  /** Of all events of all seeds: the same for the same seeds at the same commit, however busy the machine is. */
  readonly digest: string
}

/** What a seed takes at most on a busy machine; then it hangs. */
const seedSecondsMax = 300

const program = join(import.meta.dirname, 'main.ts')

/**
 * Young objects have room: most of what a world allocates is gone with its event. Nobody looks at where errors come from, of which
 * there is one for each refused request: who repeats the seed that failed sees that.
 */
const execArgv = [...process.execArgv, '--max-semi-space-size=64', '--stack-trace-limit=0']

/** Runs seeds in processes of their own: one that hangs, or ends, takes no other with it. */
export async function runCampaign(campaign: Campaign): Promise<Result> {
  const { first, last, workers, args, isUntilFailure = false } = campaign
  const totals: Record<string, number> = {}
  const hashes = new Map<number, string>()
  let next = first
  let failed = 0
  const take = (seed: number, outcome: Outcome | null): void => {
    if (outcome === null || outcome.failures.length > 0) failed++
    hashes.set(seed, outcome?.hash ?? 'none')
    for (const [name, count] of Object.entries(outcome?.counts ?? {})) {
      totals[name] = (totals[name] ?? 0) + count
    }
    campaign.ended(seed, outcome)
  }
  const work = async (): Promise<void> => {
    let child: ChildProcess | null = null
    while (next <= last && !(isUntilFailure && failed > 0)) {
      const seed = next++
      child ??= begin(args)
      const outcome = await outcomeFrom(child, seed)
      take(seed, outcome)
      if (outcome !== null) continue
      child.kill('SIGKILL')
      child = null
    }
    child?.kill('SIGKILL')
  }
  await Promise.all(Array.from({ length: workers }, work))
  return { seeds: next - first, failed, totals, digest: digestOf(hashes) }
}

function digestOf(hashes: ReadonlyMap<number, string>): string {
  const lines = [...hashes].toSorted(([a], [b]) => a - b).map(([seed, hash]) => `${seed} ${hash}`)
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)
}

/** The last of all who want the processor. */
function begin(args: readonly string[]): ChildProcess {
  const child = fork(program, [...args, '--child'], { execArgv })
  if (child.pid !== undefined) setPriority(child.pid, 10)
  return child
}

/** null where none comes. */
function outcomeFrom(child: ChildProcess, seed: number): Promise<Outcome | null> {
  const { promise, resolve } = Promise.withResolvers<Outcome | null>()
  const timer = setTimeout(() => resolve(null), seedSecondsMax * 1000)
  const ended = (): void => resolve(null)
  child.once('message', outcome => resolve(outcome as Outcome))
  child.once('exit', ended)
  child.send(seed)
  return promise.finally(() => {
    clearTimeout(timer)
    child.off('exit', ended)
    child.removeAllListeners('message')
  })
}
