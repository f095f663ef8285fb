import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KeptResults, type TimeLimit } from '../helpers/kept-results.ts'
import { type Cell, type Row, runCellOfThree, scenarioCluster } from './cell.ts'
import { type Client, clients } from './clients.ts'
import { inLanes, type Played, runRow } from './run-row.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { tableOfThree } from './table.ts'
import type { Maker } from './three-brokers.ts'

interface KeptCell extends Cell {
  readonly client: string
  readonly version: string
}

interface Wish {
  readonly clients: readonly Client[]
  readonly scenarios: readonly Scenario[]
  /** What came of ours is kept; of Kafka's it is only printed. */
  readonly maker: Maker
  /** Leaves out what was run before, whatever came of it. */
  readonly isMissingOnly: boolean
  readonly limit: TimeLimit
}

const kept = new KeptResults<KeptCell>('clients-of-three', cell => idOf(cell.client, cell.scenario))

/** On three brokers, of which one is killed in the middle of each scenario; then docs/clients-of-three.md is in step. */
export async function rowsOfThree(wish: Wish): Promise<Row[]> {
  const { maker, limit } = wish
  const rows = await inLanes(2, wish.clients, async (client): Promise<Row[]> => {
    const wanted = wish.scenarios.filter(
      ({ name }) => !wish.isMissingOnly || !kept.has(idOf(client.name, name)),
    )
    if (wanted.length === 0 || limit.isOver) return []
    const row = await runRow(client, 'native', async (): Promise<Played> => {
      const ground = await scenarioCluster(maker)
      const cells = wanted.map(scenario => () => runCellOfThree(ground, client, scenario))
      const keep = (cell: Cell, version: string): void =>
        kept.put({ client: client.name, version, ...cell })
      return { ground, cells, isOver: () => limit.isOver, ...(maker === 'ours' && { done: keep }) }
    })
    return [row]
  })
  if (maker === 'ours') writeFileSync(page, pageOfThree())
  return rows.flat()
}

const page = join(import.meta.dirname, '../../docs/clients-of-three.md')

/** docs/clients-of-three.md, from what was kept. */
export function pageOfThree(): string {
  const cells = kept.all()
  const rows = clients.flatMap(({ name }): Row[] => {
    const own = scenarios.flatMap(scenario => {
      return cells.find(cell => cell.client === name && cell.scenario === scenario.name) ?? []
    })
    const version = own.at(-1)?.version
    if (version === undefined) return []
    return [{ client: name, version, missing: null, dataPath: 'native', cells: own }]
  })
  return tableOfThree(rows, scenarios)
}

function idOf(client: string, scenario: string): string {
  return `${client}: ${scenario}`
}
