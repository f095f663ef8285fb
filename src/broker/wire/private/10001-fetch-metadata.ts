import {
  api,
  array,
  bool,
  bytes,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  type Draft,
  type Infer,
} from '../field.ts'
import { gossip } from './gossip.ts'

/**
 * FetchMetadata: a long poll for records of the metadata log, after the one that the follower has last. No API of Kafka's,
 * whose brokers are voters and observers of a log of their own; it is served on the private listener only. Any broker
 * answers with what it knows to be committed: each record's hash says what it follows (metadata/chain.ts).
 */
export const fetchMetadata = api({
  key: 10_001,
  name: 'FetchMetadata',
  versions: [0, 0],
  flexible: 0,
  request: {
    clusterId: string,
    /** Who asks; -1 for an epoch that it does not have yet. */
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    /** Of the last record that it has; 0 and 64 zeros for none. */
    lastSequence: int64,
    lastHash: string,
    /** How long to wait for a record where there is none. */
    maxWaitMs: int32,
    ...gossip,
  },
  response: {
    errorCode: int16,
    errorMessage: nullable(string).default(null),
    /** The state after its record, in place of all records up to it; null where `records` follow what the follower has. */
    snapshot: nullable(
      struct({ sequence: int64, epoch: int64, hash: string, payload: bytes }),
    ).default(null),
    records: array({
      sequence: int64,
      epoch: int64,
      hash: string,
      payload: bytes,
      /** The store notes a snapshot in its log by it: it changes nothing. */
      isNote: bool,
    }),
    /** Of the last record that whoever answers has. */
    endSequence: int64,
    /** Whoever answers is the controller. */
    isController: bool,
    ...gossip,
  },
})

export type FetchMetadataRequest = Infer<typeof fetchMetadata.request>
export type FetchMetadataResponse = Draft<typeof fetchMetadata.response>
export type FetchMetadataAnswer = Infer<typeof fetchMetadata.response>
