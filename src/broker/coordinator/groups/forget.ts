import { plain } from './answers.ts'
import type { GroupError, OffsetCommit, TopicPartition, WriteOutcome } from './events.ts'
import type { Group } from './group.ts'
import type { GroupRecord, OffsetValue } from './records.ts'

/** DeleteGroups: an empty group goes with its offsets (KIP-229). */
export function deleteGroup(group: Group, id: number): void {
  if (group.state === 'Dead') return group.answer(id, plain('GROUP_ID_NOT_FOUND'))
  if (group.state !== 'Empty') return group.answer(id, plain('NON_EMPTY_GROUP'))
  const offsetCount = group.offsets.count
  const tell = group.answerOnce(id)
  const buried = (error: GroupError): void => {
    if (error === 'NONE') group.log('A group was deleted', { offsets: offsetCount })
    tell(plain(error))
  }
  bury(group, buried, error => tell(plain(error)))
}

/** OffsetDelete: forgets what nobody in the group reads (KIP-496). */
export function deleteOffsets(group: Group, id: number, wanted: readonly TopicPartition[]): void {
  const refuse = (error: GroupError): void =>
    group.answer(id, { type: 'deleteOffsets', error, errors: [] })
  if (group.state === 'Dead') return refuse('GROUP_ID_NOT_FOUND')
  if (group.state !== 'Empty' && !group.isOfConsumers) return refuse('NON_EMPTY_GROUP')
  const errors = wanted.map(({ topic }): GroupError => {
    return isRead(group, topic) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
  })
  const gone = wanted.filter(
    ({ topic, partition }, at) =>
      errors[at] === 'NONE' &&
      (group.offsets.find(topic, partition) !== undefined ||
        group.offsets.isPending({ topic, partition })),
  )
  if (gone.length === 0) return group.answer(id, { type: 'deleteOffsets', error: 'NONE', errors })
  const answer = group.answerOnce(id)
  const tell = (error: GroupError): void =>
    answer({ type: 'deleteOffsets', error, errors: error === 'NONE' ? errors : [] })
  forget(group, gone, { done: tell, delayed: tell })
}

/** What a subscription that cannot be opened names is not known: then everything is in use. */
function isRead(group: Group, topic: string): boolean {
  if (group.state === 'Empty') return false
  return group.subscribed === null || group.subscribed.has(topic)
}

/** Forgets what was committed for topics that are gone. */
export function forgetTopics(group: Group, topics: ReadonlySet<string>): void {
  forgetAll(
    group,
    group.offsets.everything().filter(({ topic }) => topics.has(topic)),
  )
}

/** Forgets what was committed for topics that went away before the group was loaded. */
export function forgetGone(group: Group, isGone: IsGone): void {
  forgetAll(
    group,
    Array.from(group.offsets.all()).filter(({ topic, value }) => isGone(topic, value)),
  )
}

/** Whether an offset was committed for a topic that is not there any more, maybe under a name that another one has now. */
export type IsGone = (topic: string, value: OffsetValue) => boolean

function forgetAll(group: Group, gone: readonly TopicPartition[]): void {
  if (gone.length === 0 || group.state === 'Dead') return
  const done = (error: GroupError): void => {
    const names = [...new Set(gone.map(({ topic }) => topic))]
    const fields = { topics: names, offsets: gone.length, error }
    group.log('Offsets of topics that are gone are forgotten', fields)
  }
  forget(group, gone, { done })
}

/**
 * Offsets that nobody needs for `offsets.retention.minutes` go, and an empty group without any goes too (KIP-211).
 * The time runs from when the group became empty; for consumers without a group, and for topics that a stable
 * group does not subscribe to any more, from the commit.
 */
export function expire(group: Group): void {
  if (group.state === 'Dead') return
  const expired = [...group.offsets.all()].filter(
    offset => !group.offsets.isPending(offset) && isExpired(group, offset),
  )
  const isLast = expired.length === group.offsets.count
  if (isLast && group.state === 'Empty' && group.pendingMembers.size === 0 && !hasPending(group)) {
    const count = expired.length
    const buried = (error: GroupError): void => {
      if (error === 'NONE') group.log('A group expired', { offsets: count })
    }
    return bury(group, buried, nobodyWaits)
  }
  if (expired.length === 0) return
  const done = (error: GroupError): void => {
    if (error === 'NONE') group.log('Offsets expired', { offsets: expired.map(told) })
  }
  forget(group, expired, { done })
}

/** Enough to set them again by hand: who finds none reads everything again, or nothing (librdkafka#1442). */
function told({ topic, partition, value }: OffsetCommit): string {
  return `${topic}-${partition}@${value.offset}`
}

function hasPending(group: Group): boolean {
  return group.offsets.everything().length > group.offsets.count
}

function isExpired(group: Group, { topic, value }: OffsetCommit): boolean {
  const { now, config } = group.host
  const sinceMs = agesSince(group, topic, value.commitTimeMs)
  if (sinceMs === null) return false
  if (value.expireTimeMs >= 0) return now.wallMs >= value.expireTimeMs
  return now.wallMs - sinceMs >= config.offsetsRetentionMs
}

/** From when on an offset ages; null while it does not. */
function agesSince(group: Group, topic: string, commitTimeMs: number): number | null {
  if (group.protocolType === '') return commitTimeMs
  if (group.state === 'Empty') {
    return group.stateTimeMs < 0 ? commitTimeMs : Math.max(group.stateTimeMs, commitTimeMs)
  }
  const isUnread = group.state === 'Stable' && group.subscribed !== null && !isRead(group, topic)
  return isUnread ? commitTimeMs : null
}

/** Writes tombstones. What is committed while they are written comes after them, in the log and here. */
function forget(
  group: Group,
  gone: readonly TopicPartition[],
  { done, delayed = nobodyWaits }: { readonly done: Told; readonly delayed?: Told },
): void {
  group.offsets.begin(gone)
  const written = (outcome: WriteOutcome): void => {
    group.offsets.end(gone)
    if (outcome.ok || outcome.isInLog) {
      gone.forEach(({ topic, partition }) => group.offsets.delete(topic, partition))
    }
    done(outcome.ok ? 'NONE' : outcome.error)
  }
  group.host.write(group, tombstones(group.id, gone), written, delayed)
}

/** The end of an empty group: nothing is left of it once the tombstones are stored, and it is dead until that is known. */
function bury(group: Group, done: Told, delayed: Told): void {
  const { stateTimeMs } = group
  const offsets = tombstones(group.id, group.offsets.everything())
  const records: GroupRecord[] = [...offsets, { type: 'group', groupId: group.id, value: null }]
  group.state = 'Dead'
  const written = (outcome: WriteOutcome): void => {
    if (outcome.ok || outcome.isInLog) group.host.remove(group)
    else {
      group.state = 'Empty'
      group.stateTimeMs = stateTimeMs
    }
    done(outcome.ok ? 'NONE' : outcome.error)
  }
  group.host.write(group, records, written, delayed)
}

type Told = (error: GroupError) => void

const nobodyWaits: Told = () => {}

function tombstones(groupId: string, gone: readonly TopicPartition[]): GroupRecord[] {
  return gone.map(({ topic, partition }) => ({
    type: 'offset',
    groupId,
    topic,
    partition,
    value: null,
  }))
}
