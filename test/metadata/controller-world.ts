import type {
  Answer,
  Command,
  Heartbeat,
  PartitionAlteration,
  Registration,
} from '../../src/broker/cluster/controller/commands.ts'
import {
  Controller,
  type ControllerEvent,
  type ControllerOptions,
} from '../../src/broker/cluster/controller/controller.ts'
import {
  type BrokerImage,
  MetadataImage,
  type PartitionImage,
} from '../../src/broker/metadata/image.ts'
import { brokersOf } from '../../src/broker/metadata/replicas.ts'
import { type MetadataRecord, decodeBatch, encodeBatch } from '../../src/broker/metadata/records.ts'
import { uuidText } from '../../src/lib/uuid.ts'
import { registration } from './brokers.ts'

const rules: ControllerOptions['rules'] = {
  partitionCountDefault: 1,
  replicationFactorDefault: 3,
  requestPartitionCountMax: 100_000,
  clusterPartitionCountMax: 100_000,
  internalTopics: new Map(),
  validateConfigs: () => null,
  validateGroupConfigs: () => null,
  validateBrokerConfigs: () => null,
  listBeneath: () => null,
}

const otherRules = {
  brokerId: 1,
  snapshotIntervalMax: 1_000_000,
  payloadBytesMax: 1_000_000,
  rules,
}

/** A controller of several brokers over a log in memory that takes every append at once, and the brokers' signs of life. */
export class ControllerWorld {
  readonly records: MetadataRecord[] = []
  /** Of each append. */
  readonly batches: MetadataRecord[][] = []
  nowMs = 1_000
  readonly #options: Partial<ControllerOptions>
  readonly #answers = new Map<number, Answer>()
  #controller: Controller
  #appended: readonly MetadataRecord[] = []
  #lastId = 0
  #starts = 0
  #beat = 0

  constructor(options: Partial<ControllerOptions> = {}) {
    this.#options = options
    this.#controller = this.#begin(MetadataImage.empty, 1)
  }

  get image(): MetadataImage {
    return this.#controller.image
  }

  /** Another controller takes over. */
  takeOver(): void {
    this.#controller = this.#begin(this.image, this.image.sequence + 1)
  }

  ask(command: Command): Answer {
    const id = ++this.#lastId
    this.step({ type: 'commanded', id, command })
    return this.#answers.get(id)!
  }

  /** Another start of the broker. */
  register(id: number, changes: Partial<Registration> = {}): Answer {
    const incarnationId = this.uuid()
    return this.ask(registration(id, { incarnationId, ...changes }))
  }

  heartbeat(id: number, changes: Partial<Heartbeat> = {}): Answer {
    return this.ask({
      type: 'heartbeat',
      brokerId: id,
      brokerEpoch: this.broker(id).epoch,
      appliedSequence: this.image.sequence,
      wantsShutdown: false,
      wantsFence: false,
      beat: ++this.#beat,
      ...changes,
    })
  }

  /** Registers, and lives. */
  start(id: number, changes: Partial<Registration> = {}): void {
    const answer = this.register(id, changes)
    if (answer.type === 'refused') throw new Error(answer.message)
    this.heartbeat(id)
    if (this.broker(id).isFenced) throw new Error(`broker ${id} is fenced`)
  }

  /** Time goes by, with heartbeats of those brokers every 100 ms. */
  pass(ms: number, ...living: number[]): void {
    for (let past = 0; past < ms; past += 100) {
      this.nowMs += 100
      for (const id of living) this.heartbeat(id)
      this.step({ type: 'tick', nowMs: this.nowMs })
    }
  }

  /** The broker's process ends, and everybody sees it. */
  fence(id: number): void {
    this.heartbeat(id, { wantsFence: true })
  }

  create(
    name: string,
    replicas: readonly (readonly number[])[],
    configs: Record<string, string> = {},
  ) {
    const draft = {
      name,
      partitionCount: -1,
      replicationFactor: -1,
      assignments: replicas.map((brokers, partition) => ({ partition, brokers })),
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      topicId: this.uuid(),
      placementStart: 0,
    }
    const answer = this.ask({ type: 'createTopics', drafts: [draft], validateOnly: false })
    if (answer.type !== 'topicsCreated' || answer.results[0]?.error !== 'NONE') {
      throw new Error(JSON.stringify(answer))
    }
  }

