import type { AssignedTopic } from './groups/consumer-protocol.ts'
import type { Group, GroupState } from './groups/group.ts'
import type { Groups } from './groups/groups.ts'
import type { OffsetValue } from './groups/records.ts'

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  readonly state: GroupState
}

export interface GroupDescription extends GroupListing {
  readonly protocol: string | null
  readonly generation: number
  readonly members: readonly MemberDescription[]
}

interface MemberDescription {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  /** As Kafka writes it: `/10.0.0.1`. */
  readonly clientHost: string
  readonly metadata: Uint8Array
  readonly assignment: Uint8Array
}

/** Numbers of one group, for metrics. */
export interface GroupNumbers extends GroupListing {
  readonly memberCount: number
  readonly generation: number
}

/** How far a group has read a partition. */
export interface CommittedOffset {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  /** Milliseconds since 1970. */
  readonly commitTimeMs: number
}

/** What a member of a stable group of consumers reads. */
export interface MemberAssignment {
  readonly groupId: string
  readonly memberId: string
  readonly clientId: string
  readonly clientHost: string
  readonly topics: readonly AssignedTopic[]
}

/** What others may know of groups: for tools that describe them, and for metrics at a scrape. Changes nothing. */
export class GroupViews {
  readonly #groups: Groups

  constructor(groups: Groups) {
    this.#groups = groups
  }

  /** Another one whenever `groups` or `assignments` would tell something else. */
  get revision(): number {
    return this.#groups.revision
  }

  has(groupId: string): boolean {
    return this.#groups.find(groupId) !== undefined
  }

  /** Undefined where there is no such group. */
  describe(groupId: string): GroupDescription | undefined {
    const group = this.#groups.find(groupId)
    if (group === undefined) return undefined
    const isStable = group.state === 'Stable'
    return {
      ...listing(group),
      protocol: isStable ? group.protocol : null,
      generation: group.generation,
      members: Array.from(group.members.values(), member => ({
        memberId: member.id,
        instanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        // Between two generations there is no protocol that it could be for.
        metadata: isStable ? member.metadataFor(group.protocol) : noBytes,
        assignment: member.assignment,
      })),
    }
  }

  *list(): IterableIterator<GroupListing> {
    for (const group of this.#groups.all()) yield listing(group)
  }

  *groups(): IterableIterator<GroupNumbers> {
    for (const group of this.#groups.all()) {
      const { generation, members } = group
      yield { ...listing(group), generation, memberCount: members.size }
    }
  }

  offset(groupId: string, topic: string, partition: number): OffsetValue | undefined {
    return this.#groups.find(groupId)?.offsets.find(topic, partition)
  }

  /** Every partition that the group has an offset for, by topic. */
  *offsets(groupId: string): IterableIterator<readonly [string, ReadonlyMap<number, OffsetValue>]> {
    const offsets = this.#groups.find(groupId)?.offsets
    if (offsets === undefined) return
    for (const topic of offsets.topics) yield [topic, offsets.of(topic)]
  }

  *committed(): IterableIterator<CommittedOffset> {
    for (const { id, offsets } of this.#groups.all()) {
      for (const { topic, partition, value } of offsets.all()) {
        const { offset, commitTimeMs } = value
        // Metrics have no more than a double; OffsetFetch gives the offset as it is.
        yield { groupId: id, topic, partition, committedOffset: Number(offset), commitTimeMs }
      }
    }
  }

  /** Of stable groups of consumers; a member whose assignment cannot be opened is left out. */
  *assignments(): IterableIterator<MemberAssignment> {
    for (const group of this.#groups.all()) {
      if (group.state !== 'Stable' || !group.isOfConsumers) continue
      for (const { id, clientId, clientHost, assignedTopics } of group.members.values()) {
        if (assignedTopics === null) continue
        yield { groupId: group.id, memberId: id, clientId, clientHost, topics: assignedTopics }
      }
    }
  }
}

function listing({ id, protocolType, state }: Group): GroupListing {
  return { groupId: id, protocolType, state }
}

const noBytes = new Uint8Array(0)
