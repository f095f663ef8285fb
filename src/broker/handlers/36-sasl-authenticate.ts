import { errorCode } from '../wire/errors.ts'
import {
  saslAuthenticate,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** SaslAuthenticate: v0-2. The session of the connection decides; on a listener without SASL it is refused as by Kafka's. */
export const saslAuthenticateHandler: Handler<SaslAuthenticateRequest, SaslAuthenticateResponse> = {
  api: saslAuthenticate,
  handle({ authBytes }, { session }) {
    const { error, message, token } = session.authenticate(authBytes)
    return {
      errorCode: errorCode(error),
      errorMessage: message,
      authBytes: token,
      sessionLifetimeMs: 0,
    }
  },
}
