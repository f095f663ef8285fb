import { zeroUuid } from '../../lib/uuid.ts'
import type { Partitions } from '../partition/partitions.ts'
import { fetch, type FetchRequest, type FetchResponse } from '../wire/messages/index.ts'
import type { Endpoints } from './endpoints.ts'
import { FullFetch, SessionFetch, type Asked } from './fetch/asked.ts'
import type { Answered } from './fetch/carried.ts'
import { emptyAnswer, fetchAnswer, refusedAnswer } from './fetch/fetch-answer.ts'
import { FetchCall, type FetchDeps } from './fetch/fetch-call.ts'
import { followerOf, type Fetching } from './fetch/follower.ts'
import type { FetchSessionCache, Opening } from './fetch/sessions/session-cache.ts'
import type { Wish } from './fetch/sessions/wish.ts'
import type { Handler, RequestContext } from './handler.ts'
import { isolationLevels } from './isolation-level.ts'

export interface FetchHandlerDeps extends FetchDeps {
  readonly partitions: Partitions
  readonly sessions: FetchSessionCache
  readonly endpoints: Endpoints
}

/** The first version that has ids of topics in place of their names (KIP-516). */
const idVersionMin = 13

/**
 * Fetch: v4-18, full or as a step of a session (KIP-227), which is told by the session epoch alone. By id since v13: one
 * that no topic has is UNKNOWN_TOPIC_ID; where a session's topic was deleted, and made anew under its name, the session
 * hears of INCONSISTENT_TOPIC_ID.
 *
 * Partitions are served in request order, one that is named twice once; of a session who got records last comes last.
 * Each answer names a range of a segment file, which the network sends from the page cache. The first non-empty
 * partition gives at least one whole batch (G29). With too little to send the request parks until enough became
 * readable, something changed, or the wait is over (G30); more than an answer may have is not waited for.
 */
export function fetchHandler(deps: FetchHandlerDeps): Handler<FetchRequest, FetchResponse> {
  return {
    api: fetch,
    handle(request, context) {
      const opening = open(deps, request, context)
      if (opening.kind === 'refused') return emptyAnswer(opening.error)
      if (!isolationLevels.has(request.isolationLevel)) {
        return refusedAnswer(request, 'UNKNOWN_SERVER_ERROR', context.apiVersion)
      }
      const follower = followerOf(request)
      if (follower !== null) deps.partitions.heardFrom(follower.brokerId, context.connectionId)
      const fetching = { request, context, follower }
      const asked = askedBy(deps, opening, fetching)
      const answer = (told: Answered): FetchResponse => fetchAnswer(deps, told, fetching)
      const told = new FetchCall(deps, asked, fetching).run()
      return told instanceof Promise ? told.then(answer) : answer(told)
    },
  }
}

type Opened =
  | Exclude<Opening, { kind: 'full' }>
  | (Extract<Opening, { kind: 'full' }> & { readonly wishes: readonly Wish[] })

function open(
  { partitions, sessions, clock }: FetchHandlerDeps,
  request: FetchRequest,
  { apiVersion, connectionId }: RequestContext,
): Opened {
  const { sessionId, sessionEpoch } = request
  const usesTopicIds = apiVersion >= idVersionMin
  const wishes = wishesOf(request, usesTopicIds ? partitions : null)
  const forgotten = request.forgottenTopicsData.flatMap(({ topic, topicId, partitions: of }) =>
    of.map(partition => ({ topic, topicId, partition })),
  )
  const asked = { sessionId, sessionEpoch, usesTopicIds, wishes, forgotten }
  const opening = sessions.open(asked, clock.monotonic())
  if (opening.kind === 'incremental') opening.session.readBy(connectionId)
  return opening.kind === 'full' ? { ...opening, wishes } : opening
}

function askedBy(
  deps: FetchHandlerDeps,
  opened: Exclude<Opened, { kind: 'refused' }>,
  { context, follower }: Fetching,
): Asked {
  const reads = follower === null ? 'consumer' : 'follower'
  if (opened.kind === 'incremental') {
    return new SessionFetch(deps.partitions, reads, opened.session, opened.epoch)
  }
  const usesTopicIds = context.apiVersion >= idVersionMin
  const session = { isPrivileged: reads === 'follower', usesTopicIds }
  return new FullFetch(deps, reads, opened.wishes, opened.beginsSession ? session : null)
}

/** What is asked for, in its order. `names`: of topics by id. */
function wishesOf(
  { topics }: FetchRequest,
  names: Pick<Partitions, 'topicName'> | null,
): readonly Wish[] {
  const wishes: Wish[] = []
  for (const { topic: given, topicId: id, partitions } of topics) {
    const topic = names === null ? given : (names.topicName(id) ?? null)
    const topicId = names === null ? zeroUuid : id
    for (const asked of partitions) {
      wishes.push({
        topicId,
        topic,
        partition: asked.partition,
        fetchOffset: asked.fetchOffset,
        partitionMaxBytes: asked.partitionMaxBytes,
        currentLeaderEpoch: asked.currentLeaderEpoch,
        lastFetchedEpoch: asked.lastFetchedEpoch,
        logStartOffset: asked.logStartOffset,
      })
    }
  }
  return wishes.length < 2 ? wishes : wishedOnce(wishes, names !== null)
}

/** Each partition once: of one that is named twice the last counts, where the first stood. */
function wishedOnce(wishes: readonly Wish[], usesTopicIds: boolean): readonly Wish[] {
  const once: Wish[] = []
  const placesByTopic = new Map<string, Map<number, number>>()
  for (const wish of wishes) {
    const key = usesTopicIds ? wish.topicId : (wish.topic ?? '')
    let places = placesByTopic.get(key)
    if (places === undefined) placesByTopic.set(key, (places = new Map()))
    const place = places.get(wish.partition) ?? once.length
    places.set(wish.partition, place)
    once[place] = wish
  }
  return once
}
