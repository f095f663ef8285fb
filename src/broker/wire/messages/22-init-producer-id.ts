import {
  api,
  bool,
  int16,
  int32,
  int64,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * InitProducerId: gives a producer its id and epoch (KIP-98). v3 raises the epoch of an id it has (KIP-360), v4 may
 * say PRODUCER_FENCED, v6 is for two-phase commit (KIP-939) and not stable.
 */
export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexible: 2,
  request: {
    /** Null for a producer that is idempotent only. */
    transactionalId: nullable(string),
    transactionTimeoutMs: int32,
    /** The id it has, or -1. */
    producerId: int64.since(3).default(-1),
    producerEpoch: int16.since(3).default(-1),
    enable2Pc: bool.since(6),
    keepPreparedTxn: bool.since(6),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64.default(-1),
    producerEpoch: int16,
    ongoingTxnProducerId: int64.since(6).default(-1),
    ongoingTxnProducerEpoch: int16.since(6).default(-1),
  },
})

export type InitProducerIdRequest = Infer<typeof initProducerId.request>
export type InitProducerIdResponse = Draft<typeof initProducerId.response>
