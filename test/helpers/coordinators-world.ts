import { SimClock } from '../../sim/clock.ts'
import { Life, LifeClock } from '../../sim/cluster/life.ts'
import { Coordinator } from '../../src/broker/coordinator/coordinator.ts'
import type { GroupError } from '../../src/broker/coordinator/groups/events.ts'
import { offsetsTopicName } from '../../src/lib/topic-name.ts'
import type { Cluster } from '../../src/broker/cluster/cluster.ts'
import { readBatchHeader, stampBatch } from '../../src/broker/log/batch/batch.ts'
import { createCodecs } from '../../src/broker/log/compression/codecs.ts'
import type { Partition } from '../../src/broker/partition/partition.ts'
import type { Partitions } from '../../src/broker/partition/partitions.ts'
import type { AppendResult, PartitionWatcher } from '../../src/broker/partition/requests.ts'
import type { ErrorName } from '../../src/broker/wire/errors.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import { type Uuid, uuidText, zeroUuid } from '../../src/lib/uuid.ts'
import { newConsumer } from './group-world.ts'

type ImageListener = Parameters<Cluster['onImage']>[0]

interface Batch {
  readonly bytes: Uint8Array
  readonly baseOffset: number
  readonly endOffset: number
  readonly leaderEpoch: number
}

interface Role {
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
}

interface Waiting {
  readonly endOffset: number
  readonly done: (result: AppendResult) => void
}

const simpleConsumer = { memberId: '', instanceId: null, generation: -1 }
const brokerIds = [1, 2, 3]

/** One broker's replica of a partition of the offsets topic: a log in memory, which follows when it is told to. */
export class ScriptedReplica {
  readonly id: { readonly topic: string; readonly partition: number }
  readonly isOpen = true
  readonly failure = null
  role: Role
  batches: Batch[] = []
  highWatermark = 0
  /** Where the present epoch began in this log. */
  epochStart = 0
  /** What the next append is refused with, before anything is written. */
  refuses: ErrorName | null = null
  /** As a leader that has heard of nobody for too long. */
  isOutOfTouch = false
  /** For how long it has heard of nobody. */
  silenceMs = 0
  waiting: Waiting[] = []
  readonly #brokerId: number
  readonly #watchers = new Set<PartitionWatcher>()

  constructor(brokerId: number, partition: number, role: Role) {
    this.#brokerId = brokerId
    this.id = { topic: offsetsTopicName, partition }
    this.role = role
  }

  get endOffset(): number {
    return this.batches.at(-1)?.endOffset ?? 0
  }

  get extent() {
    return { startOffset: 0, endOffset: this.endOffset }
  }

  get watchers() {
    return {
      add: (watcher: PartitionWatcher) => void this.#watchers.add(watcher),
      delete: (watcher: PartitionWatcher) => void this.#watchers.delete(watcher),
    }
  }

