import { Group, type GroupHost } from './group.ts'
import { Member } from './member.ts'
import type { GroupRecord, GroupValue, OffsetValue } from './records.ts'

/** The last that the log says of one group. */
export interface LoadedGroup {
  readonly groupId: string
  value: GroupValue | null
  /** By topic and partition. */
  readonly offsets: Map<string, Map<number, OffsetValue>>
}

/** Replays records in the order of the log, and keeps what still counts. */
export class LoadedGroups {
  readonly #byId = new Map<string, LoadedGroup>()

  replay(record: GroupRecord): void {
    const group = this.#byId.get(record.groupId) ?? this.#add(record.groupId)
    if (record.type === 'group') {
      group.value = record.value
      return
    }
    const partitions = group.offsets.get(record.topic) ?? new Map<number, OffsetValue>()
    if (record.value === null) partitions.delete(record.partition)
    else partitions.set(record.partition, record.value)
    if (partitions.size === 0) group.offsets.delete(record.topic)
    else group.offsets.set(record.topic, partitions)
  }

  *all(): IterableIterator<LoadedGroup> {
    for (const group of this.#byId.values()) {
      if (group.value !== null || group.offsets.size > 0) yield group
    }
  }

  #add(groupId: string): LoadedGroup {
    const group = { groupId, value: null, offsets: new Map() }
    this.#byId.set(groupId, group)
    return group
  }
}

/** A group that was stored while a generation was formed has lost nobody: its members come back or time out. */
export function restore({ groupId, value, offsets }: LoadedGroup, host: GroupHost): Group {
  const group = new Group(groupId, host)
  for (const [topic, partitions] of offsets) {
    for (const [partition, offset] of partitions) group.offsets.set(topic, partition, offset)
  }
  if (value === null) return group
  group.protocolType = value.protocolType
  group.generation = value.generation
  group.protocol = value.members.length === 0 ? null : value.protocol
  for (const stored of value.members) {
    const member = Member.restored(stored, value.protocol ?? '')
    group.add(member)
    group.touch(member)
  }
  if (value.leaderId !== null && group.members.has(value.leaderId)) group.leaderId = value.leaderId
  if (group.members.size > 0) group.state = 'Stable'
  group.stateTimeMs = value.stateTimeMs
  group.readSubscriptions()
  return group
}
