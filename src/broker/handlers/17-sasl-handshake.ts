import { errorCode } from '../wire/errors.ts'
import {
  saslHandshake,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** SaslHandshake: v0-1. Refused as by a listener of Kafka's without SASL, instead of closing the connection. */
export const saslHandshakeHandler: Handler<SaslHandshakeRequest, SaslHandshakeResponse> = {
  api: saslHandshake,
  handle: () => ({ errorCode: errorCode('ILLEGAL_SASL_STATE'), mechanisms: [] }),
}
