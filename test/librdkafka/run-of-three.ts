import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { librdkafkaVersion } from '../../tools/librdkafka.ts'
import type { PlannedTest } from './plan.ts'
import { isMissed } from './report.ts'
import { reportOfThree, type RowOfThree } from './report-of-three.ts'
import { runOnThree, Trios } from './three.ts'

const root = join(import.meta.dirname, '../..')
const logs = join(root, '.cache/librdkafka-logs')
const kept = join(logs, 'of-three.json')

/** Runs these on three brokers, and where `isKept` puts what came of them into the page; the exit code. */
export async function runAllOnThree(
  plan: readonly PlannedTest[],
  isKept: boolean,
): Promise<number> {
  await using trios = new Trios()
  const rows: RowOfThree[] = []
  for (const test of plan.toSorted((a, b) => (a.scenario < b.scenario ? -1 : 1))) {
    const ground = await trios.of(test.scenario)
    const saidBefore = ground.output.length
    const { output, ...outcome } = await runOnThree(test, ground)
    const row = { test, ...outcome }
    rows.push(row)
    const said = ground.output.slice(saidBefore)
    const log = join(logs, `three-${test.id.replaceAll(' ', '-')}.log`)
    writeFileSync(log, `${output}\n--- brokers ---\n${said}`)
    const killed = row.killedAfterSeconds?.toFixed(1) ?? 'never'
    console.log(
      `${test.id} ${row.result} ${row.seconds.toFixed(1)} s, killed after ${killed} ${row.remark}`,
    )
    if (isKept) keep(row)
  }
  const missed = rows.filter(row => isMissed({ ...row, output: '' }))
  console.log(`Missed: ${missed.map(({ test }) => test.id).join(' ') || 'none'}`)
  return missed.length > 0 ? 1 : 0
}

/** A whole run takes most of an hour, so it may be made of several. */
function keep(row: RowOfThree): void {
  const before = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as RowOfThree[]) : []
  const others = before.filter(({ test }) => test.id !== row.test.id)
  const all = [...others, row].toSorted((a, b) => (a.test.id < b.test.id ? -1 : 1))
  writeFileSync(kept, JSON.stringify(all, null, 2))
  writeFileSync(join(root, 'docs/librdkafka-of-three.md'), reportOfThree(all, librdkafkaVersion))
}
