import { api, bytes, int16, int32, int64, type Draft, type Infer } from '../field.ts'

/** ExpireDelegationToken: ends a token, now or in a while (KIP-48). */
export const expireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [1, 2],
  flexible: 2,
  request: {
    hmac: bytes,
    /** Negative: at once. */
    expiryTimePeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
})

export type ExpireDelegationTokenRequest = Infer<typeof expireDelegationToken.request>
export type ExpireDelegationTokenResponse = Draft<typeof expireDelegationToken.response>