  availability(epoch = -1): ErrorName {
    if (this.role.leader !== this.#brokerId || this.isOutOfTouch) return 'NOT_LEADER_OR_FOLLOWER'
    return epoch === -1 || epoch === this.role.leaderEpoch ? 'NONE' : 'FENCED_LEADER_EPOCH'
  }

  get hasReachedEpoch(): boolean {
    return this.highWatermark >= this.epochStart
  }

  isSureToLead(ms: number): boolean {
    return this.silenceMs <= ms
  }

  append(bytes: Uint8Array, _: unknown, done: (result: AppendResult) => void): void {
    const error = this.refuses ?? this.availability()
    if (error !== 'NONE') return done(refused(error))
    const { leaderEpoch } = this.role
    const baseOffset = this.endOffset
    stampBatch(bytes, 0, baseOffset, leaderEpoch)
    const endOffset = baseOffset + readBatchHeader(bytes, 0).count
    this.batches.push({ bytes: bytes.slice(), baseOffset, endOffset, leaderEpoch })
    this.waiting.push({ endOffset, done })
  }

  read({ fetchOffset }: { readonly fetchOffset: number }) {
    const error = this.availability()
    const found = this.batches.find(({ endOffset }) => endOffset > fetchOffset)
    const isVisible = found !== undefined && found.endOffset <= this.highWatermark
    if (error !== 'NONE' || !isVisible) return Promise.resolve({ error, range: null })
    const readAsync = (at: number, into: Uint8Array): Promise<number> => {
      into.set(found.bytes.subarray(at, at + into.length))
      return Promise.resolve(into.length)
    }
    const file = { path: 'segment', readAsync }
    return Promise.resolve({ error, range: { file, position: 0, length: found.bytes.length } })
  }

  take(role: Role): void {
    this.role = role
    this.epochStart = this.endOffset
    this.isOutOfTouch = false
    for (const { done } of this.waiting.splice(0)) done(refused('NOT_LEADER_OR_FOLLOWER'))
    for (const watcher of this.#watchers) watcher.changed()
  }

  /** As a leader whose followers have everything below `offset`. */
  raise(offset: number): void {
    this.highWatermark = Math.max(this.highWatermark, offset)
    for (const watcher of this.#watchers) watcher.grew(0)
    const due = this.waiting.filter(({ endOffset }) => endOffset <= this.highWatermark)
    this.waiting = this.waiting.filter(one => !due.includes(one))
    for (const { done, endOffset } of due) done(appended(endOffset - 1))
  }

  /** Whoever waits is told that it takes too long; what he wrote stays. */
  timeOut(): void {
    for (const { done } of this.waiting.splice(0)) done(refused('REQUEST_TIMED_OUT'))
  }
}

/** Three coordinators over replicas whose following, elections and time-outs the test decides. */
export class CoordinatorsWorld {
  readonly clock = new SimClock()
  readonly #lives = new Map(brokerIds.map(id => [id, new Life()]))
  readonly warnings: string[] = []
  readonly #nodes = new Map<number, Node>()
  #roles: readonly Role[]
  #lastDrawn = 0
  /** The id of the one topic that is committed for. */
  topicId: Uuid = uuidOf(1)

  constructor(partitionCount = 1) {
    this.#roles = Array.from({ length: partitionCount }, () => {
      return { leader: 1, leaderEpoch: 0, replicas: brokerIds }
    })
    for (const id of brokerIds) this.#nodes.set(id, new Node(this, id, this.#roles))
  }

  /** Another number each time. */
  draw(): number {
    return ++this.#lastDrawn
  }

  async start(): Promise<void> {
    for (const { coordinator } of this.#nodes.values()) coordinator.start()
    await this.clock.settle()
  }

  /** The topic that is committed for is deleted, and made anew in the same moment; all of them hear of it. */
  async makeAnew(topicId: Uuid): Promise<void> {
    const deleted = { type: 'topicDeleted', topicId: this.topicId } as const
    this.topicId = topicId
    for (const node of this.#nodes.values()) node.hear([deleted])
    await this.clock.settle()
  }

  /** To stop the process of a broker, and have it go on; its timers wait meanwhile. */
  life(broker: number): Life {
    return this.#lives.get(broker)!
  }

  coordinator(broker: number): Coordinator {
    return this.#nodes.get(broker)!.coordinator
  }

  replica(broker: number, partition = 0): ScriptedReplica {
    return this.#nodes.get(broker)!.replicas[partition]!
  }

  /** The metadata as the brokers see it. */
  image() {
    const partitions = this.#roles.map((role, index) => ({ index, ...role }))
    const offsetsTopic = { id: zeroUuid, name: offsetsTopicName, partitions }
    const topic = { name: 'topic', id: this.topicId }
    return {
      topicByName: (name: string) =>
        name === offsetsTopicName ? offsetsTopic : { ...topic, name },
      topicById: (id: Uuid) => (id === topic.id ? topic : undefined),
    }
  }

  /** Another leader, whose log the others take over; all of them hear of it, but for `deaf`. */
  async elect(
    leader: number,
    { partition = 0, deaf = [] as readonly number[] } = {},
  ): Promise<void> {
    const { leaderEpoch } = this.#roles[partition]!
    const role = { leader, leaderEpoch: leaderEpoch + 1, replicas: brokerIds }
    this.#roles = this.#roles.map((before, at) => (at === partition ? role : before))
    for (const node of this.#nodes.values()) {
      if (deaf.includes(node.id)) continue
      node.replicas[partition]!.take(role)
      node.hear()
    }
    await this.clock.settle()
  }

  /**
   * The followers have all that the leader has, and the leader knows it. They themselves hear of the watermark with what
   * they fetch next, as anywhere.
   */
  async replicate(partition = 0): Promise<void> {
    const { leader } = this.#roles[partition]!
    const { batches, highWatermark, endOffset } = this.replica(leader, partition)
    for (const node of this.#nodes.values()) {
      const replica = node.replicas[partition]!
      if (node.id === leader || replica.role.leader !== leader) continue
      replica.batches = [...batches]
      replica.highWatermark = highWatermark
    }
    this.replica(leader, partition).raise(endOffset)
    await this.clock.settle()
  }

  commit(
    broker: number,
    offset: number,
    group = 'group',
    topicId = this.topicId,
  ): { answer: GroupError | null } {
    const value = {
      topicId,
      leaderEpoch: 0,
      metadata: '',
      commitTimeMs: 0,
      expireTimeMs: -1,
    }
    const offsets = [{ topic: 'topic', partition: 0, value: { offset, ...value } }]
    const call: { answer: GroupError | null } = { answer: null }
    void this.coordinator(broker)
      .commit(group, simpleConsumer, offsets)
      .then(answer => (call.answer = answer))
    return call
  }

  /** As OffsetFetch tells it: an error, or the offset, -1 where there is none. */
  committed(broker: number, group = 'group'): GroupError | number {
    const refusal = this.coordinator(broker).refusal(group)
    if (refusal !== 'NONE') return refusal
    return Number(this.coordinator(broker).views.offset(group, 'topic', 0)?.offset ?? -1)
  }

  join(broker: number, wish: { readonly memberId?: string; readonly instanceId?: string } = {}) {
    return this.coordinator(broker).join('group', { ...newConsumer, ...wish })
  }
}

class Node {
  readonly id: number
  readonly coordinator: Coordinator
  readonly replicas: readonly ScriptedReplica[]
  readonly #world: CoordinatorsWorld
  #listener: ImageListener = () => {}

  constructor(world: CoordinatorsWorld, id: number, roles: readonly Role[]) {
    this.#world = world
    this.id = id
    this.replicas = roles.map((role, index) => new ScriptedReplica(id, index, role))
    const clock = new LifeClock(world.clock, world.life(id), { rate: 1, aheadMs: 0 })
    const seen = (): unknown => this.#image
    this.coordinator = new Coordinator({
      env: {
        clock,
        crc32c,
        random: { bytes: length => new Uint8Array(length).fill(world.draw()) },
      },
      cluster: {
        brokerId: id,
        get image() {
          return seen()
        },
        onImage: (listener: ImageListener) => {
          this.#listener = listener
          return () => {}
        },
      } as unknown as Cluster,
      partitions: {
        find: (_: string, index: number) => this.replicas[index] as unknown as Partition,
        settled: () => Promise.resolve(),
      } as unknown as Partitions,
      codecs: createCodecs(clock),
      groups: {
        initialRebalanceDelayMs: 0,
        sessionTimeoutMsMin: 1,
        sessionTimeoutMsMax: 100_000,
        groupSizeMax: 10,
        offsetsRetentionMs: 100_000_000,
      },
      commitTimeoutMs: 5000,
      silenceMsMax: 6000,
      expiryCheckIntervalMs: 100_000_000,
      info: () => {},
      warn: message => void world.warnings.push(message),
    })
  }

  #seen: ReturnType<CoordinatorsWorld['image']> | null = null

  get #image() {
    return (this.#seen ??= this.#world.image())
  }

  hear(records: Parameters<ImageListener>[1] = []): void {
    this.#seen = this.#world.image()
    this.#listener(this.#seen as never, records)
  }
}

function appended(lastOffset: number): AppendResult {
  return {
    ok: true,
    duplicate: false,
    baseOffset: lastOffset,
    lastOffset,
    logAppendTimeMs: -1,
    logStartOffset: 0,
  }
}

function refused(error: ErrorName): AppendResult {
  return { ok: false, error, message: '', recordErrors: [], logStartOffset: 0 }
}

export function uuidOf(number: number): Uuid {
  return uuidText(new Uint8Array(16).fill(number))
}
