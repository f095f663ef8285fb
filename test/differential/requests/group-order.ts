import {
  deleteGroups,
  describeGroups,
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
import { pick, pickText, type Scenario, type Session } from '../session.ts'
import { commitBody, joinBody, joined, type Member, stable, syncBody } from './groups.ts'

const dynamic = { groupInstanceId: null }

/** Everything that a member asks of its group, by one that is none. */
async function strangers(session: Session): Promise<void> {
  const groupId = session.own('nobody')
  const stranger = { groupId, memberId: 'stranger', generationId: 1, ...dynamic }
  await session.ask('heartbeat', heartbeat, 4, stranger)
  await session.ask('sync', syncGroup, 5, { ...syncBody(stranger), ...dynamic })
  await session.ask('leave', leaveGroup, 5, {
    groupId,
    members: [{ memberId: 'stranger', ...dynamic, reason: null }],
  })
  await session.ask('leave of one', leaveGroup, 1, stranger)
  await session.ask(
    'join as somebody',
    joinGroup,
    9,
    joinBody(groupId, { memberId: 'stranger', ...dynamic }),
  )
  const topic = await session.topic('topic')
  const commit = {
    ...commitBody(groupId, topic),
    memberId: 'stranger',
    generationIdOrMemberEpoch: 1,
  }
  await session.ask('commit', offsetCommit, 9, commit)
  await session.ask('commit with a generation and no name', offsetCommit, 9, {
    ...commit,
    memberId: '',
  })
  await session.ask('commit with a name and no generation', offsetCommit, 9, {
    ...commit,
    generationIdOrMemberEpoch: -1,
  })
  for (const version of [5, 6]) {
    await session.ask(`described in v${version}`, describeGroups, version, { groups: [groupId] })
  }
  await session.ask('deleted', deleteGroups, 2, { groupsNames: [groupId] })
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0 }] }]
  await session.ask('its offsets deleted', offsetDelete, 0, { groupId, topics })
}

/** A join by version: with an id asked for first, or at once. */
async function joins(session: Session): Promise<void> {
  for (let version = 0; version <= 9; version++) {
    const groupId = session.own(`v${version}`)
    const first = await session.ask(
      `first in v${version}`,
      joinGroup,
      version,
      joinBody(groupId, dynamic),
    )
    const memberId = pick(first, 'memberId')
    const again = joinBody(groupId, { ...dynamic, memberId })
    if (version >= 4) await session.ask(`then in v${version}`, joinGroup, version, again)
    await session.ask(`again in v${version}`, joinGroup, version, again)
    await session.ask(`described after v${version}`, describeGroups, 5, { groups: [groupId] })
  }
}

/** What a group refuses at its door. */
async function doors(session: Session): Promise<void> {
  const ask = async (label: string, changes: object): Promise<Json> => {
    return await session.ask(
      label,
      joinGroup,
      9,
      joinBody(session.own(label.replaceAll(' ', '-')), changes),
    )
  }
  await ask('no protocol', { protocols: [] })
  await ask('no protocol type', { protocolType: '' })
  await ask('session of 5999 ms', { sessionTimeoutMs: 5999 })
  await ask('session of 6000 ms', { sessionTimeoutMs: 6000 })
  await ask('session of 30 min', { sessionTimeoutMs: 1_800_000 })
  await ask('session beyond 30 min', { sessionTimeoutMs: 1_800_001 })
  await ask('protocol without a name', { protocols: [{ name: '', metadata: Buffer.alloc(0) }] })
  await session.ask('no group', joinGroup, 9, joinBody(''))
  const { groupId } = await stable(session, 'taken')
  const two = (changes: object): Record<string, unknown> =>
    joinBody(groupId, { groupInstanceId: 'other', ...changes })
  await session.ask('another protocol type', joinGroup, 9, two({ protocolType: 'connect' }))
  await session.ask(
    'no protocol in common',
    joinGroup,
    9,
    two({ protocols: [{ name: 'sticky', metadata: Buffer.alloc(1) }] }),
  )
  await session.ask(
    'a name for a static member',
    joinGroup,
    9,
    joinBody(groupId, { memberId: 'stranger' }),
  )
}

