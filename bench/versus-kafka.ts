/**
 * LogCluster beside Apache Kafka on the same machine: `npm run bench -- versus-kafka [SCENARIO ...] [ROUNDS, 3]`. Writes what
 * it finds, beside what is there of the other scenarios, into `docs/benchmarks` and the README. `--scale 0.1` only
 * tries whether it runs: with a tenth of the bytes and seconds, and nothing is written.
 */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chosen } from './versus-kafka/arguments.ts'
import { Bench } from './versus-kafka/bench.ts'
import { Ending } from './versus-kafka/ending.ts'
import { readResults, writtenFrom } from './versus-kafka/files.ts'
import { sectionOf } from './versus-kafka/page.ts'
import { merged, type Result } from './versus-kafka/results.ts'
import type { Scenario } from './versus-kafka/scenario.ts'
import { scenarios } from './versus-kafka/scenarios.ts'

const root = join(import.meta.dirname, '..')

process.exitCode = await main()

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { scale: { type: 'string', default: '1' } },
  })
  const names = scenarios.map(({ name }) => name)
  const choice = chosen(positionals, names)
  if ('problem' in choice) {
    console.error(choice.problem)
    return 1
  }
  const bench = new Bench(new Ending(), Number(values.scale))
  const gaps: string[] = []
  for (const scenario of scenarios.filter(({ name }) => choice.names.includes(name))) {
    const why = scenario.whyNot?.() ?? (await failureOf(bench, scenario, choice.rounds))
    if (why !== null) gaps.push(`NOT MEASURED: ${scenario.name}: ${why}`)
  }
  for (const gap of gaps) console.error(gap)
  return gaps.length === 0 ? 0 : 1
}

/** What went wrong in one scenario; null where it was measured and written. The others go on. */
async function failureOf(bench: Bench, scenario: Scenario, rounds: number): Promise<string | null> {
  const from = performance.now()
  console.error(`${scenario.name}`)
  try {
    const result = await measure(bench, scenario, rounds)
    console.error(`  ${Math.round((performance.now() - from) / 1e3)} s`)
    console.log(sectionOf(scenario, result))
    if (bench.scale === 1) write(scenario.name, result)
    return null
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

async function measure(bench: Bench, scenario: Scenario, rounds: number): Promise<Result> {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore: loadavg()[0] ?? null,
  }
  const date = new Date().toISOString()
  return { date, kafka: '4.3.1', machine, rounds: await scenario.run(bench, rounds) }
}

/** After each scenario, so that one that fails later costs only itself. */
function write(name: string, result: Result): void {
  const results = merged(readResults(root), name, result)
  for (const [path, content] of Object.entries(writtenFrom(results, root))) {
    writeFileSync(join(root, path), content)
  }
}
