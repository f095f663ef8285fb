import { api, array, bool, int16, int32, int64, string, type Draft, type Infer } from '../field.ts'

/**
 * ApiVersions: what the broker understands; the first request of most clients. v3 says which software asks
 * (KIP-511) and brings features (KIP-584); v4 lists features that begin at version 0 too (KAFKA-17011).
 *
 * An unknown version is answered all the same, with a version 0 body (G1), and the response header never has tags,
 * so that a client can read it before it knows anything (G3).
 */
export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: string.since(3),
    clientSoftwareVersion: string.since(3),
  },
  response: {
    errorCode: int16,
    apiKeys: array({
      apiKey: int16,
      minVersion: int16,
      maxVersion: int16,
    }),
    throttleTimeMs: int32.since(1),
    supportedFeatures: array({
      name: string,
      minVersion: int16,
      maxVersion: int16,
    })
      .since(3)
      .tag(0),
    /** -1 where there are none. */
    finalizedFeaturesEpoch: int64.since(3).default(-1).tag(1),
    /** Each changes how clients behave: list only what is implemented (G6). */
    finalizedFeatures: array({
      name: string,
      maxVersionLevel: int16,
      minVersionLevel: int16,
    })
      .since(3)
      .tag(2),
    zkMigrationReady: bool.since(3).tag(3),
  },
})

export type ApiVersionsRequest = Infer<typeof apiVersions.request>
export type ApiVersionsResponse = Draft<typeof apiVersions.response>
