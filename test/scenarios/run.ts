import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureClients } from '../../tools/clients.ts'
import { TimeLimit } from '../helpers/kept-results.ts'
import { type Row, runCell, scenarioBroker } from './cell.ts'
import { type Client, clients } from './clients.ts'
import { rowsOfThree } from './run-of-three.ts'
import { inLanes, logs, runRow } from './run-row.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { table } from './table.ts'

/**
 *     npm run qualify -- scenarios                       every client, every scenario; writes docs/clients.md
 *     npm run qualify -- scenarios kafkajs topic-grow    some; on both data paths where the client is run on both
 *     npm run qualify -- scenarios --brokers 3 [NAME...]  on three, one killed in the middle of each; what came of it takes
 *                                                         its place in docs/clients-of-three.md
 *         --missing       only what has no place there yet
 *         --minutes 5     begins nothing more after these
 *         --kafka         on three nodes of Apache Kafka, to see what is to be expected; only prints
 *
 * Exits 1 where a cell failed or a client is missing. What the brokers said is in `.cache/scenarios/`.
 */
async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: '1' },
      missing: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      kafka: { type: 'boolean', default: false },
    },
  })
  if (values.brokers !== '1' && values.brokers !== '3') throw new Error('--brokers is 1 or 3')
  ensureClients()
  mkdirSync(logs, { recursive: true })
  const names = new Set(positionals)
  const unknown = positionals.filter(
    arg => ![...clients, ...scenarios].some(({ name }) => name === arg),
  )
  if (unknown.length > 0) throw new Error(`no client or scenario: ${unknown.join(' ')}`)
  const chosenClients = chosen(clients, names)
  const chosenScenarios = chosen(scenarios, names)
  const isOfThree = values.brokers === '3'
  const rows = await (isOfThree
    ? rowsOfThree({
        clients: chosenClients,
        scenarios: chosenScenarios,
        maker: values.kafka ? 'kafka' : 'ours',
        isMissingOnly: values.missing,
        limit: new TimeLimit(values.minutes ?? null),
      })
    : rowsOfOne(chosenClients, chosenScenarios))
  if (!isOfThree && positionals.length === 0) {
    writeFileSync(join(root, 'docs/clients.md'), table(rows, scenarios))
  }
  const failed = rows.filter(isBad)
  console.log(
    failed.length === 0 ? 'All passed' : `Failed: ${failed.map(row => row.client).join(', ')}`,
  )
  return failed.length === 0 ? 0 : 1
}

const root = join(import.meta.dirname, '../..')

/** Those that are named, or all where none is. */
function chosen<One extends { name: string }>(all: readonly One[], names: Set<string>): One[] {
  const named = all.filter(({ name }) => names.has(name))
  return named.length > 0 ? named : [...all]
}

function rowsOfOne(wanted: readonly Client[], of: readonly Scenario[]): Promise<Row[]> {
  const both = wanted.filter(client => client.alsoOnFallback)
  const pairs = [
    ...wanted.map(client => [client, 'native'] as const),
    ...both.map(client => [client, 'fallback'] as const),
  ]
  return inLanes(3, pairs, ([client, dataPath]) =>
    runRow(client, dataPath, async () => {
      const ground = await scenarioBroker(dataPath)
      return { ground, cells: of.map(scenario => () => runCell(ground, client, scenario)) }
    }),
  )
}

function isBad({ missing, cells }: Row): boolean {
  return missing !== null || cells.some(cell => cell.result === 'FAIL')
}

process.exitCode = await main(process.argv.slice(2))
