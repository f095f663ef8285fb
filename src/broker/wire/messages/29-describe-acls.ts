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

/** DescribeAcls: the access rules that match a filter. v1 brings prefixed patterns (KIP-290). */
export const describeAcls = api({
  key: 29,
  name: 'DescribeAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    /** 1: any. 2: topic. 3: group. 4: cluster. 5: transactional id. 6: delegation token. 7: user. */
    resourceTypeFilter: int8,
    /** null: any. */
    resourceNameFilter: nullable(string),
    /** 1: any. 2: what would apply to the name. 3: literal. 4: prefixed. */
    patternTypeFilter: int8.since(1).default(3),
    /** `User:alice`; null: any. */
    principalFilter: nullable(string),
    hostFilter: nullable(string),
    /** 1: any. 2: all. From 3 on one operation each. */
    operation: int8,
    /** 1: any. 2: deny. 3: allow. */
    permissionType: int8,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullable(string),
    resources: array({
      resourceType: int8,
      resourceName: string,
      patternType: int8.since(1).default(3),
      acls: array({
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
})

export type DescribeAclsRequest = Infer<typeof describeAcls.request>
export type DescribeAclsResponse = Draft<typeof describeAcls.response>
