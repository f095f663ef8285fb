import { errorCode } from '../wire/errors.ts'
import {
  alterClientQuotas,
  type AlterClientQuotasRequest,
  type AlterClientQuotasResponse,
} from '../wire/messages/index.ts'
import { quotaEntityTypes } from './48-describe-client-quotas.ts'
import type { Handler } from './handler.ts'

/**
 * AlterClientQuotas: v0-1. Refused until quotas are enforced: an administrator who sets one must not believe that it
 * holds (docs/compatibility.md).
 */
export const alterClientQuotasHandler: Handler<
  AlterClientQuotasRequest,
  AlterClientQuotasResponse
> = {
  api: alterClientQuotas,
  handle: ({ entries }) => ({
    throttleTimeMs: 0,
    entries: entries.map(({ entity }) => {
      const unknown = entity.find(({ entityType }) => !quotaEntityTypes.has(entityType))
      return {
        errorCode: errorCode(unknown === undefined ? 'POLICY_VIOLATION' : 'INVALID_REQUEST'),
        errorMessage:
          unknown === undefined
            ? 'This broker does not enforce quotas yet, so it keeps none.'
            : `There are no quotas for '${unknown.entityType}': they are for user, client-id and ip.`,
        entity,
      }
    }),
  }),
}
