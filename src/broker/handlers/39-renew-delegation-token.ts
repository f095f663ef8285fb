import { errorCode } from '../wire/errors.ts'
import {
  renewDelegationToken,
  type RenewDelegationTokenRequest,
  type RenewDelegationTokenResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** RenewDelegationToken: v1-2. Refused as by Kafka where nobody has logged in. */
export const renewDelegationTokenHandler: Handler<
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse
> = {
  api: renewDelegationToken,
  handle: () => ({
    errorCode: errorCode('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'),
    expiryTimestampMs: -1,
    throttleTimeMs: 0,
  }),
}
