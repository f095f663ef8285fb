import { errorCode } from '../wire/errors.ts'
import {
  describeDelegationToken,
  type DescribeDelegationTokenRequest,
  type DescribeDelegationTokenResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** DescribeDelegationToken: v1-3. Refused as by Kafka where nobody has logged in. */
export const describeDelegationTokenHandler: Handler<
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse
> = {
  api: describeDelegationToken,
  handle: () => ({
    errorCode: errorCode('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'),
    tokens: [],
    throttleTimeMs: 0,
  }),
}
