import { api, array, int16, int32, string, type Draft, type Infer } from '../field.ts'

/** OffsetDelete: forgets offsets of a group for partitions it does not read (KIP-496). Never flexible. */
export const offsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  request: {
    groupId: string,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    /** An error of the group as a whole. */
    errorCode: int16,
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export type OffsetDeleteRequest = Infer<typeof offsetDelete.request>
export type OffsetDeleteResponse = Draft<typeof offsetDelete.response>
