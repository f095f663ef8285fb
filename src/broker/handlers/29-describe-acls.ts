import { errorCode } from '../wire/errors.ts'
import {
  describeAcls,
  type DescribeAclsRequest,
  type DescribeAclsResponse,
} from '../wire/messages/index.ts'
import { withoutAuthorizer } from './authorized-operations.ts'
import type { Handler } from './handler.ts'

/** DescribeAcls: v1-3. Refused as by Kafka without an authorizer. */
export const describeAclsHandler: Handler<DescribeAclsRequest, DescribeAclsResponse> = {
  api: describeAcls,
  handle: () => ({
    throttleTimeMs: 0,
    errorCode: errorCode('SECURITY_DISABLED'),
    errorMessage: withoutAuthorizer,
    resources: [],
  }),
}
