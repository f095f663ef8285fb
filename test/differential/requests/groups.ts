import {
  deleteGroups,
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from '../../../src/broker/wire/messages/index.ts'
import type { Json } from '../json.ts'
import { zeroUuid } from '../../../src/lib/uuid.ts'
import { type NamedTopic, pick, pickText, type Session } from '../session.ts'
import { sweep } from '../sweep.ts'
import type { Topic } from './data.ts'

/** The consumer protocol's subscription to one topic, version 0. */
function subscription(topic: string): Uint8Array {
  const bytes = Buffer.alloc(2 + 4 + 2 + topic.length + 4)
  bytes.writeInt32BE(1, 2)
  bytes.writeInt16BE(topic.length, 6)
  bytes.write(topic, 8)
  bytes.writeInt32BE(-1, 8 + topic.length)
  return bytes
}

/** A first join, of a static member: it is let in at once. */
export function joinBody(groupId: string, changes: object = {}): Record<string, unknown> {
  const protocols = [{ name: 'range', metadata: subscription('a-topic') }]
  return {
    groupId,
    sessionTimeoutMs: 60_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: 'instance',
    protocolType: 'consumer',
    protocols,
    reason: null,
    ...changes,
  }
}

/** Who a member is to its group. */
export interface Member {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
}

/** A group that waits for its leader's assignment; its one member. */
export async function joined(
  session: Session,
  name: string,
  changes: object = {},
): Promise<Member> {
  const groupId = session.own(name)
  const answer = await session.request(joinGroup, 9, joinBody(groupId, changes))
  if (pick(answer, 'errorCode') !== 0) throw new Error(`${groupId}: ${JSON.stringify(answer)}`)
  const memberId = pickText(answer, 'memberId')
  return { groupId, memberId, generationId: Number(pick(answer, 'generationId')) }
}

export function syncBody({ groupId, memberId, generationId }: Member): Record<string, unknown> {
  const assignments = [{ memberId, assignment: Buffer.from('a part') }]
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  return { groupId, generationId, memberId, groupInstanceId: 'instance', ...protocol, assignments }
}

/** A group at work, of one static member. */
export async function stable(
  session: Session,
  name: string,
  changes: object = {},
): Promise<Member> {
  const member = await joined(session, name, changes)
  await session.request(syncGroup, 5, syncBody(member))
  return member
}

/** Offsets in a topic of two partitions, by a consumer that is in no group. */
async function committed(
  session: Session,
  name: string,
): Promise<{ groupId: string; topic: NamedTopic }> {
  const topic = await session.named(await session.topic(name, { partitions: 2 }))
  const groupId = session.own(name)
  await session.request(offsetCommit, 9, commitBody(groupId, topic))
  return { groupId, topic }
}

export function commitBody(groupId: string, of: Topic): Record<string, unknown> {
  const topic = typeof of === 'string' ? { name: of } : of
  const partitions = [
    { partitionIndex: 0, committedOffset: 42, committedLeaderEpoch: 3, committedMetadata: 'note' },
  ]
  const nobody = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
  return { groupId, ...nobody, retentionTimeMs: -1, topics: [{ ...topic, partitions }] }
}

/** What a fetch of offsets asks for in versions with one group, and in those with several. */
export function offsetFetchBody(groupId: string, topic: NamedTopic): Record<string, unknown> {
  const topics = [{ ...topic, partitionIndexes: [0, 1] }]
  const groups = [{ groupId, memberId: null, memberEpoch: -1, topics }]
  return { groupId, topics, groups, requireStable: false }
}

export const groupSweeps = [
  ...sweep({
    api: offsetCommit,
    base: async (session, at) => {
      return commitBody(session.own(at), await session.named(await session.topic(at)))
    },
    after: async (session, label, body) => {
      const name = pickText(body['topics'] as Json, 0, 'name')
      const ask = offsetFetchBody(session.own('0'), { name, topicId: zeroUuid })
      if (label.includes('committed')) await session.ask(`${label}: fetched`, offsetFetch, 7, ask)
    },
  }),
  ...sweep({
    api: offsetFetch,
    base: async (session, at) => {
      const { groupId, topic } = await committed(session, at)
      return offsetFetchBody(groupId, topic)
    },
  }),
  ...sweep({
    api: findCoordinator,
    base: session => ({ key: session.own('0'), keyType: 0, coordinatorKeys: [session.own('0')] }),
    // The coordinator of transactions is asked for in requests/idempotence.ts.
    except: ['keyType'],
  }),
  ...sweep({
    api: joinGroup,
    changes: true,
    base: (session, at) => joinBody(session.own(at)),
    unanswered: 'protocols has one twice',
  }),
  ...sweep({
    api: heartbeat,
    base: async (session, at) => ({ ...(await stable(session, at)), groupInstanceId: 'instance' }),
  }),
  ...sweep({
    api: leaveGroup,
    changes: true,
    base: async (session, at) => {
      const { groupId, memberId } = await stable(session, at)
      return { groupId, memberId, members: [{ memberId, groupInstanceId: null, reason: null }] }
    },
  }),
  ...sweep({
    api: syncGroup,
    changes: true,
    base: async (session, at) => syncBody(await joined(session, at)),
  }),
  ...sweep({
    api: describeGroups,
    base: async (session, at) => {
      const { groupId } = await stable(session, at)
      return { groups: [groupId], includeAuthorizedOperations: true }
    },
  }),
  ...sweep({
    api: listGroups,
    base: async (session, at) => {
      await committed(session, at)
      await stable(session, `${at}-stable`)
      return { statesFilter: ['Stable'], typesFilter: ['classic'] }
    },
  }),
  ...sweep({
    api: deleteGroups,
    changes: true,
    base: async (session, at) => ({ groupsNames: [(await committed(session, at)).groupId] }),
  }),
  ...sweep({
    api: offsetDelete,
    changes: true,
    base: async (session, at) => {
      const { groupId, topic } = await committed(session, at)
      return { groupId, topics: [{ ...topic, partitions: [{ partitionIndex: 0 }] }] }
    },
  }),
]