/** One member through a generation, with every call at the wrong moment too. */
async function order(session: Session): Promise<void> {
  const member = await joined(session, 'group')
  const { groupId, memberId, generationId } = member
  const beat = (changes: object = {}) => ({
    groupId,
    memberId,
    generationId,
    ...dynamic,
    ...changes,
  })
  const topic = await session.topic('topic')
  const commit = (changes: object = {}): Record<string, unknown> => {
    return {
      ...commitBody(groupId, topic),
      generationIdOrMemberEpoch: generationId,
      memberId,
      ...changes,
    }
  }
  const sync = (changes: object = {}): Record<string, unknown> => ({
    ...syncBody(member),
    ...changes,
  })
  await session.ask('heartbeat before the assignment', heartbeat, 4, beat())
  await session.ask('commit before the assignment', offsetCommit, 9, commit())
  await session.ask('described before the assignment', describeGroups, 5, { groups: [groupId] })
  await session.ask(
    'sync of the last generation',
    syncGroup,
    5,
    sync({ generationId: generationId - 1 }),
  )
  await session.ask('sync of another protocol', syncGroup, 5, sync({ protocolName: 'sticky' }))
  await session.ask(
    'sync of another protocol type',
    syncGroup,
    5,
    sync({ protocolType: 'connect' }),
  )
  await session.ask('sync', syncGroup, 5, sync())
  await session.ask('sync again', syncGroup, 5, sync())
  await session.ask('heartbeat', heartbeat, 4, beat())
  await session.ask(
    'heartbeat of the next generation',
    heartbeat,
    4,
    beat({ generationId: generationId + 1 }),
  )
  await session.ask('heartbeat of another', heartbeat, 4, beat({ memberId: 'stranger' }))
  await session.ask('commit', offsetCommit, 9, commit())
  await session.ask(
    'commit of the next generation',
    offsetCommit,
    9,
    commit({ generationIdOrMemberEpoch: generationId + 1 }),
  )
  await session.ask('commit of another', offsetCommit, 9, commit({ memberId: 'stranger' }))
  await session.ask('commit by nobody', offsetCommit, 9, commitBody(groupId, topic))
  await session.ask('deleted', deleteGroups, 2, { groupsNames: [groupId] })
  const partitions = [{ partitionIndex: 0 }, { partitionIndex: 9 }]
  await session.ask('its offsets deleted', offsetDelete, 0, {
    groupId,
    topics: [{ name: topic, partitions }],
  })
  await session.ask('offsets of a topic that it reads', offsetDelete, 0, {
    groupId,
    topics: [{ name: 'a-topic', partitions }],
  })
  await session.ask('described', describeGroups, 6, {
    groups: [groupId],
    includeAuthorizedOperations: true,
  })
  await session.ask('listed', listGroups, 5, { statesFilter: [], typesFilter: [] })
  const leave = { groupId, members: [{ memberId, ...dynamic, reason: null }] }
  await session.ask('left', leaveGroup, 5, leave)
  await session.ask('left again', leaveGroup, 5, leave)
  await session.ask('heartbeat after leaving', heartbeat, 4, beat())
  await session.ask('described when empty', describeGroups, 6, { groups: [groupId] })
  await session.ask('listed when empty', listGroups, 5, {
    statesFilter: ['Empty'],
    typesFilter: [],
  })
  await session.ask('commit by nobody, when empty', offsetCommit, 9, commitBody(groupId, topic))
  await session.ask('deleted when empty', deleteGroups, 2, { groupsNames: [groupId] })
  await session.ask('described when deleted', describeGroups, 6, { groups: [groupId] })
}

/** Static members: who comes again, who is pushed out. */
async function statics(session: Session): Promise<void> {
  const first = await stable(session, 'group')
  const { groupId } = first
  const second = await session.ask('the same instance comes again', joinGroup, 9, joinBody(groupId))
  const memberId = pickText(second, 'memberId')
  const generationId = Number(pick(second, 'generationId'))
  const now: Member = { groupId, memberId, generationId }
  const old = { ...first, groupInstanceId: 'instance' }
  await session.ask('sync of the new one', syncGroup, 5, syncBody(now))
  await session.ask('heartbeat of the old one', heartbeat, 4, old)
  await session.ask('sync of the old one', syncGroup, 5, syncBody(first))
  await session.ask(
    'join of the old one',
    joinGroup,
    9,
    joinBody(groupId, { memberId: first.memberId }),
  )
  const topic = await session.topic('topic')
  const commit = {
    ...commitBody(groupId, topic),
    memberId: first.memberId,
    groupInstanceId: 'instance',
    generationIdOrMemberEpoch: generationId,
  }
  await session.ask('commit of the old one', offsetCommit, 9, commit)
  await session.ask('heartbeat of an unknown instance', heartbeat, 4, {
    ...now,
    groupInstanceId: 'other',
  })
  await session.ask('heartbeat without the instance', heartbeat, 4, { ...now, ...dynamic })
  for (const [label, of] of Object.entries({
    'an unknown instance': { memberId: '', groupInstanceId: 'other' },
    'the instance under the old name': { memberId: first.memberId, groupInstanceId: 'instance' },
    'the instance': { memberId: '', groupInstanceId: 'instance' },
  })) {
    await session.ask(`${label} leaves`, leaveGroup, 5, {
      groupId,
      members: [{ ...of, reason: 'why not' }],
    })
  }
  const members = [
    { memberId: 'a', ...dynamic, reason: null },
    { memberId: '', ...dynamic, reason: null },
  ]
  await session.ask('two strangers leave', leaveGroup, 5, { groupId, members })
  await session.ask('nobody leaves', leaveGroup, 5, { groupId, members: [] })
}

