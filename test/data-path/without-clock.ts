import type { Infer } from '../../src/broker/wire/field.ts'
import type { produce } from '../../src/broker/wire/messages/index.ts'

/** The refusal of a timestamp tells the broker's own time, for the batch and for each record. */
export function withoutClock(
  response: Infer<typeof produce.response>,
): Infer<typeof produce.response> {
  const masked = (message: string | null): string | null =>
    message?.replace(/now, \d+/, 'now') ?? null
  return {
    ...response,
    responses: response.responses.map(topic => ({
      ...topic,
      partitionResponses: topic.partitionResponses.map(partition => ({
        ...partition,
        recordErrors: partition.recordErrors.map(({ batchIndex, batchIndexErrorMessage }) => ({
          batchIndex,
          batchIndexErrorMessage: masked(batchIndexErrorMessage),
        })),
        errorMessage: masked(partition.errorMessage),
      })),
    })),
  }
}
