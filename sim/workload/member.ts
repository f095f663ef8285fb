import type { WireClient } from '../../src/broker/wire/client/client.ts'
import { AnsweredError, WireClientError } from '../../src/broker/wire/client/client-error.ts'
import { errorName, type ErrorName } from '../../src/broker/wire/errors.ts'
import {
  findCoordinator,
  heartbeat,
  joinGroup,
  offsetCommit,
  offsetFetch,
  syncGroup,
  type JoinGroupResponse,
} from '../../src/broker/wire/messages/index.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import type { World } from '../cluster/world.ts'
import { fetchFrom } from './consumer.ts'
import type { GroupHistory, GroupPartition } from './group-history.ts'
import { SimClient } from './sim-client.ts'

export interface MemberOptions {
  readonly world: World
  readonly history: GroupHistory
  readonly partitions: readonly GroupPartition[]
}

/** One generation as a member lives it. */
interface Membership {
  readonly coordinator: WireClient
  readonly generation: number
  /** What it reads next, by place in `own`. */
  readonly positions: number[]
  readonly own: readonly GroupPartition[]
}

/** Later versions name topics by their ids. */
const byName = { version: 9 }

const protocolName = 'round'

/** A member of a classic group: joins, reads what it is given, commits, and joins again when it must. */
export class SimMember {
  readonly name: string
  readonly #options: MemberOptions
  readonly #client: SimClient
  #memberId = ''
  /** Commits that were acknowledged. */
  commitCount = 0

  constructor(options: MemberOptions, name: string) {
    this.name = name
    this.#options = options
    this.#client = new SimClient(options.world, name)
  }

  stop(): void {
    this.#client.stop()
  }

  /** Until it is stopped. */
  async run(): Promise<void> {
    while (!this.#client.isStopped) {
      try {
        const membership = await this.#enter()
        for (;;) await this.#round(membership)
      } catch (error) {
        if (this.#client.isStopped) return
        this.#failed(error)
        await this.#client.pause(100)
      }
    }
  }

  #failed(error: unknown): void {
    const { world } = this.#options
    const isAnswer = error instanceof AnsweredError
    if (!isAnswer && !(error instanceof WireClientError)) {
      return world.fail(`${this.name}: ${String((error as Error).stack)}`)
    }
    world.trace.note(`${this.name}: ${error.message}`)
    if (isAnswer && forgetsMember.has(error.error)) this.#memberId = ''
    for (const { topic } of this.#options.partitions) this.#client.forget(topic)
  }

  async #enter(): Promise<Membership> {
    const coordinator = await this.#find()
    const joined = await this.#join(coordinator)
    const generation = joined.generationId ?? -1
    const own = await this.#sync(coordinator, joined)
    this.#options.history.assigned(generation, this.#memberId, own)
    const positions = await this.#positions(coordinator, own)
    return { coordinator, generation, own, positions }
  }

  async #find(): Promise<WireClient> {
    const any = await this.#client.connections.any()
    const { coordinators } = await any.request(findCoordinator, {
      key: '',
      keyType: 0,
      coordinatorKeys: [this.#options.history.name],
    })
    const { errorCode, host, port } = coordinators[0]!
    refuse(errorCode, 'FindCoordinator')
    return await this.#client.connections.at({ host, port })
  }

  async #join(coordinator: WireClient): Promise<JoinGroupResponse> {
    const answer = await coordinator.request(joinGroup, {
      groupId: this.#options.history.name,
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 3000,
      memberId: this.#memberId,
      protocolType: 'sim',
      protocols: [{ name: protocolName, metadata: new Uint8Array(0) }],
    })
    if (errorName(answer.errorCode) === 'MEMBER_ID_REQUIRED') {
      this.#memberId = answer.memberId
      return await this.#join(coordinator)
    }
    refuse(answer.errorCode, 'JoinGroup')
    this.#memberId = answer.memberId
    return answer
  }

  async #sync(coordinator: WireClient, joined: JoinGroupResponse): Promise<GroupPartition[]> {
    const members = joined.members.map(({ memberId }) => memberId)
    const { partitions, history } = this.#options
    const assignments = members.map((memberId, at) => ({
      memberId,
      assignment: utf8(
        JSON.stringify(partitions.filter((_, index) => index % members.length === at)),
      ),
    }))
    const answer = await coordinator.request(syncGroup, {
      groupId: history.name,
      generationId: joined.generationId ?? -1,
      memberId: this.#memberId,
      protocolType: 'sim',
      protocolName,
      assignments: joined.leader === this.#memberId ? assignments : [],
    })
    refuse(answer.errorCode, 'SyncGroup')
    return JSON.parse(fromUtf8(answer.assignment)) as GroupPartition[]
  }

  async #positions(coordinator: WireClient, own: readonly GroupPartition[]): Promise<number[]> {
    const { history } = this.#options
    const atLeast = own.map(at => history.committed(at))
    const { groups } = await coordinator.request(
      offsetFetch,
      {
        groupId: '',
        topics: null,
        groups: [{ groupId: history.name, topics: null }],
        requireStable: true,
      },
      byName,
    )
    refuse(groups[0]?.errorCode ?? -1, 'OffsetFetch')
    return own.map((at, index) => {
      const found = groups[0]!.topics
        .find(({ name }) => name === at.topic)
        ?.partitions.find(({ partitionIndex }) => partitionIndex === at.partition)
      const offset = Number(found?.committedOffset ?? -1)
      history.found(at, offset, atLeast[index]!)
      return Math.max(0, offset)
    })
  }

  /** Reads a little, commits it, and tells that it lives. */
  async #round({ coordinator, generation, own, positions }: Membership): Promise<void> {
    const { history } = this.#options
    const groupId = history.name
    for (const [index, at] of own.entries()) {
      const { records } = await fetchFrom(this.#client, at, positions[index]!)
      const last = records.at(-1)
      if (last === undefined) continue
      positions[index] = last.offset + 1
      await this.#commit(coordinator, { at, generation, offset: last.offset + 1 })
    }
    const beat = { groupId, generationId: generation, memberId: this.#memberId }
    refuse((await coordinator.request(heartbeat, beat)).errorCode, 'Heartbeat')
    await this.#client.pause(300)
  }

  async #commit(
    coordinator: WireClient,
    commit: { readonly at: GroupPartition; readonly generation: number; readonly offset: number },
  ): Promise<void> {
    const { history } = this.#options
    const { at, generation, offset } = commit
    const newestBefore = history.newestGeneration
    const answer = await coordinator.request(
      offsetCommit,
      {
        groupId: history.name,
        generationIdOrMemberEpoch: generation,
        memberId: this.#memberId,
        topics: [
          {
            name: at.topic,
            partitions: [
              {
                partitionIndex: at.partition,
                committedOffset: offset,
                committedLeaderEpoch: -1,
                committedMetadata: '',
              },
            ],
          },
        ],
      },
      byName,
    )
    refuse(answer.topics[0]!.partitions[0]!.errorCode, 'OffsetCommit')
    this.commitCount++
    history.acked(at, offset, { generation, newestBefore })
  }
}

/** The coordinator does not know the member any more. */
const forgetsMember: ReadonlySet<ErrorName> = new Set(['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'])

function refuse(code: number, about: string): void {
  const error = errorName(code)
  if (error !== 'NONE') throw new AnsweredError(error, about)
}
