import { api, array, int16, int32, int8, string, type Draft, type Infer } from '../field.ts'

/** ListConfigResources: what has configs of its own (KIP-1142). v0 knew metrics subscriptions of clients only. */
export const listConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  request: {
    /** 2: topic. 4: broker. 8: broker logger. 16: client metrics. 32: group. Empty: all that can be listed. */
    resourceTypes: array(int8).since(1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    configResources: array({
      resourceName: string,
      resourceType: int8.since(1).default(16),
    }),
  },
})

export type ListConfigResourcesRequest = Infer<typeof listConfigResources.request>
export type ListConfigResourcesResponse = Draft<typeof listConfigResources.response>
