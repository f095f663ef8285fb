import { errorCode } from '../wire/errors.ts'
import {
  saslAuthenticate,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** SaslAuthenticate: v0-2. Refused as by a listener of Kafka's without SASL. */
export const saslAuthenticateHandler: Handler<SaslAuthenticateRequest, SaslAuthenticateResponse> = {
  api: saslAuthenticate,
  handle: () => ({
    errorCode: errorCode('ILLEGAL_SASL_STATE'),
    errorMessage: 'This listener has no SASL: clients need not log in.',
    authBytes: new Uint8Array(0),
    sessionLifetimeMs: 0,
  }),
}
