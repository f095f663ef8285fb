import type { Cluster } from '../cluster/cluster.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  deleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import type { Handler } from './handler.ts'

/**
 * DeleteTopics: v1-6, by name, from v6 also by id (KIP-516). Each topic is answered on its own, after the
 * metadata log has its deletion; its directories go afterwards.
 */
export function deleteTopicsHandler(
  cluster: Cluster,
): Handler<DeleteTopicsRequest, DeleteTopicsResponse> {
  return {
    api: deleteTopics,
    async handle({ topics, topicNames, timeoutMs }, { apiVersion }) {
      const wishes =
        apiVersion >= 6
          ? topics.map(({ name, topicId }) => ({ name, id: topicId === zeroUuid ? null : topicId }))
          : topicNames.map(name => ({ name, id: null }))
      const results = await cluster.deleteTopics(wishes, changeTimeoutMs(timeoutMs))
      return {
        throttleTimeMs: 0,
        responses: results.map(result => ({
          name: result.name,
          topicId: result.id ?? zeroUuid,
          errorCode: errorCode(result.error as ErrorName),
          errorMessage: result.message,
        })),
      }
    },
  }
}
