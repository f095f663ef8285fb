import type { Cluster } from '../cluster/cluster.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  createPartitions,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import type { Handler } from './handler.ts'

export interface CreatePartitionsDeps {
  readonly cluster: Cluster
  /** Resolves when the logs of new partitions are open. */
  readonly settled: () => Promise<void>
}

/**
 * CreatePartitions: v0-3 (KIP-195). Each topic is answered on its own, with what is wrong and how to mend it;
 * `validateOnly` changes nothing. The answer waits until the metadata log has the partitions and they can be written.
 */
export function createPartitionsHandler({
  cluster,
  settled,
}: CreatePartitionsDeps): Handler<CreatePartitionsRequest, CreatePartitionsResponse> {
  return {
    api: createPartitions,
    async handle({ topics, validateOnly, timeoutMs }) {
      const wishes = topics.map(({ name, count, assignments }) => ({
        name,
        count,
        assignments: assignments?.map(({ brokerIds }) => brokerIds) ?? null,
      }))
      const waitMsMax = changeTimeoutMs(timeoutMs)
      const results = await cluster.createPartitions(wishes, validateOnly, waitMsMax)
      if (!validateOnly) await settled()
      return {
        throttleTimeMs: 0,
        results: results.map(({ name, error, message }) => ({
          name,
          errorCode: errorCode(error as ErrorName),
          errorMessage: message,
        })),
      }
    },
  }
}
