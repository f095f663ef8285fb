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

/** DescribeDelegationToken: tokens by owner (KIP-48). v3 tells who asked for them (KIP-373). */
export const describeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [1, 3],
  flexible: 2,
  request: {
    /** null: of all owners. */
    owners: nullable(
      array({
        principalType: string,
        principalName: string,
      }),
    ),
  },
  response: {
    errorCode: int16,
    tokens: array({
      principalType: string,
      principalName: string,
      tokenRequesterPrincipalType: string.since(3),
      tokenRequesterPrincipalName: string.since(3),
      issueTimestamp: int64,
      expiryTimestamp: int64,
      maxTimestamp: int64,
      tokenId: string,
      hmac: bytes,
      renewers: array({
        principalType: string,
        principalName: string,
      }),
    }),
    throttleTimeMs: int32,
  },
})

export type DescribeDelegationTokenRequest = Infer<typeof describeDelegationToken.request>
export type DescribeDelegationTokenResponse = Draft<typeof describeDelegationToken.response>
