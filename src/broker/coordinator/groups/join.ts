import { refusedJoin } from './answers.ts'
import { findMember } from './claims.ts'
import type { GroupError, JoinWish } from './events.ts'
import type { Group } from './group.ts'
import { Member, newMemberTimeoutMs } from './member.ts'
import {
  causedBy,
  completeIfAllJoined,
  currentGeneration,
  membersOf,
  rebalance,
} from './rebalance.ts'

/** Why a JoinGroup is refused before any group is looked at; null where it is not. */
export function judgeWish(
  groupId: string,
  wish: JoinWish,
  limits: { readonly sessionTimeoutMsMin: number; readonly sessionTimeoutMsMax: number },
): GroupError | null {
  if (groupId === '') return 'INVALID_GROUP_ID'
  const { sessionTimeoutMs } = wish
  const isPossible =
    sessionTimeoutMs >= limits.sessionTimeoutMsMin && sessionTimeoutMs <= limits.sessionTimeoutMsMax
  return isPossible ? null : 'INVALID_SESSION_TIMEOUT'
}

/** JoinGroup (G39, G40, G41): answered now, or parked until the rebalance that it makes is over. */
export function join(group: Group, id: number, wish: JoinWish): void {
  const refuse = (error: GroupError, memberId = wish.memberId): void =>
    group.answer(id, refusedJoin(error, memberId))
  if (group.state === 'Dead') return refuse('COORDINATOR_NOT_AVAILABLE')
  if (!hasRoom(group, wish.memberId)) {
    const member = group.members.get(wish.memberId)
    if (member !== undefined) group.remove(member)
    // Nobody comes back with that id.
    group.pendingMembers.delete(wish.memberId)
    completeIfAllJoined(group)
    return refuse('GROUP_MAX_SIZE_REACHED', '')
  }
  const names = wish.protocols.map(({ name }) => name)
  if (!group.supports(wish.protocolType, names)) return refuse('INCONSISTENT_GROUP_PROTOCOL')
  if (wish.memberId === '') return joinNew(group, id, wish)
  // Such an id was given to a dynamic member: an instance that comes with it is another one's, or nobody's.
  if (wish.instanceId === null && group.pendingMembers.has(wish.memberId)) {
    return admit(group, id, wish)
  }
  const member = findMember(group, wish)
  if (typeof member === 'string') return refuse(member)
  joinAgain(group, id, { member, wish })
}

function hasRoom(group: Group, memberId: string): boolean {
  const { groupSizeMax } = group.host.config
  switch (group.state) {
    case 'Empty':
    case 'Dead':
      return true
    case 'PreparingRebalance':
      return (
        group.members.get(memberId)?.isAwaitingJoin === true ||
        group.awaitingJoinCount < groupSizeMax
      )
    case 'CompletingRebalance':
    case 'Stable':
      return group.members.has(memberId) || group.members.size < groupSizeMax
  }
}

function joinNew(group: Group, id: number, wish: JoinWish): void {
  const { freshMemberId, instanceId } = wish
  if (instanceId !== null) {
    const before = group.members.get(group.memberIdOf.get(instanceId) ?? '')
    return before === undefined ? admit(group, id, wish) : replace(group, id, { before, wish })
  }
  if (!wish.needsKnownMemberId) return admit(group, id, wish)
  const deadlineMs = group.host.now.monotonicMs + wish.sessionTimeoutMs
  group.pendingMembers.set(freshMemberId, deadlineMs)
  group.arm(deadlineMs)
  group.answer(id, refusedJoin('MEMBER_ID_REQUIRED', freshMemberId))
}

