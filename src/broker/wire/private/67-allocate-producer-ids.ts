import { api, int16, int32, int64, nullable, string } from '../field.ts'
import { gossip } from './gossip.ts'

/** AllocateProducerIds: a block of producer ids for one broker (KIP-730). */
export const allocateProducerIds = api({
  key: 67,
  name: 'AllocateProducerIds',
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    ...gossip,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerIdStart: int64,
    producerIdLen: int32,
    ...gossip,
    errorMessage: nullable(string).default(null).tag(10_009),
  },
})
