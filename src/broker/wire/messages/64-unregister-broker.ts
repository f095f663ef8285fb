import { api, int16, int32, nullable, string, type Draft, type Infer } from '../field.ts'

/** UnregisterBroker: forgets a broker that will not come back (KIP-500). */
export const unregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullable(string),
  },
})

export type UnregisterBrokerRequest = Infer<typeof unregisterBroker.request>
export type UnregisterBrokerResponse = Draft<typeof unregisterBroker.response>
