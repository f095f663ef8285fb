import type { Int64 } from '../../src/lib/bytes.ts'
import {
  findCoordinator,
  heartbeat,
  joinGroup,
  offsetCommit,
  offsetFetch,
  syncGroup,
  type JoinGroupResponse,
} from '../../src/broker/wire/messages/index.ts'
import { AnsweredError } from '../../src/broker/wire/client/client-error.ts'
import { retrying } from '../../src/broker/wire/client/retrying.ts'
import { errorName, type ErrorName } from '../../src/broker/wire/errors.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { subscription } from './group-world.ts'
import type { BrokerClient } from './broker-client.ts'

/** A group is loaded within a minute, or never. */
const patience = { clock: realClock, random: realRandom, timeoutMs: 60_000, delayMsMin: 10 }

/** An offset as it is committed and fetched. */
export interface Offset {
  readonly topic: string
  readonly partition: number
  readonly offset: Int64
  readonly metadata?: string | null
  readonly leaderEpoch?: number
}

/** What a consumer does with its group, over one connection; errors come as Kafka's names. */
export class WireGroup {
  readonly #client: BrokerClient
  readonly id: string

  constructor(client: BrokerClient, id: string) {
    this.#client = client
    this.id = id
  }

  async find(): Promise<string> {
    const request = { key: '', keyType: 0, coordinatorKeys: [this.id] }
    const { coordinators } = await this.#client.request(findCoordinator, 4, request)
    return errorName(coordinators[0]!.errorCode)
  }

  /** Joins as a member alone, and hands itself `part`; waits while the group is being loaded. */
  async enter(part = 'part'): Promise<JoinGroupResponse> {
    const { memberId } = await this.join('')
    const joined = await this.join(memberId)
    await this.sync(joined, part)
    return joined
  }

  join(memberId: string, version = 9): Promise<JoinGroupResponse> {
    return this.#client.request(joinGroup, version, {
      groupId: this.id,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('topic') }],
    })
  }

  async sync({ memberId, generationId }: JoinGroupResponse, part: string): Promise<Uint8Array> {
    const { errorCode, assignment } = await this.#client.request(syncGroup, 5, {
      groupId: this.id,
      generationId: generationId ?? -1,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId, assignment: utf8(part) }],
    })
    if (errorCode !== 0) throw new Error(`sync: ${errorName(errorCode)}`)
    return assignment
  }

  async heartbeat({ memberId, generationId }: JoinGroupResponse): Promise<string> {
    const request = { groupId: this.id, generationId: generationId ?? -1, memberId }
    return errorName((await this.#client.request(heartbeat, 4, request)).errorCode)
  }

  /** As a member, or as a consumer without a group. */
  async commit(
    offsets: readonly Offset[],
    member?: JoinGroupResponse,
    version = 9,
  ): Promise<string[]> {
    const answer = await this.#client.request(offsetCommit, version, {
      groupId: this.id,
      generationIdOrMemberEpoch: member?.generationId ?? -1,
      memberId: member?.memberId ?? '',
      topics: offsets.map(({ topic, partition, offset, metadata = '', leaderEpoch = -1 }) => ({
        name: topic,
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: leaderEpoch,
            committedMetadata: metadata,
          },
        ],
      })),
    })
    return answer.topics.flatMap(({ partitions }) =>
      partitions.map(one => errorName(one.errorCode)),
    )
  }

  /** Everything that the group has committed, or the error of the group. */
  async committed(): Promise<Required<Offset>[] | ErrorName> {
    const { groups } = await this.#client.request(offsetFetch, 9, {
      groupId: '',
      topics: null,
      groups: [{ groupId: this.id, topics: null }],
      requireStable: true,
    })
    const [group] = groups
    if (group === undefined || group.errorCode !== 0) return errorName(group?.errorCode ?? -1)
    return group.topics.flatMap(({ name, partitions }) =>
      partitions.map(one => ({
        topic: name,
        partition: one.partitionIndex,
        offset: one.committedOffset,
        metadata: one.metadata,
        leaderEpoch: one.committedLeaderEpoch,
      })),
    )
  }

  /** As `committed`, once the group is loaded. */
  loaded(): Promise<Required<Offset>[]> {
    return retrying(patience, async () => {
      const answer = await this.committed()
      if (typeof answer === 'string') throw new AnsweredError(answer, `Offsets of ${this.id}`)
      return answer
    })
  }
}
