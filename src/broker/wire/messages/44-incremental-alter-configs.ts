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

/** IncrementalAlterConfigs: sets, deletes, or edits single settings (KIP-339). */
export const incrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      /** 2: topic. 4: broker. 8: broker logger. 16: client metrics. 32: group. */
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        /** 0: set. 1: delete. 2: append to a list. 3: take out of a list. */
        configOperation: int8,
        value: nullable(string),
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      errorCode: int16,
      errorMessage: nullable(string),
      resourceType: int8,
      resourceName: string,
    }),
  },
})

export type IncrementalAlterConfigsRequest = Infer<typeof incrementalAlterConfigs.request>
export type IncrementalAlterConfigsResponse = Draft<typeof incrementalAlterConfigs.response>
