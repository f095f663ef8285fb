import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { librdkafkaVersion } from '../../tools/librdkafka.ts'
import { KeptResults, type TimeLimit } from '../helpers/kept-results.ts'
import type { Maker } from '../scenarios/three-brokers.ts'
import { type PlannedTest, plannedTests } from './plan.ts'
import { isMissed } from './report.ts'
import { reportOfThree, type RowOfThree } from './report-of-three.ts'
import { type OutcomeOfThree, runOnThree, Trios } from './three.ts'

const root = join(import.meta.dirname, '../..')
const logs = join(root, '.cache/librdkafka-logs')

type KeptOutcome = { readonly id: string } & Omit<OutcomeOfThree, 'output'>

const kept = new KeptResults<KeptOutcome>('librdkafka-of-three', ({ id }) => id)

interface Wish {
  readonly plan: readonly PlannedTest[]
  /** What came of ours is kept; of Kafka's it is only printed. */
  readonly maker: Maker
  /** Leaves out what was run before, whatever came of it. */
  readonly isMissingOnly: boolean
  readonly limit: TimeLimit
}

/** Runs these on three brokers, and brings docs/librdkafka-of-three.md into step; the exit code. */
export async function runAllOnThree(wish: Wish): Promise<number> {
  const { maker, limit } = wish
  await using trios = new Trios(maker)
  const rows: RowOfThree[] = []
  const wanted = wish.plan.filter(({ id }) => !wish.isMissingOnly || !kept.has(id))
  for (const test of wanted.toSorted((a, b) => (a.scenario < b.scenario ? -1 : 1))) {
    if (limit.isOver) break
    const ground = await trios.of(test.scenario)
    const saidBefore = ground.output.length
    const { output, ...outcome } = await runOnThree(test, ground)
    rows.push({ test, ...outcome })
    const said = ground.output.slice(saidBefore)
    const log = join(logs, `three-${maker}-${test.id.replaceAll(' ', '-')}.log`)
    writeFileSync(log, `${output}\n--- brokers ---\n${said}`)
    const killed = outcome.killedAfterSeconds?.toFixed(1) ?? 'never'
    console.log(
      `${test.id} ${outcome.result} ${outcome.seconds.toFixed(1)} s, killed after ${killed} ${outcome.remark}`,
    )
    if (maker === 'ours') kept.put({ id: test.id, ...outcome })
  }
  if (maker === 'ours') writeFileSync(join(root, 'docs/librdkafka-of-three.md'), pageOfThree())
  const missed = rows.filter(row => isMissed({ ...row, output: '' }))
  console.log(`Missed: ${missed.map(({ test }) => test.id).join(' ') || 'none'}`)
  return missed.length > 0 ? 1 : 0
}

/** docs/librdkafka-of-three.md, from what was kept. */
export function pageOfThree(): string {
  const outcomes = new Map(kept.all().map(outcome => [outcome.id, outcome]))
  const rows = plannedTests().flatMap((test): RowOfThree[] => {
    const outcome = outcomes.get(test.id)
    return outcome === undefined ? [] : [{ test, ...outcome }]
  })
  return reportOfThree(rows, librdkafkaVersion)
}
