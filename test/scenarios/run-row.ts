import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cell, type DataPath, type Row, versionOf, whyNot } from './cell.ts'
import type { Client } from './clients.ts'
import type { Ground } from './ground.ts'

/** What the brokers of a row said goes here. */
export const logs = join(import.meta.dirname, '../../.cache/scenarios')

/** What a row is made of, on brokers that are its own. */
export interface Played {
  readonly ground: Ground
  readonly cells: readonly (() => Promise<Cell>)[]
  /** Told as soon as there is one. */
  readonly done?: (cell: Cell, version: string) => void
  /** Whether to end before the next. */
  readonly isOver?: () => boolean
}

/** Plays one cell after the other, unless the client is missing, which the row then says. */
export async function runRow(
  client: Client,
  dataPath: DataPath,
  prepare: () => Promise<Played>,
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
    if (played.isOver?.() === true) break
    const startMs = Date.now()
    const cell = await play()
    cells.push(cell)
    played.done?.(cell, version)
    const seconds = ((Date.now() - startMs) / 1000).toFixed(1)
    console.log(
      `${client.name} ${dataPath} ${cell.scenario} ${cell.result} ${seconds} s ${cell.remark}`,
    )
  }
  const file = `${client.name.replaceAll(/[^a-z]+/gi, '-')}-${dataPath}.log`
  writeFileSync(join(logs, file), ground.output)
  return { ...row, version, cells }
}

/** So many at a time, each with brokers of its own: mostly they wait for each other's programs. Results in order. */
export async function inLanes<Item, Result>(
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
