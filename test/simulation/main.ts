/**
 * `npm run qualify -- simulate`: clusters under virtual time. `--seed N` repeats one run and shows its last events where
 * it fails; `--seeds A-B` runs all of them in `--workers` processes; `--seconds` of virtual time each, `--nodes` where
 * the seed is not to choose, `--kinds` of faults likewise; `--until-failure`: no further than to the first that fails.
 * `--one-away`: instead, worlds of three of which one broker stays away, one seed after the other.
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import type { FaultKind } from '../../sim/cluster/faults.ts'
import type { Outcome } from '../../sim/simulation.ts'
import { runCampaign } from './campaign.ts'
import { runOneAway } from './one-away.ts'
import { runSeed } from './run-seed.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1-300' },
    seconds: { type: 'string', default: '60' },
    nodes: { type: 'string' },
    workers: { type: 'string', default: '2' },
    kinds: { type: 'string' },
    'until-failure': { type: 'boolean', default: false },
    'one-away': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
})
const options = {
  seconds: Number(values.seconds),
  ...(values.kinds === undefined ? {} : { kinds: values.kinds.split(',') as FaultKind[] }),
  ...(values.nodes === undefined ? {} : { nodeCount: Number(values.nodes) }),
}

/** So many seeds end between two signs of life of a campaign. */
const toldEvery = 25

if (values.child) await serve()
else if (values['one-away']) process.exitCode = await runAllOneAway(values.seed ?? values.seeds)
else if (values.seed === undefined) process.exitCode = await runMany(values.seeds)
else process.exitCode = await runOne(Number(values.seed))

async function runOne(seed: number): Promise<number> {
  const { outcome, kinds } = await runSeed({ ...options, seed })
  if (values.verbose || outcome.failures.length > 0) console.log(outcome.lines.join('\n'))
  tell(outcome)
  console.log(`seed ${seed}: ${outcome.hash}, faults ${kinds.join(' ')}`, outcome.counts)
  return outcome.failures.length > 0 ? 1 : 0
}

async function runAllOneAway(range: string): Promise<number> {
  const [first = 1, last = first] = range.split('-').map(Number)
  let failedCount = 0
  for (let seed = first; seed <= last; seed++) {
    const { failures, lines } = await runOneAway(seed)
    if (failures.length === 0 && !values.verbose) continue
    if (failures.length > 0) failedCount++
    console.log(`${lines.join('\n')}\nseed ${seed}: ${failures.join('\n  ')}`)
  }
  console.log(`${last - first + 1} seeds with one broker away, ${failedCount} failed`)
  return failedCount > 0 ? 1 : 0
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
  let endedCount = 0
  const { seeds, failed, totals, digest } = await runCampaign({
    first,
    last,
    workers: Number(values.workers),
    args: process.argv.slice(2),
    isUntilFailure: values['until-failure'],
    ended(seed, outcome) {
      if (++endedCount % toldEvery === 0)
        console.log(`${endedCount} seeds have ended, the last of them ${seed}`)
      if (outcome === null) console.log(`seed ${seed} hangs or ended its process: ${command(seed)}`)
      else if (outcome.failures.length > 0) {
        console.log(outcome.lines.slice(-20).join('\n'))
        tell(outcome)
      }
    },
  })
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
  console.log(`${seeds} seeds, ${failed} failed, ${seconds} s, digest ${digest}`, totals)
  return failed > 0 ? 1 : 0
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
