import {
  api,
  array,
  bool,
  float64,
  int16,
  int32,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** AlterClientQuotas: sets and removes quotas of users, client ids and addresses (KIP-546). */
export const alterClientQuotas = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexible: 1,
  request: {
    entries: array({
      entity: array({
        /** `user`, `client-id` or `ip`. */
        entityType: string,
        /** null: the default. */
        entityName: nullable(string),
      }),
      ops: array({
        /** `producer_byte_rate` and its like. */
        key: string,
        value: float64,
        remove: bool,
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    entries: array({
      errorCode: int16,
      errorMessage: nullable(string),
      entity: array({
        entityType: string,
        entityName: nullable(string),
      }),
    }),
  },
})

export type AlterClientQuotasRequest = Infer<typeof alterClientQuotas.request>
export type AlterClientQuotasResponse = Draft<typeof alterClientQuotas.response>
