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

/**
 * AlterConfigs: replaces all settings of a resource; what is not named goes back to its default. Clients should
 * prefer IncrementalAlterConfigs.
 */
export const alterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexible: 2,
  request: {
    resources: array({
      /** 2: topic. 4: broker. 8: broker logger. 16: client metrics. 32: group. */
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        /** Null: back to the default. */
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

export type AlterConfigsRequest = Infer<typeof alterConfigs.request>
export type AlterConfigsResponse = Draft<typeof alterConfigs.response>
