import {
  api,
  array,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** CreateAcls: adds access rules. v1 brings prefixed patterns (KIP-290). Numbers as in DescribeAcls. */
export const createAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.since(1).default(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32,
    /** One for each creation, in its order. */
    results: array({
      errorCode: int16,
      errorMessage: nullable(string),
    }),
  },
})

export type CreateAclsRequest = Infer<typeof createAcls.request>
export type CreateAclsResponse = Draft<typeof createAcls.response>
