import { plain } from './answers.ts'
import { findMember } from './claims.ts'
import type { GroupError, MemberClaim, OffsetCommit, WriteOutcome } from './events.ts'
import type { Group } from './group.ts'
import type { GroupRecord } from './records.ts'

/** OffsetCommit: stored, then known, then answered; where it takes too long, answered before, and known once it is committed. */
export function commit(
  group: Group,
  id: number,
  { claim, offsets }: { readonly claim: MemberClaim; readonly offsets: readonly OffsetCommit[] },
): void {
  const refused = judge(group, claim)
  if (refused !== 'NONE' || offsets.length === 0) return group.answer(id, plain(refused))
  const records: GroupRecord[] = offsets.map(offset => ({
    type: 'offset',
    groupId: group.id,
    ...offset,
  }))
  const tell = group.answerOnce(id)
  group.offsets.begin(offsets)
  const done = (outcome: WriteOutcome): void => {
    group.offsets.end(offsets)
    if (outcome.ok || outcome.isInLog) {
      for (const { topic, partition, value } of offsets) group.offsets.set(topic, partition, value)
    }
    tell(plain(outcome.ok ? 'NONE' : outcome.error))
  }
  group.host.write(group, records, done, error => tell(plain(error)))
}

/** G43: members of this generation may, and anybody while there are no members. */
function judge(group: Group, claim: MemberClaim): GroupError {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  if (claim.generation < 0 && group.state === 'Empty') return 'NONE'
  if (claim.generation < 0 && claim.memberId === '' && claim.instanceId === null) {
    return 'UNKNOWN_MEMBER_ID'
  }
  const member = findMember(group, claim)
  if (typeof member === 'string') return member
  if (claim.generation !== group.generation) return 'ILLEGAL_GENERATION'
  // It knows of the generation and not yet what it may read.
  if (group.state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
  if (!member.isAwaitingJoin && member.syncId === null) group.touch(member)
  return 'NONE'
}
