import {
  api,
  array,
  bool,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** UpdateFeatures: moves the cluster's features to other levels (KIP-584). v1 knows ways down (KIP-778). */
export const updateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexible: 0,
  request: {
    timeoutMs: int32.default(60_000),
    featureUpdates: array({
      feature: string,
      /** 0: no longer. */
      maxVersionLevel: int16,
      allowDowngrade: bool.until(0),
      /** 1: up. 2: down without loss. 3: down. */
      upgradeType: int8.since(1).default(1),
    }),
    validateOnly: bool.since(1).default(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullable(string),
    results: array({
      feature: string,
      errorCode: int16,
      errorMessage: nullable(string),
    }).until(1),
  },
})

export type UpdateFeaturesRequest = Infer<typeof updateFeatures.request>
export type UpdateFeaturesResponse = Draft<typeof updateFeatures.response>
