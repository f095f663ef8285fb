import { errorCode } from '../wire/errors.ts'
import {
  saslHandshake,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/**
 * SaslHandshake: v0-1. The session of the connection decides; on a listener without SASL it is refused as by Kafka's,
 * instead of closing the connection.
 */
export const saslHandshakeHandler: Handler<SaslHandshakeRequest, SaslHandshakeResponse> = {
  api: saslHandshake,
  handle({ mechanism }, { session, apiVersion }) {
    const { error, mechanisms } = session.handshake(mechanism, apiVersion)
    return { errorCode: errorCode(error), mechanisms: [...mechanisms] }
  },
}
