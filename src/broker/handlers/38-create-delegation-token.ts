import { errorCode } from '../wire/errors.ts'
import {
  createDelegationToken,
  type CreateDelegationTokenRequest,
  type CreateDelegationTokenResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** CreateDelegationToken: v1-3. Refused as by Kafka where nobody has logged in. */
export const createDelegationTokenHandler: Handler<
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse
> = {
  api: createDelegationToken,
  handle: () => ({
    errorCode: errorCode('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'),
    principalType: 'User',
    principalName: 'ANONYMOUS',
    tokenRequesterPrincipalType: 'User',
    tokenRequesterPrincipalName: 'ANONYMOUS',
    issueTimestampMs: -1,
    expiryTimestampMs: -1,
    maxTimestampMs: -1,
    tokenId: '',
    hmac: new Uint8Array(0),
    throttleTimeMs: 0,
  }),
}
