import { findMember } from './claims.ts'
import type { GroupError, Leaver } from './events.ts'
import type { Group } from './group.ts'
import type { Member } from './member.ts'
import { causedBy, completeIfAllJoined, dismiss, rebalance, type Cause } from './rebalance.ts'

/** LeaveGroup (G11): each leaver is answered on its own, and all of them make one rebalance. */
export function leave(group: Group, leavers: readonly Leaver[]): GroupError[] {
  if (group.state === 'Dead') return leavers.map(() => 'COORDINATOR_NOT_AVAILABLE')
  let cause: Cause | null = null
  const errors = leavers.map((leaver): GroupError => {
    if (group.pendingMembers.delete(leaver.memberId)) return 'NONE'
    const member = findLeaver(group, leaver)
    if (typeof member === 'string') return member
    dismiss(group, member, 'It left', leaver.reason)
    cause ??= causedBy(member, 'A member left', leaver.reason)
    return 'NONE'
  })
  if (cause === null) completeIfAllJoined(group)
  else rebalance(group, cause)
  return errors
}

function findLeaver(group: Group, leaver: Leaver): Member | GroupError {
  const { memberId, instanceId } = leaver
  if (memberId !== '' || instanceId === null) return findMember(group, leaver)
  // An administrator takes out a static member of which he knows the instance only.
  const holder = group.memberIdOf.get(instanceId)
  return (holder === undefined ? undefined : group.members.get(holder)) ?? 'UNKNOWN_MEMBER_ID'
}

/** The moment has come that the group asked for: whatever is due by now happens. */
export function endSessions(group: Group): void {
  const { monotonicMs } = group.host.now
  for (const [id, deadlineMs] of group.pendingMembers) {
    if (deadlineMs > monotonicMs) continue
    group.pendingMembers.delete(id)
    group.log('A member never came back with its id', { member: id })
  }
  let cause: Cause | null = null
  for (const member of group.members.values()) {
    if (member.deadlineMs > monotonicMs) continue
    const reason = member.isNew ? 'It waited too long to be let in' : 'Its session timed out'
    dismiss(group, member, reason)
    cause ??= causedBy(member, 'The session of a member timed out')
  }
  if (cause === null) completeIfAllJoined(group)
  else rebalance(group, cause)
}
