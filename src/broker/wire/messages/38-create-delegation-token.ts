import {
  api,
  array,
  bytes,
  int16,
  int32,
  int64,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** CreateDelegationToken: a secret to log in with in another's name (KIP-48). v3: for another owner (KIP-373). */
export const createDelegationToken = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [1, 3],
  flexible: 2,
  request: {
    /** null: who asks. */
    ownerPrincipalType: nullable(string).since(3),
    ownerPrincipalName: nullable(string).since(3),
    renewers: array({
      principalType: string,
      principalName: string,
    }),
    /** -1: what the broker allows. */
    maxLifetimeMs: int64,
  },
  response: {
    errorCode: int16,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: string.since(3),
    tokenRequesterPrincipalName: string.since(3),
    issueTimestampMs: int64,
    expiryTimestampMs: int64,
    maxTimestampMs: int64,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32,
  },
})

export type CreateDelegationTokenRequest = Infer<typeof createDelegationToken.request>
export type CreateDelegationTokenResponse = Draft<typeof createDelegationToken.response>
