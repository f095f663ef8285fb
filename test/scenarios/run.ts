import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureClients } from '../../tools/clients.ts'
import {
  type Cell,
  type DataPath,
  type Row,
  runCell,
  scenarioBroker,
  versionOf,
  whyNot,
} from './cell.ts'
import { type Client, clients } from './clients.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { table } from './table.ts'

/**
 *     npm run qualify -- scenarios                       every client, every scenario; writes docs/clients.md
 *     npm run qualify -- scenarios kafkajs topic-grow    some; on both data paths where the client is run on both
 *
 * Exits 1 where a cell failed or a client is missing. What the brokers said is in `.cache/scenarios/`.
 */
async function main(args: readonly string[]): Promise<number> {
  ensureClients()
  mkdirSync(logs, { recursive: true })
  const names = new Set(args)
  const chosenClients = chosen(clients, names)
  const chosenScenarios = chosen(scenarios, names)
  const unknown = args.filter(arg => ![...clients, ...scenarios].some(({ name }) => name === arg))
  if (unknown.length > 0) throw new Error(`no client or scenario: ${unknown.join(' ')}`)
  const both = chosenClients.filter(client => client.alsoOnFallback)
  const wanted = [
    ...chosenClients.map(client => [client, 'native'] as const),
    ...both.map(client => [client, 'fallback'] as const),
  ]
  const rows = await inLanes(wanted, ([client, path]) => runRow(client, path, chosenScenarios))
  if (args.length === 0) writeFileSync(join(root, 'docs/clients.md'), table(rows, scenarios))
  const failed = rows.filter(isBad)
  console.log(
    failed.length === 0 ? 'All passed' : `Failed: ${failed.map(row => row.client).join(', ')}`,
  )
  return failed.length === 0 ? 0 : 1
}

const root = join(import.meta.dirname, '../..')
const logs = join(root, '.cache/scenarios')

/** Those that are named, or all where none is. */
function chosen<One extends { name: string }>(all: readonly One[], names: Set<string>): One[] {
  const named = all.filter(({ name }) => names.has(name))
  return named.length > 0 ? named : [...all]
}

/** Three at a time, each with a broker of its own: mostly they wait for each other's programs. Results in order. */
async function inLanes<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await act(items[at]!)
  }
  await Promise.all([lane(), lane(), lane()])
  return results
}

function isBad({ missing, cells }: Row): boolean {
  return missing !== null || cells.some(cell => cell.result === 'FAIL')
}

async function runRow(
  client: Client,
  dataPath: DataPath,
  wanted: readonly Scenario[],
): Promise<Row> {
  const missing = whyNot(client)
  const row = { client: client.name, dataPath, missing }
  if (missing !== null) {
    console.log(`${client.name} not run: ${missing}`)
    return { ...row, version: null, cells: [] }
  }
  const version = await versionOf(client)
  await using broker = await scenarioBroker(dataPath)
  const cells: Cell[] = []
  for (const scenario of wanted) {
    const startMs = Date.now()
    const cell = await runCell(broker, client, scenario)
    cells.push(cell)
    const seconds = ((Date.now() - startMs) / 1000).toFixed(1)
    console.log(
      `${client.name} ${dataPath} ${cell.scenario} ${cell.result} ${seconds} s ${cell.remark}`,
    )
  }
  const file = `${client.name.replaceAll(/[^a-z]+/gi, '-')}-${dataPath}.log`
  writeFileSync(join(logs, file), broker.output)
  return { ...row, version, cells }
}

process.exitCode = await main(process.argv.slice(2))
