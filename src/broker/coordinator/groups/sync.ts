import { refusedSync } from './answers.ts'
import { findMember } from './claims.ts'
import type { GroupError, MemberClaim, SyncAnswer, SyncWish, WriteOutcome } from './events.ts'
import type { Group } from './group.ts'
import type { Member } from './member.ts'
import { causedBy, interruptSync, rebalance } from './rebalance.ts'

/** SyncGroup (G40): everybody's waits for the leader's, which is stored before anybody learns of it. */
export function sync(group: Group, id: number, wish: SyncWish): void {
  const member = judge(group, wish)
  if (typeof member === 'string') return group.answer(id, refusedSync(member))
  switch (group.state) {
    case 'PreparingRebalance':
      return group.answer(id, refusedSync('REBALANCE_IN_PROGRESS'))
    case 'CompletingRebalance':
      group.pendingSync.delete(member.id)
      group.parkSync(member, id)
      if (group.leaderId === member.id && !group.isStoring) store(group, member, wish)
      return
    case 'Stable':
      group.pendingSync.delete(member.id)
      group.touch(member)
      return group.answer(id, part(group, member))
    case 'Empty':
    case 'Dead':
      return group.answer(id, refusedSync('UNKNOWN_MEMBER_ID'))
  }
}

/** Heartbeat: NONE, or what the member has to do. */
export function heartbeat(group: Group, claim: MemberClaim): GroupError {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  const member = findMember(group, claim)
  if (typeof member === 'string') return member
  if (claim.generation !== group.generation) return 'ILLEGAL_GENERATION'
  // What it was to be told, to join again, it has done. Said all the same, it would hear of it behind the answer
  // to its JoinGroup, and join once more for nothing: answers leave in the order of their requests.
  if (member.isAwaitingJoin) return 'NONE'
  if (member.syncId === null) group.touch(member)
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

function judge(group: Group, wish: SyncWish): Member | GroupError {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  const member = findMember(group, wish)
  if (typeof member === 'string') return member
  if (wish.generation !== group.generation) return 'ILLEGAL_GENERATION'
  const isOfGroup =
    (wish.protocolType === null || wish.protocolType === group.protocolType) &&
    (wish.protocol === null || wish.protocol === group.protocol)
  return isOfGroup ? member : 'INCONSISTENT_GROUP_PROTOCOL'
}

function store(group: Group, leader: Member, { assignments }: SyncWish): void {
  const { generation } = group
  const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  const record = { type: 'group', groupId: group.id, value: group.value(byMember) } as const
  group.isStoring = true
  group.host.write(group, [record], outcome => {
    // A rebalance that began meanwhile has told everybody already.
    if (!group.isStoring || group.generation !== generation) return
    group.isStoring = false
    if (outcome.ok) spread(group, byMember)
    else giveUp(group, leader, outcome)
  })
}

function spread(group: Group, assignments: ReadonlyMap<string, Uint8Array>): void {
  for (const member of group.members.values()) {
    member.assignment = assignments.get(member.id) ?? noBytes
  }
  group.state = 'Stable'
  group.log('A group is stable', { generation: group.generation, members: group.members.size })
  for (const member of group.members.values()) {
    if (member.syncId === null) continue
    group.answerSync(member, part(group, member))
    group.touch(member)
  }
}

function giveUp(group: Group, leader: Member, { error }: WriteOutcome & { ok: false }): void {
  interruptSync(group, error)
  rebalance(group, causedBy(leader, `The assignment could not be stored: ${error}`))
}

function part(group: Group, member: Member): SyncAnswer {
  const { protocolType, protocol } = group
  return { type: 'sync', error: 'NONE', protocolType, protocol, assignment: member.assignment }
}

const noBytes = new Uint8Array(0)
