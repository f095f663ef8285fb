import { errorCode, type ErrorName } from '../wire/errors.ts'
import type { Api } from '../wire/field.ts'
import {
  apiVersions,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** What `clientSoftwareName` and `clientSoftwareVersion` must look like (KIP-511). */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * ApiVersions: v0-4. Lists only what has a handler, and no features: a finalized feature that we do not have
 * would switch clients to protocols that we do not speak (G6). Unknown versions never come here (G1).
 */
export function apiVersionsHandler(
  served: () => readonly Api[],
): Handler<ApiVersionsRequest, ApiVersionsResponse> {
  return {
    api: apiVersions,
    handle(request, { apiVersion }) {
      const isNamed =
        softwarePattern.test(request.clientSoftwareName) &&
        softwarePattern.test(request.clientSoftwareVersion)
      if (apiVersion >= 3 && !isNamed) return answer('INVALID_REQUEST', [])
      return answer('NONE', served())
    },
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
