import {
  api,
  array,
  bool,
  float64,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** DescribeClientQuotas: the quotas of users, client ids and addresses (KIP-546). */
export const describeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexible: 1,
  request: {
    components: array({
      /** `user`, `client-id` or `ip`. */
      entityType: string,
      /** 0: the name in `match`. 1: the default. 2: any name. */
      matchType: int8,
      match: nullable(string),
    }),
    /** Leave out quotas that name a type of entity beyond those asked for. */
    strict: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullable(string),
    /** null with an error. */
    entries: nullable(
      array({
        entity: array({
          entityType: string,
          /** null: the default. */
          entityName: nullable(string),
        }),
        values: array({
          key: string,
          value: float64,
        }),
      }),
    ),
  },
})

export type DescribeClientQuotasRequest = Infer<typeof describeClientQuotas.request>
export type DescribeClientQuotasResponse = Draft<typeof describeClientQuotas.response>
