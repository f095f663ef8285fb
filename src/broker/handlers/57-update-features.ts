import { errorCode } from '../wire/errors.ts'
import {
  updateFeatures,
  type UpdateFeaturesRequest,
  type UpdateFeaturesResponse,
} from '../wire/messages/index.ts'
import { features } from './features.ts'
import type { Handler } from './handler.ts'

type Update = UpdateFeaturesRequest['featureUpdates'][number]

/** Up, down without loss, down. */
const upgradeTypes = [1, 2, 3]

/**
 * UpdateFeatures: v0-2. Every feature has the only level that this broker knows, and stays there; each other wish fails,
 * and with it the whole request, as in Kafka.
 */
export const updateFeaturesHandler: Handler<UpdateFeaturesRequest, UpdateFeaturesResponse> = {
  api: updateFeatures,
  handle({ featureUpdates }, { apiVersion }) {
    const problem = featureUpdates.map(update => problemOf(update, apiVersion)).find(Boolean)
    if (problem !== undefined && problem !== null) {
      const failed = errorCode('INVALID_UPDATE_VERSION')
      return { throttleTimeMs: 0, errorCode: failed, errorMessage: problem, results: [] }
    }
    return {
      throttleTimeMs: 0,
      errorCode: errorCode('NONE'),
      errorMessage: null,
      results: featureUpdates.map(({ feature }) => ({
        feature,
        errorCode: errorCode('NONE'),
        errorMessage: 'NONE',
      })),
    }
  },
}

function problemOf(
  { feature, maxVersionLevel, upgradeType }: Update,
  apiVersion: number,
): string | null {
  const known = features.find(({ name }) => name === feature)
  if (known === undefined) {
    const names = features.map(({ name }) => name).join(', ')
    return `There is no feature '${feature}' here; there is ${names}. Nothing was changed.`
  }
  if (maxVersionLevel !== known.level) {
    return `Feature '${feature}' is at level ${known.level} and stays there: this broker knows no other. Nothing was changed.`
  }
  if (apiVersion >= 1 && !upgradeTypes.includes(upgradeType)) {
    return `There is no way of changing a feature with number ${upgradeType}: 1 is up, 2 and 3 are down. Nothing was changed.`
  }
  return null
}
