import { api, array, int16, int32, string, type Draft, type Infer } from '../field.ts'

/** DeleteGroups: forgets empty groups with their offsets (KIP-229). */
export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexible: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      groupId: string,
      errorCode: int16,
    }),
  },
})

export type DeleteGroupsRequest = Infer<typeof deleteGroups.request>
export type DeleteGroupsResponse = Draft<typeof deleteGroups.response>