  broker(id: number): BrokerImage {
    return this.image.brokers.get(id)!
  }

  topicId(name = 't'): string {
    return this.image.topicByName(name)!.id
  }

  partition(name = 't', index = 0): PartitionImage {
    return this.image.topicByName(name)!.partitions[index]!
  }

  /** Leader, and brokers of ISR, ELR and last known ELR. */
  state(name = 't', index = 0): [number, number[], number[], number[]] {
    const { leader, isr, elr, lastKnownElr } = this.partition(name, index)
    const told = [isr, elr, lastKnownElr].map(ids => brokersOf(this.image, ids))
    return [leader, told[0]!, told[1]!, told[2]!]
  }

  /** What the leader of the partition may ask for, and is given. */
  wish(
    brokers: readonly number[],
    changes: Partial<PartitionAlteration> = {},
  ): PartitionAlteration {
    const { leaderEpoch, partitionEpoch } = this.partition()
    const isr = brokers.map(brokerId => ({ brokerId, brokerEpoch: this.broker(brokerId).epoch }))
    const epochs = { leaderEpoch, partitionEpoch }
    return { topicId: this.topicId(), index: 0, ...epochs, isr, isRecovering: false, ...changes }
  }

  alter(...partitions: PartitionAlteration[]): Answer {
    const brokerId = this.partition().leader
    const brokerEpoch = this.broker(brokerId).epoch
    return this.ask({ type: 'alterPartitions', brokerId, brokerEpoch, partitions })
  }

  setConfig(name: string, value: string, topic: string | null = 't'): void {
    const resource =
      topic === null
        ? ({ type: 'broker', brokerId: null } as const)
        : ({ type: 'topic', name: topic } as const)
    const edits = [{ operation: 'set', name, value } as const]
    const changes = [{ resource, edits, isWhole: false }]
    this.ask({ type: 'alterConfigs', changes, validateOnly: false })
  }

  step(event: ControllerEvent): void {
    const events = [event]
    for (let next = events.shift(); next !== undefined; next = events.shift()) {
      for (const effect of this.#controller.step(next)) {
        if (effect.type === 'append') {
          const batch = decodeBatch(effect.payload)
          this.batches.push(batch)
          this.records.push(...batch)
          const nextSequence = this.#controller.image.sequence + 2
          events.push({ type: 'committed', nextSequence })
        } else if (effect.type === 'answer') this.#answers.set(effect.id, effect.answer)
        else if (effect.type !== 'publish') throw new Error(`unexpected ${effect.type}`)
      }
    }
  }

  /** What a controller appended before it came to its end; this one does not know of it. */
  appendOnly(records: readonly MetadataRecord[]): void {
    this.#appended = records
  }

  uuid(): string {
    const bytes = new Uint8Array(16)
    new DataView(bytes.buffer).setUint32(4, ++this.#starts)
    return uuidText(bytes)
  }

  #begin(image: MetadataImage, nextSequence: number): Controller {
    // As a snapshot of it is read, so that nothing counts that is not in records.
    const records = [...decodeSnapshot(image), ...this.#appended]
    this.#appended = []
    this.#controller = new Controller({
      ...otherRules,
      claimId: this.uuid(),
      clusterId: this.uuid(),
      image: MetadataImage.empty.applyBatch(nextSequence - 1, records),
      nextSequence,
      snapshotSequence: nextSequence - 1,
      ...this.#options,
    })
    this.step({ type: 'started' })
    this.step({ type: 'tick', nowMs: this.nowMs })
    return this.#controller
  }
}

function decodeSnapshot(image: MetadataImage): MetadataRecord[] {
  const records = [...image.records()]
  return records.length === 0 ? [] : decodeBatch(encodeBatch(records))
}

/** Brokers 1, 2 and 3, alive, and a topic `t` of one partition, of all of them. */
export function threeBrokers(options: Partial<ControllerOptions> = {}): ControllerWorld {
  const world = new ControllerWorld(options)
  for (const id of [1, 2, 3]) world.start(id)
  world.create('t', [[1, 2, 3]])
  return world
}
