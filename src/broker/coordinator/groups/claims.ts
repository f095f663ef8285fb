import type { GroupError } from './events.ts'
import type { Group } from './group.ts'
import type { Member } from './member.ts'

/** The member that somebody says he is, or why he is not. */
export function findMember(
  group: Group,
  { memberId, instanceId }: { readonly memberId: string; readonly instanceId: string | null },
): Member | GroupError {
  if (instanceId !== null) {
    const holder = group.memberIdOf.get(instanceId)
    if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
    // Another process has taken the instance's place (G41).
    if (holder !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return group.members.get(memberId) ?? 'UNKNOWN_MEMBER_ID'
}
