import { api, array, int16, string, type Draft, type Infer } from '../field.ts'

/**
 * SaslHandshake: chooses a mechanism. After v1 the tokens travel in SaslAuthenticate, after v0 bare (KIP-152).
 * Never flexible.
 */
export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  request: {
    mechanism: string,
  },
  response: {
    errorCode: int16,
    /** What the listener offers. */
    mechanisms: array(string),
  },
})

export type SaslHandshakeRequest = Infer<typeof saslHandshake.request>
export type SaslHandshakeResponse = Draft<typeof saslHandshake.response>
