import { errorCode } from '../wire/errors.ts'
import {
  createAcls,
  type CreateAclsRequest,
  type CreateAclsResponse,
} from '../wire/messages/index.ts'
import { withoutAuthorizer } from './authorized-operations.ts'
import type { Handler } from './handler.ts'

/** CreateAcls: v1-3. Each is refused as by Kafka without an authorizer. */
export const createAclsHandler: Handler<CreateAclsRequest, CreateAclsResponse> = {
  api: createAcls,
  handle: ({ creations }) => ({
    throttleTimeMs: 0,
    results: creations.map(() => ({
      errorCode: errorCode('SECURITY_DISABLED'),
      errorMessage: withoutAuthorizer,
    })),
  }),
}
