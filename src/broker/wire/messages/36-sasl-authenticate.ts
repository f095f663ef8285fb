import { api, bytes, int16, int64, nullable, string, type Draft, type Infer } from '../field.ts'

/** SaslAuthenticate: one token of a SASL exchange (KIP-152). v1 says how long the session lasts (KIP-368). */
export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode: int16,
    errorMessage: nullable(string),
    authBytes: bytes,
    /** When to authenticate again; 0: never. */
    sessionLifetimeMs: int64.since(1),
  },
})

export type SaslAuthenticateRequest = Infer<typeof saslAuthenticate.request>
export type SaslAuthenticateResponse = Draft<typeof saslAuthenticate.response>
