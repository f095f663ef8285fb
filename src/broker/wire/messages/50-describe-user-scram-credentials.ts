import {
  api,
  array,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** DescribeUserScramCredentials: which users have credentials, and of what kind (KIP-554); never the credentials. */
export const describeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  request: {
    /** null or empty: all. */
    users: nullable(array({ name: string })),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullable(string),
    results: array({
      user: string,
      errorCode: int16,
      errorMessage: nullable(string),
      credentialInfos: array({
        /** 1: SCRAM-SHA-256. 2: SCRAM-SHA-512. */
        mechanism: int8,
        iterations: int32,
      }),
    }),
  },
})

export type DescribeUserScramCredentialsRequest = Infer<typeof describeUserScramCredentials.request>
export type DescribeUserScramCredentialsResponse = Draft<
  typeof describeUserScramCredentials.response
>
