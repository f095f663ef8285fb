import type { Cluster } from '../cluster/cluster.ts'
import type { ReassignmentWish } from '../cluster/controller/commands.ts'
import { errorCode } from '../wire/errors.ts'
import {
  alterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import type { Handler } from './handler.ts'

/** AlterPartitionReassignments: v0-1 (KIP-455). The controller decides, and answers when the reassignment has begun. */
export function alterPartitionReassignmentsHandler(
  cluster: Pick<Cluster, 'ask'>,
): Handler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse> {
  return {
    api: alterPartitionReassignments,
    async handle({ topics, timeoutMs, allowReplicationFactorChange }) {
      const wishes = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex: index, replicas }): ReassignmentWish => ({
          topic: name,
          index,
          replicas,
        })),
      )
      const mayChangeFactor = allowReplicationFactorChange
      const command = { type: 'alterReassignments', wishes, mayChangeFactor } as const
      const answer = await cluster.ask(command, changeTimeoutMs(timeoutMs))
      const isRefused = answer.type === 'refused'
      const results = (answer.type === 'reassignmentsAltered' ? answer.results : []).values()
      const responses = topics.map(({ name, partitions }) => ({
        name,
        partitions: isRefused
          ? []
          : partitions.map(({ partitionIndex }) => {
              const { error, message } = results.next().value!
              return { partitionIndex, errorCode: errorCode(error), errorMessage: message }
            }),
      }))
      return {
        throttleTimeMs: 0,
        allowReplicationFactorChange,
        errorCode: errorCode(isRefused ? answer.error : 'NONE'),
        errorMessage: isRefused ? answer.message : null,
        responses: isRefused ? [] : responses,
      }
    },
  }
}
