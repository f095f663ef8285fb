import { errorCode, type ErrorName } from '../wire/errors.ts'
import type { Api } from '../wire/field.ts'
import {
  apiVersions,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from '../wire/messages/index.ts'
import { features } from './features.ts'
import type { Handler } from './handler.ts'

export interface ApiVersionsDeps {
  readonly served: () => readonly Api[]
  /** Of the metadata log, as far as it is known. */
  readonly sequence: () => number
}

/** What `clientSoftwareName` and `clientSoftwareVersion` must look like (KIP-511). */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * ApiVersions: v0-4. Lists only what has a handler, and the features that are there (features.ts, G6). Before v4 a
 * client would stumble over a feature that begins at level 0 (KAFKA-17011). Unknown versions never come here (G1).
 */
export function apiVersionsHandler({
  served,
  sequence,
}: ApiVersionsDeps): Handler<ApiVersionsRequest, ApiVersionsResponse> {
  return {
    api: apiVersions,
    handle(request, { apiVersion }) {
      const isNamed =
        softwarePattern.test(request.clientSoftwareName) &&
        softwarePattern.test(request.clientSoftwareVersion)
      if (apiVersion >= 3 && !isNamed) return answer('INVALID_REQUEST', [])
      return { ...answer('NONE', served()), ...told(sequence(), apiVersion) }
    },
  }
}

/** Features with their levels; the epoch is what the metadata log had when they were read. */
function told(
  finalizedFeaturesEpoch: number,
  apiVersion: number,
): Pick<ApiVersionsResponse, 'supportedFeatures' | 'finalizedFeaturesEpoch' | 'finalizedFeatures'> {
  return {
    supportedFeatures: features
      .filter(({ minLevel }) => apiVersion >= 4 || minLevel > 0)
      .map(({ name, minLevel, maxLevel }) => ({
        name,
        minVersion: minLevel,
        maxVersion: maxLevel,
      })),
    finalizedFeaturesEpoch,
    finalizedFeatures: features.map(({ name, level }) => ({
      name,
      maxVersionLevel: level,
      minVersionLevel: level,
    })),
  }
}

function answer(error: ErrorName, apis: readonly Api[]): ApiVersionsResponse {
  return {
    errorCode: errorCode(error),
    apiKeys: apis.map(api => ({
      apiKey: api.key,
      minVersion: api.advertisedMin ?? api.versions[0],
      maxVersion: api.versions[1],
    })),
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    finalizedFeatures: [],
    zkMigrationReady: false,
  }
}
