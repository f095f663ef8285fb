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
 * DescribeConfigs: settings of topics, brokers and groups. v1 says where each comes from (KIP-226), v3 brings types
 * and documentation (KIP-569).
 */
export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexible: 4,
  request: {
    resources: array({
      /** 2: topic. 4: broker. 8: broker logger. 16: client metrics. 32: group. */
      resourceType: int8,
      resourceName: string,
      /** Null: all of them. */
      configurationKeys: nullable(array(string)),
    }),
    includeSynonyms: bool,
    includeDocumentation: bool.since(3),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: nullable(string),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: nullable(string),
        readOnly: bool,
        /** 1: topic. 2: broker, dynamic. 3: all brokers, dynamic. 4: broker, static. 5: default. */
        configSource: int8.default(-1),
        isSensitive: bool,
        /** Where the value could come from, strongest first. */
        synonyms: array({
          name: string,
          value: nullable(string),
          source: int8,
        }),
        /** 1: boolean. 2: string. 3: int. 4: short. 5: long. 6: double. 7: list. 8: class. 9: password. */
        configType: int8.since(3),
        documentation: nullable(string).since(3),
      }),
    }),
  },
})

export type DescribeConfigsRequest = Infer<typeof describeConfigs.request>
export type DescribeConfigsResponse = Draft<typeof describeConfigs.response>
