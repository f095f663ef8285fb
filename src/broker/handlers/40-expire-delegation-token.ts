import { errorCode } from '../wire/errors.ts'
import {
  expireDelegationToken,
  type ExpireDelegationTokenRequest,
  type ExpireDelegationTokenResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** ExpireDelegationToken: v1-2. Refused as by Kafka where nobody has logged in. */
export const expireDelegationTokenHandler: Handler<
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse
> = {
  api: expireDelegationToken,
  handle: () => ({
    errorCode: errorCode('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'),
    expiryTimestampMs: -1,
    throttleTimeMs: 0,
  }),
}
