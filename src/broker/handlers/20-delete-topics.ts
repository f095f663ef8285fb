import type { Cluster } from '../cluster/cluster.ts'
import type { Settings } from '../config/settings.ts'
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
 * metadata log has its deletion; its directories go afterwards. With `delete.topic.enable=false` all are refused.
 */
export function deleteTopicsHandler(
  cluster: Cluster,
  { deleteTopicEnable }: Pick<Settings, 'deleteTopicEnable'>,
): Handler<DeleteTopicsRequest, DeleteTopicsResponse> {
  return {
    api: deleteTopics,
    async handle(request, { apiVersion }) {
      const wishes = wishesOf(request, apiVersion)
      const results = deleteTopicEnable
        ? await cluster.deleteTopics(wishes, changeTimeoutMs(request.timeoutMs))
        : wishes.map(wish => ({ ...wish, ...disabled(apiVersion) }))
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

function wishesOf({ topics, topicNames }: DeleteTopicsRequest, apiVersion: number) {
  if (apiVersion < 6) return topicNames.map(name => ({ name, id: null }))
  return topics.map(({ name, topicId }) => ({ name, id: topicId === zeroUuid ? null : topicId }))
}

/** Clients of older versions do not know the error. */
function disabled(apiVersion: number): { readonly error: ErrorName; readonly message: string } {
  const error = apiVersion < 3 ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED'
  const message = 'Topics cannot be deleted: the broker was started with delete.topic.enable=false.'
  return { error, message }
}
