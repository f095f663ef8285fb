import { int32, int64 } from '../field.ts'

/**
 * What every request and answer among brokers carries: who is the controller, as far as its sender knows, and in which
 * epoch. So a broker that talks to a deposed one hears of the new one. Tags from 10,000 on are ours: Kafka counts from 0.
 */
export const gossip = {
  /** -1: not known. */
  controllerId: int32.default(-1).tag(10_000),
  controllerEpoch: int64.default(-1).tag(10_001),
}
