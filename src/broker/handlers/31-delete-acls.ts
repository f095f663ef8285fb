import { errorCode } from '../wire/errors.ts'
import {
  deleteAcls,
  type DeleteAclsRequest,
  type DeleteAclsResponse,
} from '../wire/messages/index.ts'
import { withoutAuthorizer } from './authorized-operations.ts'
import type { Handler } from './handler.ts'

/** DeleteAcls: v1-3. Each filter is refused as by Kafka without an authorizer. */
export const deleteAclsHandler: Handler<DeleteAclsRequest, DeleteAclsResponse> = {
  api: deleteAcls,
  handle: ({ filters }) => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({
      errorCode: errorCode('SECURITY_DISABLED'),
      errorMessage: withoutAuthorizer,
      matchingAcls: [],
    })),
  }),
}
