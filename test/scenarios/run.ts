import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureClients } from '../../tools/clients.ts'
import {
  type Cell,
  type DataPath,
  type Row,
  runCell,
  runCellOfThree,
  scenarioBroker,
  scenarioCluster,
  versionOf,
  whyNot,
} from './cell.ts'
import { type Client, clients } from './clients.ts'
import type { Ground } from './ground.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { table, tableOfThree } from './table.ts'

/**
 *     npm run qualify -- scenarios                       every client, every scenario; writes docs/clients.md
 *     npm run qualify -- scenarios kafkajs topic-grow    some; on both data paths where the client is run on both
 *     npm run qualify -- scenarios --brokers 3           on three, one killed in the middle of each: docs/clients-of-three.md
 *     npm run qualify -- scenarios --brokers 3 --keep kcat   some clients, whose rows of that page become these
 *
 * Exits 1 where a cell failed or a client is missing. What the brokers said is in `.cache/scenarios/`.
 */
async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
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
    ? rowsOfThree(chosenClients, chosenScenarios, positionals.length === 0 || values.keep)
    : rowsOfOne(chosenClients, chosenScenarios))
  if (isOfThree && (positionals.length === 0 || values.keep)) writeOfThree()
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
const logs = join(root, '.cache/scenarios')

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

function rowsOfThree(
  wanted: readonly Client[],
  of: readonly Scenario[],
  isKept: boolean,
): Promise<Row[]> {
  return inLanes(2, wanted, client => {
    const prepare = async (): Promise<Played> => {
      const ground = await scenarioCluster()
      return { ground, cells: of.map(scenario => () => runCellOfThree(ground, client, scenario)) }
    }
    return runRow(client, 'native', prepare, row => isKept && keepOfThree(row))
  })
}

/** So many at a time, each with brokers of its own: mostly they wait for each other's programs. Results in order. */
async function inLanes<Item, Result>(
  count: number,
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await act(items[at]!)
  }
  await Promise.all(Array.from({ length: count }, lane))
  return results
}

function isBad({ missing, cells }: Row): boolean {
  return missing !== null || cells.some(cell => cell.result === 'FAIL')
}

interface Played {
  readonly ground: Ground
  readonly cells: readonly (() => Promise<Cell>)[]
}

async function runRow(
  client: Client,
  dataPath: DataPath,
  prepare: () => Promise<Played>,
  sofar: (row: Row) => void = () => {},
): Promise<Row> {
  const missing = whyNot(client)
  const row = { client: client.name, dataPath, missing }
  if (missing !== null) {
    console.log(`${client.name} not run: ${missing}`)
    return { ...row, version: null, cells: [] }
  }
  const version = await versionOf(client)
  const played = await prepare()
  await using ground = played.ground
  const cells: Cell[] = []
  for (const play of played.cells) {
    const startMs = Date.now()
    const cell = await play()
    cells.push(cell)
    sofar({ ...row, version, cells })
    const seconds = ((Date.now() - startMs) / 1000).toFixed(1)
    console.log(
      `${client.name} ${dataPath} ${cell.scenario} ${cell.result} ${seconds} s ${cell.remark}`,
    )
  }
  const file = `${client.name.replaceAll(/[^a-z]+/gi, '-')}-${dataPath}.log`
  writeFileSync(join(logs, file), ground.output)
  return { ...row, version, cells }
}

const ofThree = join(logs, 'of-three.json')

/** A whole run takes long, so it may be made of several: what is not run again keeps what came of it. */
function keepOfThree(row: Row): void {
  const before = keptOfThree()
  const old = before.find(({ client }) => client === row.client)
  const again = new Set(row.cells.map(({ scenario }) => scenario))
  const cells = [...(old?.cells ?? []).filter(({ scenario }) => !again.has(scenario)), ...row.cells]
  const others = before.filter(({ client }) => client !== row.client)
  writeFileSync(ofThree, JSON.stringify([...others, { ...row, cells }], null, 2))
}

function keptOfThree(): Row[] {
  return existsSync(ofThree) ? (JSON.parse(readFileSync(ofThree, 'utf8')) as Row[]) : []
}

function writeOfThree(): void {
  const kept = keptOfThree()
  const rows = clients.flatMap(({ name }) => kept.find(({ client }) => client === name) ?? [])
  writeFileSync(join(root, 'docs/clients-of-three.md'), tableOfThree(rows, scenarios))
}

process.exitCode = await main(process.argv.slice(2))
