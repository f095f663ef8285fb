import { assert } from '../../../lib/assert.ts'
import { refusedJoin, refusedSync } from './answers.ts'
import type { GroupError, JoinAnswer } from './events.ts'
import type { Group } from './group.ts'
import type { Member } from './member.ts'

/** Who made a rebalance necessary, and why: it stands in the log, for whoever wonders why the group stood still. */
export interface Cause {
  readonly reason: string
  readonly member?: string
  readonly instance?: string | null
  readonly client?: string
  readonly host?: string
  /** The client's own words (KIP-800). */
  readonly clientReason?: string | null
}

export function causedBy(member: Member, reason: string, clientReason?: string | null): Cause {
  return {
    reason,
    member: member.id,
    client: member.clientId,
    host: member.clientHost,
    ...(member.instanceId === null ? {} : { instance: member.instanceId }),
    ...(clientReason ? { clientReason: clientReason.slice(0, clientReasonLengthMax) } : {}),
  }
}

/** Clients cut their reasons to this (KIP-800). */
const clientReasonLengthMax = 255

/** Members have come, gone or changed: begins a rebalance, or ends the one under way if nobody is missing any more. */
export function rebalance(group: Group, cause: Cause): void {
  if (group.state === 'PreparingRebalance') completeIfAllJoined(group)
  else if (group.state !== 'Dead') begin(group, cause)
}

/** Ends the rebalance under way where all members have joined. The first one of a group has to wait for others. */
export function completeIfAllJoined(group: Group): void {
  if (group.state !== 'PreparingRebalance' || group.initialDelay !== null) return
  const { members, awaitingJoinCount, pendingMembers } = group
  if (awaitingJoinCount === members.size && pendingMembers.size === 0) complete(group)
}

/** `joinDeadlineMs` has come: another round for a group that still grows, else whoever is there makes the generation. */
export function joinTimeIsUp(group: Group): void {
  const delay = group.initialDelay
  if (delay === null || !delay.hasGrown || delay.leftMs === 0) return complete(group)
  const delayMs = Math.min(group.host.config.initialRebalanceDelayMs, delay.leftMs)
  const leftMs = Math.max(delay.leftMs - delay.delayMs, 0)
  group.initialDelay = { delayMs, leftMs, hasGrown: false }
  endJoinIn(group, delayMs)
}

/** Members that joined and never fetched their assignment are out (KAFKA-13435). */
export function syncTimeIsUp(group: Group): void {
  group.pendingSyncDeadlineMs = Infinity
  const missing = [...group.pendingSync].flatMap(id => group.members.get(id) ?? [])
  group.pendingSync.clear()
  const [first] = missing
  if (first === undefined) return
  for (const member of missing) dismiss(group, member, 'It never asked for its assignment')
  rebalance(group, causedBy(first, 'A member never asked for its assignment'))
}

/** Takes a member out, and says so. The caller sees to the rebalance. */
export function dismiss(
  group: Group,
  member: Member,
  reason: string,
  clientReason?: string | null,
): void {
  group.remove(member)
  group.log('A member left its group', {
    ...causedBy(member, reason, clientReason),
    membersLeft: group.members.size,
  })
}

/** No assignment comes out of this generation: everybody who waits for his part is told so. */
export function interruptSync(group: Group, error: GroupError): void {
  group.isStoring = false
  for (const member of group.members.values()) {
    member.assignment = noBytes
    if (member.syncId === null) continue
    group.answerSync(member, refusedSync(error))
    if (!member.isAwaitingJoin) group.touch(member)
  }
}

/** What a member is told of the generation that is. */
export function currentGeneration(group: Group, member: Member): JoinAnswer {
  const isLeader = group.leaderId === member.id
  return {
    ...refusedJoin('NONE', member.id),
    generation: group.generation,
    protocolType: group.protocolType,
    protocol: group.protocol,
    leaderId: group.leaderId ?? '',
    members: isLeader ? membersOf(group) : [],
  }
}

export function membersOf(group: Group): JoinAnswer['members'] {
  return Array.from(group.members.values(), member => ({
    memberId: member.id,
    instanceId: member.instanceId,
    metadata: member.metadataFor(group.protocol),
  }))
}

function begin(group: Group, cause: Cause): void {
  const isFirst = group.state === 'Empty'
  if (group.state === 'CompletingRebalance') interruptSync(group, 'REBALANCE_IN_PROGRESS')
  group.pendingSync.clear()
  group.pendingSyncDeadlineMs = Infinity
  group.log('A rebalance begins', {
    ...cause,
    state: group.state,
    generation: group.generation,
    members: group.members.size,
  })
  group.state = 'PreparingRebalance'
  if (!isFirst) {
    group.initialDelay = null
    endJoinIn(group, group.rebalanceTimeoutMs)
    return completeIfAllJoined(group)
  }
  const delayMs = group.host.config.initialRebalanceDelayMs
  const leftMs = Math.max(group.rebalanceTimeoutMs - delayMs, 0)
  group.initialDelay = { delayMs, leftMs, hasGrown: false }
  endJoinIn(group, delayMs)
}

function endJoinIn(group: Group, delayMs: number): void {
  group.arm((group.joinDeadlineMs = group.host.now.monotonicMs + delayMs))
}

/** Makes the next generation of those who have joined. */
function complete(group: Group): void {
  assert(group.state === 'PreparingRebalance', 'a rebalance that ends has begun')
  group.joinDeadlineMs = Infinity
  for (const member of group.members.values()) {
    // A static member keeps its place until its session ends (KIP-345).
    if (member.isAwaitingJoin || member.instanceId !== null) continue
    dismiss(group, member, 'It did not join again in time')
  }
  if (group.members.size > 0 && !ensureJoinedLeader(group)) {
    // Only static members that are away: nobody could assign, so they get the same time again.
    group.initialDelay = null
    return endJoinIn(group, group.rebalanceTimeoutMs)
  }
  group.initialDelay = null
  group.generation++
  if (group.members.size === 0) becomeEmpty(group)
  else hand(group)
}

function ensureJoinedLeader(group: Group): boolean {
  const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId)
  if (leader?.isAwaitingJoin) return true
  for (const member of group.members.values()) {
    if (!member.isAwaitingJoin) continue
    group.leaderId = member.id
    return true
  }
  return false
}

function becomeEmpty(group: Group): void {
  group.protocol = null
  group.leaderId = null
  group.readSubscriptions()
  group.state = 'Empty'
  group.log('A group is empty', { generation: group.generation })
  group.host.write(group, [{ type: 'group', groupId: group.id, value: group.value() }], outcome => {
    if (!outcome.ok) group.log('An empty group could not be stored', { error: outcome.error })
  })
}

/** Tells everybody of the new generation; the leader has to assign now. */
function hand(group: Group): void {
  group.protocol = group.elect()
  group.readSubscriptions()
  group.state = 'CompletingRebalance'
  group.isStoring = false
  group.log('A generation was formed', {
    generation: group.generation,
    members: group.members.size,
    protocol: group.protocol,
    leader: group.leaderId,
  })
  for (const member of group.members.values()) {
    // A static member that is away has its session running, and nothing to ask for.
    if (!member.isAwaitingJoin) continue
    group.answerJoin(member, currentGeneration(group, member))
    member.isNew = false
    group.pendingSync.add(member.id)
    group.touch(member)
  }
  group.arm((group.pendingSyncDeadlineMs = group.host.now.monotonicMs + group.rebalanceTimeoutMs))
}

const noBytes = new Uint8Array(0)
