/**
 * `npm run qualify -- simulate`: clusters under virtual time. `--seed N` repeats one run and shows its last events where
 * it fails; `--seeds A-B` runs all of them in `--workers` processes; `--seconds` of virtual time each, `--nodes` where
 * the seed is not to choose, `--kinds` of faults likewise; `--until-failure`: no further than to the first that fails.
 */
import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { parseArgs } from 'node:util'
import type { FaultKind } from '../../sim/cluster/faults.ts'
import type { Outcome } from '../../sim/simulation.ts'
import { runSeed } from './run-seed.ts'

/** What a seed takes at most on a busy machine; then it hangs. */
const seedSecondsMax = 300

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1-300' },
    seconds: { type: 'string', default: '60' },
    nodes: { type: 'string' },
    workers: { type: 'string', default: '2' },
    kinds: { type: 'string' },
    'until-failure': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
})
const options = {
  seconds: Number(values.seconds),
  ...(values.kinds === undefined ? {} : { kinds: values.kinds.split(',') as FaultKind[] }),
  ...(values.nodes === undefined ? {} : { nodeCount: Number(values.nodes) }),
}

if (values.child) await serve()
else if (values.seed === undefined) process.exitCode = await runMany(values.seeds)
else process.exitCode = await runOne(Number(values.seed))

async function runOne(seed: number): Promise<number> {
  const { outcome, kinds } = await runSeed({ ...options, seed })
  if (values.verbose || outcome.failures.length > 0) console.log(outcome.lines.join('\n'))
  tell(outcome)
  console.log(`seed ${seed}: ${outcome.hash}, faults ${kinds.join(' ')}`, outcome.counts)
  return outcome.failures.length > 0 ? 1 : 0
}

/** In a child: a seed comes, its outcome goes. */
async function serve(): Promise<void> {
  for await (const [seed] of messages()) {
    const { outcome } = await runSeed({ ...options, seed: seed as number })
    const { lines, ...rest } = outcome
    process.send!(outcome.failures.length > 0 ? outcome : { ...rest, lines: lines.slice(0, 0) })
  }
}

async function* messages(): AsyncGenerator<unknown[]> {
  for (;;)
    yield await new Promise<unknown[]>(resolve => process.once('message', (...all) => resolve(all)))
}

async function runMany(range: string): Promise<number> {
  const [first = 1, last = first] = range.split('-').map(Number)
  const startMs = performance.now()
  const totals = new Map<string, number>()
  let next = first
  let failed = 0
  const take = (outcome: Outcome): void => {
    for (const [name, count] of Object.entries(outcome.counts)) {
      totals.set(name, (totals.get(name) ?? 0) + count)
    }
    if (outcome.failures.length === 0) return
    failed++
    console.log(outcome.lines.slice(-20).join('\n'))
    tell(outcome)
  }
  const work = async (): Promise<void> => {
    let child: ChildProcess | null = null
    while (next <= last && !(values['until-failure'] && failed > 0)) {
      const seed = next++
      child ??= fork(import.meta.filename, [...process.argv.slice(2), '--child'])
      const outcome = await outcomeFrom(child, seed)
      if (outcome === null) {
        failed++
        console.log(`seed ${seed} hangs or ended its process: ${command(seed)}`)
        child.kill('SIGKILL')
        child = null
      } else take(outcome)
    }
    child?.kill('SIGKILL')
  }
  await Promise.all(Array.from({ length: Number(values.workers) }, work))
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
  const count = last - first + 1
  console.log(`${count} seeds, ${failed} failed, ${seconds} s`, Object.fromEntries(totals))
  return failed > 0 ? 1 : 0
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
  })
}

function tell({ seed, failures }: Outcome): void {
  if (failures.length === 0) return
  console.log(`seed ${seed} failed: ${failures.slice(0, 5).join('\n  ')}\nAgain: ${command(seed)}`)
}

function command(seed: number): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const nodes = values.nodes === undefined ? '' : ` --nodes ${values.nodes}`
  return `npm run qualify -- simulate --seed ${seed} --seconds ${values.seconds}${nodes} (at ${commit})`
}
