import { whyMissing } from '../../tools/clients.ts'
import { partitionCount } from '../clients/group-of-three.ts'
import type { Client } from './clients.ts'
import { DriverProcess, NotApplicable } from './driver-process.ts'
import { type Ground, OneBroker } from './ground.ts'
import type { Scenario } from './scenarios.ts'
import { Stage } from './stage.ts'
import { type Maker, ThreeBrokers } from './three-brokers.ts'

export type DataPath = 'native' | 'fallback'

/** One cell of the table. */
export interface Cell {
  readonly scenario: string
  readonly result: 'pass' | 'n/a' | 'FAIL'
  /** Why not, or what else there is to say. */
  readonly remark: string
}

/** One row: a client on a data path. */
export interface Row {
  readonly client: string
  /** As its library tells; null where it is missing, which `missing` explains. */
  readonly version: string | null
  readonly missing: string | null
  readonly dataPath: DataPath
  readonly cells: readonly Cell[]
}

/** Groups form without delay, and are quick to miss a member; topics come into being only when told. */
const settings = {
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  'num.partitions': String(partitionCount),
  'auto.create.topics.enable': 'false',
}

export function scenarioBroker(dataPath: DataPath): Promise<OneBroker> {
  return OneBroker.start(settings, dataPath === 'native' ? 'on' : 'off')
}

export function scenarioCluster(maker: Maker = 'ours'): Promise<ThreeBrokers> {
  return ThreeBrokers.start(settings, maker)
}

export async function versionOf(client: Client): Promise<string> {
  const driver = new DriverProcess(client.program, '127.0.0.1:1')
  try {
    return await driver.call('version')
  } finally {
    await driver.close()
  }
}

export function whyNot(client: Client): string | null {
  return client.kit === null ? null : whyMissing(client.kit)
}

/** Runs one scenario with one client. Never rejects: what went wrong is in the cell. */
export async function runCell(ground: Ground, client: Client, scenario: Scenario): Promise<Cell> {
  const stage = await Stage.open(ground, client, scenario.name)
  try {
    await scenario.run(stage)
    return { scenario: scenario.name, result: 'pass', remark: stage.remarks.join('; ') }
  } catch (error) {
    const result = error instanceof NotApplicable ? 'n/a' : 'FAIL'
    const message = error instanceof Error ? error.message : String(error)
    return { scenario: scenario.name, result, remark: message }
  } finally {
    await stage[Symbol.asyncDispose]()
  }
}

/** As `runCell`, on brokers that are all there; it fails where the scenario came to its end and nobody was killed. */
export async function runCellOfThree(
  ground: ThreeBrokers,
  client: Client,
  scenario: Scenario,
): Promise<Cell> {
  try {
    await ground.begin()
  } catch (error) {
    return { scenario: scenario.name, result: 'FAIL', remark: `before it: ${String(error)}` }
  }
  const cell = await runCell(ground, client, scenario)
  if (cell.result !== 'pass' || ground.hasStruck) return cell
  return { ...cell, result: 'FAIL', remark: 'nobody was killed' }
}
