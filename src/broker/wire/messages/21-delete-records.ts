import { api, array, int16, int32, int64, string, type Draft, type Infer } from '../field.ts'

/** DeleteRecords: moves the start of a partition's log up, so that all before it is gone (KIP-107). */
export const deleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,
  request: {
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** All before it goes. -1: up to the high watermark. */
        offset: int64,
      }),
    }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** The lowest log start of all live replicas, or -1. */
        lowWatermark: int64,
        errorCode: int16,
      }),
    }),
  },
})

export type DeleteRecordsRequest = Infer<typeof deleteRecords.request>
export type DeleteRecordsResponse = Draft<typeof deleteRecords.response>
