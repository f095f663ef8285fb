import { whyMissing } from '../../tools/clients.ts'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { partitionCount } from '../clients/group-of-three.ts'
import type { Client } from './clients.ts'
import { DriverProcess, NotApplicable } from './driver-process.ts'
import type { Scenario } from './scenarios.ts'
import { Stage } from './stage.ts'

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

export function scenarioBroker(dataPath: DataPath): Promise<TestBroker> {
  return startBroker({ settings, native: dataPath === 'native' ? 'on' : 'off' })
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
export async function runCell(
  broker: TestBroker,
  client: Client,
  scenario: Scenario,
): Promise<Cell> {
  const stage = await Stage.open(broker, client, scenario.name)
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