/** Two members over two connections: the second one's coming makes the first join again. */
async function two(session: Session): Promise<void> {
  const first = await stable(session, 'group')
  const { groupId } = first
  const other = session.over('second')
  const join = joinBody(groupId, { groupInstanceId: 'second' })
  const coming = other.ask('the second joins', joinGroup, 9, join)
  await session.until('the group is rebalancing', async () => {
    const answer = await session.request(heartbeat, 4, { ...first, groupInstanceId: 'instance' })
    return pick(answer, 'errorCode') === 27
  })
  const topic = await session.topic('topic')
  const commit = {
    ...commitBody(groupId, topic),
    memberId: first.memberId,
    groupInstanceId: 'instance',
  }
  await session.ask('commit meanwhile', offsetCommit, 9, {
    ...commit,
    generationIdOrMemberEpoch: first.generationId,
  })
  await session.ask('sync meanwhile', syncGroup, 5, syncBody(first))
  await session.ask('described meanwhile', describeGroups, 5, { groups: [groupId] })
  const again = await session.ask(
    'the first joins again',
    joinGroup,
    9,
    joinBody(groupId, { memberId: first.memberId }),
  )
  const second = await coming
  const generationId = Number(pick(again, 'generationId'))
  const follower = { groupId, memberId: pickText(second, 'memberId'), generationId }
  const sync = { ...syncBody(follower), groupInstanceId: 'second', assignments: [] }
  const waiting = other.ask('the second syncs', syncGroup, 5, sync)
  const assignments = [first.memberId, follower.memberId].map((memberId, at) => {
    return { memberId, assignment: Buffer.from(`part ${at}`) }
  })
  await session.ask('the first syncs', syncGroup, 5, {
    ...syncBody({ ...first, generationId }),
    assignments,
  })
  await waiting
  await session.ask('described', describeGroups, 5, { groups: [groupId] })
}

/** What is kept of a commit. */
async function commits(session: Session): Promise<void> {
  const topic = await session.topic('topic', { partitions: 4 })
  const groupId = session.own('group')
  const values: Record<string, object> = {
    'offset 0': { committedOffset: 0 },
    'offset -1': { committedOffset: -1 },
    'offset 2^53+1': { committedOffset: 2n ** 53n + 1n },
    'offset 2^63-1': { committedOffset: 2n ** 63n - 1n },
    'no metadata': { committedMetadata: null },
    'empty metadata': { committedMetadata: '' },
    'metadata of 4096': { committedMetadata: 'm'.repeat(4096) },
    'metadata of 4097': { committedMetadata: 'm'.repeat(4097) },
    'metadata beyond ASCII': { committedMetadata: 'é\u{1f600}' },
    'leader epoch 2^31-1': { committedLeaderEpoch: 0x7fffffff },
  }
  for (const [label, change] of Object.entries(values)) {
    const partition = {
      partitionIndex: 1,
      committedOffset: 5,
      committedLeaderEpoch: -1,
      committedMetadata: 'note',
    }
    const topics = [{ name: topic, partitions: [{ ...partition, ...change }] }]
    await session.ask(label, offsetCommit, 9, { ...commitBody(groupId, topic), topics })
    for (const version of [1, 9]) {
      const asked = [{ name: topic, partitionIndexes: [1, 2, 9] }]
      const body = { groupId, topics: asked, groups: [{ groupId, topics: asked }] }
      await session.ask(`${label}: fetched in v${version}`, offsetFetch, version, body)
    }
  }
  for (const version of [2, 5, 7, 8, 9]) {
    const body = {
      groupId,
      topics: null,
      groups: [
        { groupId, topics: null },
        { groupId: session.own('no-such'), topics: null },
      ],
    }
    await session.ask(`all of it in v${version}`, offsetFetch, version, body)
  }
  const where = [
    { name: session.own('no-such'), partitions: [{ partitionIndex: 0, committedOffset: 1 }] },
  ]
  await session.ask('to a topic that is not there', offsetCommit, 9, {
    ...commitBody(groupId, topic),
    topics: where,
  })
  const beyond = [{ name: topic, partitions: [{ partitionIndex: 9, committedOffset: 1 }] }]
  await session.ask('to a partition that is not there', offsetCommit, 9, {
    ...commitBody(groupId, topic),
    topics: beyond,
  })
}

export const groupOrderScenarios: readonly Scenario[] = [
  { name: 'Strangers to a group', run: strangers },
  { name: 'Joins by version', run: joins },
  { name: 'Doors of a group', run: doors },
  { name: 'A generation in order', run: order },
  { name: 'Static members', run: statics },
  { name: 'Two members', run: two },
  { name: 'Commits', run: commits },
]
