import {
  api,
  array,
  bytes,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** AlterUserScramCredentials: gives users credentials, or takes them away (KIP-554). */
export const alterUserScramCredentials = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  request: {
    deletions: array({
      name: string,
      /** 1: SCRAM-SHA-256. 2: SCRAM-SHA-512. */
      mechanism: int8,
    }),
    upsertions: array({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      /** Stands for the password: it goes into no log and no file. */
      saltedPassword: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32,
    /** One a user. */
    results: array({ user: string, errorCode: int16, errorMessage: nullable(string) }),
  },
})

export type AlterUserScramCredentialsRequest = Infer<typeof alterUserScramCredentials.request>
export type AlterUserScramCredentialsResponse = Draft<typeof alterUserScramCredentials.response>
