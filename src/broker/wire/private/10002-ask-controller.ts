import { api, bytes, int16, int32, int64, nullable, string } from '../field.ts'
import { gossip } from './gossip.ts'

/**
 * AskController: a command to the controller that Kafka has no message of brokers for, as the JSON of a `Command`, and its
 * `Answer` (cluster/controller/commands.ts). Served on the private listener only.
 */
export const askController = api({
  key: 10_002,
  name: 'AskController',
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    timeoutMs: int32,
    /** JSON, UTF-8. */
    command: bytes,
    ...gossip,
  },
  response: {
    errorCode: int16,
    errorMessage: nullable(string).default(null),
    /** JSON, UTF-8; empty where `errorCode` says why there is none. */
    answer: bytes,
    /** Of the last record that the controller had committed by then: whoever waits for it sees what was asked for. */
    sequence: int64,
    ...gossip,
  },
})
