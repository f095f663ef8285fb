import { api, array, int16, int32, string, type Draft, type Infer } from '../field.ts'

/** ListGroups: the groups that this broker coordinates. v4 filters by state (KIP-518), v5 by type (KIP-848). */
export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  request: {
    /** Empty: all. */
    statesFilter: array(string).since(4),
    /** Empty: all. */
    typesFilter: array(string).since(5),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: string.since(4),
      groupType: string.since(5),
    }),
  },
})

export type ListGroupsRequest = Infer<typeof listGroups.request>
export type ListGroupsResponse = Draft<typeof listGroups.response>
