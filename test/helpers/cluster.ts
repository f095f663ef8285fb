import { findCoordinator } from '../../src/broker/wire/messages/index.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import type { BrokerClient } from './broker-client.ts'

/** One of several brokers, as a test treats it that may run on brokers of any make. */
export interface ClusterMember {
  /** `127.0.0.1:PORT` of its listener, the same over all of its processes. */
  readonly address: string
  readonly port: number
  /** Where its segments are. */
  readonly dataDir: string
  readonly isRunning: boolean
  /** All that its processes said. */
  readonly output: string
  start(): Promise<void>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  /** As `TestBroker.metric`. */
  metric(name: string): Promise<number>
}

/** Several brokers, ours or Apache Kafka's; ids count from 0. */
export interface Cluster extends AsyncDisposable {
  readonly brokers: readonly ClusterMember[]
  broker(id: number): ClusterMember
  connect(id: number): Promise<BrokerClient>
}

/** Who coordinates a group, as a broker tells it: an id with where it is, or why there is none. */
export type Coordination = { readonly id: number; readonly port: number } | string

/** What the broker says of the group's coordinator now. */
export async function askCoordinator(client: BrokerClient, group: string): Promise<Coordination> {
  const request = { key: '', keyType: 0, coordinatorKeys: [group] }
  const { coordinators } = await client.request(findCoordinator, 6, request)
  const { errorCode, nodeId, port } = coordinators[0]!
  return errorCode === 0 ? { id: nodeId, port } : errorName(errorCode)
}
