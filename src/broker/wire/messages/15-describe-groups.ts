import {
  api,
  array,
  bool,
  bytes,
  int16,
  int32,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * DescribeGroups: state and members of groups. v3 brings authorized operations, v4 static members, v6 an error
 * message and GROUP_ID_NOT_FOUND (KIP-1043).
 */
export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: bool.since(3),
  },
  response: {
    throttleTimeMs: int32.since(1),
    groups: array({
      errorCode: int16,
      errorMessage: nullable(string).since(6).default(null),
      groupId: string,
      groupState: string,
      protocolType: string,
      /** Name of the assignor chosen. */
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: nullable(string).since(4).default(null),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      /** A bit field; -2^31 where it was not asked for. */
      authorizedOperations: int32.since(3).default(-0x80000000),
    }),
  },
})

export type DescribeGroupsRequest = Infer<typeof describeGroups.request>
export type DescribeGroupsResponse = Draft<typeof describeGroups.response>