/** Lets a new member in: every generation so far was without it. */
function admit(group: Group, id: number, wish: JoinWish): void {
  const member = Member.of(wish.memberId === '' ? wish.freshMemberId : wish.memberId, wish)
  if (group.members.size === 0) group.protocolType = wish.protocolType
  if (group.initialDelay !== null) group.initialDelay.hasGrown = true
  group.pendingMembers.delete(member.id)
  group.add(member)
  group.parkJoin(member, id)
  member.deadlineMs = group.host.now.monotonicMs + newMemberTimeoutMs
  group.arm(member.deadlineMs)
  rebalance(group, causedBy(member, 'A member joined', wish.reason))
}

interface Again {
  readonly member: Member
  readonly wish: JoinWish
}

/** A member of the group joins: because it was told of a rebalance, wants one, or missed an answer. */
function joinAgain(group: Group, id: number, { member, wish }: Again): void {
  const hasChanged = !member.hasSaid(wish.protocols)
  const isLeader = group.leaderId === member.id
  const missedAnswer =
    !hasChanged &&
    (group.state === 'CompletingRebalance' || (group.state === 'Stable' && !isLeader))
  if (missedAnswer) {
    if (member.syncId === null) group.touch(member)
    return group.answer(id, currentGeneration(group, member))
  }
  if (group.state === 'Empty') {
    return group.answer(id, refusedJoin('UNKNOWN_MEMBER_ID', wish.memberId))
  }
  group.update(member, wish)
  // The rebalance interrupts whoever waits for his part; this member asks for another one.
  const why = hasChanged ? 'A member changed what it can do' : 'The leader joined again'
  group.parkJoin(member, id)
  rebalance(group, causedBy(member, why, wish.reason))
}

interface Replacement {
  readonly before: Member
  readonly wish: JoinWish
}

/**
 * A static member is back under a new id (KIP-345). With the same protocol in a stable group nobody else notices:
 * it gets the generation and, by SyncGroup, the assignment that it had. The old id is fenced from here on.
 */
function replace(group: Group, id: number, { before, wish }: Replacement): void {
  const member = Member.of(wish.freshMemberId, wish)
  member.assignment = before.assignment
  member.isNew = before.isNew
  const leaderBefore = group.leaderId
  swap(group, before, member)
  if (group.state !== 'Stable' || group.elect() !== group.protocol) {
    group.parkJoin(member, id)
    return rebalance(group, causedBy(member, 'A static member is back', wish.reason))
  }
  group.touch(member)
  group.log('A static member is back, nobody need rebalance', {
    ...causedBy(member, 'A static member is back', wish.reason),
    before: before.id,
    generation: group.generation,
  })
  const { generation } = group
  group.host.write(group, [{ type: 'group', groupId: group.id, value: group.value() }], outcome => {
    const held = findMember(group, { memberId: member.id, instanceId: member.instanceId })
    if (typeof held === 'string') return group.answer(id, refusedJoin(held, member.id))
    if (group.state !== 'Stable' || group.generation !== generation) {
      return group.answer(id, refusedJoin('REBALANCE_IN_PROGRESS', member.id))
    }
    if (!outcome.ok) {
      swap(group, member, before)
      group.touch(before)
      return group.answer(id, refusedJoin(outcome.error, ''))
    }
    group.readSubscriptions()
    const isLeader = group.leaderId === member.id
    group.answer(id, {
      ...currentGeneration(group, member),
      // Older clients would assign anew if they were told that they lead; they are told of their former id.
      leaderId: (wish.maySkipAssignment ? group.leaderId : leaderBefore) ?? '',
      skipAssignment: wish.maySkipAssignment && isLeader,
      members: wish.maySkipAssignment && isLeader ? membersOf(group) : [],
    })
  })
}

/** `after` takes the place of `before`, its leadership too. */
function swap(group: Group, before: Member, after: Member): void {
  const didLead = group.leaderId === before.id
  const hadToSync = group.pendingSync.has(before.id)
  group.remove(before, 'FENCED_INSTANCE_ID')
  group.add(after)
  if (didLead) group.leaderId = after.id
  if (hadToSync) group.pendingSync.add(after.id)
}
