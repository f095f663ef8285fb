import { api, bytes, int16, int32, int64, type Draft, type Infer } from '../field.ts'

/** RenewDelegationToken: moves the expiry of a token (KIP-48). */
export const renewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [1, 2],
  flexible: 2,
  request: {
    hmac: bytes,
    /** -1: as the broker does by default. */
    renewPeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
})

export type RenewDelegationTokenRequest = Infer<typeof renewDelegationToken.request>
export type RenewDelegationTokenResponse = Draft<typeof renewDelegationToken.response>
