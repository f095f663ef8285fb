import { decideAlterPartitions } from '../../src/broker/cluster/controller/alter-partitions.ts'
import { fenced, unfenced } from '../../src/broker/cluster/controller/broker-states.ts'
import type { Answer, Command } from '../../src/broker/cluster/controller/commands.ts'
import { newPartition } from '../../src/broker/cluster/controller/placement.ts'
import { applied } from '../../src/broker/cluster/controller/partition-changes.ts'
import { decideRegisterBroker } from '../../src/broker/cluster/controller/register-broker.ts'
import { MetadataImage, type PartitionImage } from '../../src/broker/metadata/image.ts'
import type { StartClass } from '../../src/broker/metadata/records.ts'
import { brokersOf } from '../../src/broker/metadata/replicas.ts'
import type { AlterWish, PartitionRole } from '../../src/broker/partition/replica/replica.ts'
import { replicaBrokersOf, roleOf } from '../../src/broker/partition/role-of.ts'
import { uuidText } from '../../src/lib/uuid.ts'
import { registered, registration } from '../metadata/brokers.ts'

type AlterPartitions = Extract<Command, { readonly type: 'alterPartitions' }>

/** What the controller decides with; each may be given a bug. */
export interface Decisions {
  register(image: MetadataImage, brokerId: number, startClass: StartClass): MetadataImage
  fence(image: MetadataImage, brokerId: number): MetadataImage
  unfence(image: MetadataImage, brokerId: number): MetadataImage
  /** `first`: the image that everything began with, which a controller that was replaced may know still. */
  alter(
    image: MetadataImage,
    command: AlterPartitions,
    first: MetadataImage,
  ): { readonly image: MetadataImage; readonly answer: Answer }
}

/** A registration's epoch is the sequence of its append; here the next that nobody has. */
export function nextEpoch({ brokers }: MetadataImage): number {
  return 1 + Math.max(...Array.from(brokers.values(), ({ epoch }) => epoch))
}

export const decisions: Decisions = {
  register(image, brokerId, startClass) {
    const sequence = nextEpoch(image)
    const incarnationId = incarnationOf(sequence)
    const command = registration(brokerId, { incarnationId, startClass })
    const options = { sequence, isLive: false, lastBeat: null, hashAt: () => null }
    return decideRegisterBroker(image, command, options).image
  },
  fence: (image, brokerId) => applied(image, fenced(image, [image.brokers.get(brokerId)!])),
  unfence: (image, brokerId) => applied(image, unfenced(image, image.brokers.get(brokerId)!)),
  alter: (image, command) => decideAlterPartitions(image, command),
}

export function incarnationOf(epoch: number): string {
  const bytes = new Uint8Array(16)
  bytes[0] = epoch
  return uuidText(bytes)
}

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'

interface Known {
  readonly image: MetadataImage
  readonly partition: PartitionImage
  readonly role: PartitionRole
  /** Brokers. */
  readonly isr: readonly number[]
  readonly elr: readonly number[]
}

interface Altered {
  /** As it was where it was refused. */
  readonly image: number
  readonly answer: Answer
}

/** Every image that the log was seen to make, by number; and what the controller decides upon it. */
export class Images {
  readonly #decisions: Decisions
  readonly #known: Known[] = []
  readonly #numbers = new Map<string, number>()
  readonly #next = new Map<string, number>()
  readonly #alterations = new Map<string, Altered>()

  /** These brokers, alive, and a partition that all of them have in sync. */
  constructor(ids: readonly number[], made: Decisions) {
    this.#decisions = made
    const brokers = applied(
      MetadataImage.empty,
      ids.map(id => registered(id)),
    )
    const rest = { name: 't', isInternal: false, configs: [] }
    const partitions = [newPartition(brokers, 0, ids, new Map())]
    this.#number(brokers.apply({ type: 'topicCreated', topicId, ...rest, partitions }))
  }

  known(image: number): Known {
    return this.#known[image]!
  }

  register(image: number, brokerId: number, startClass: StartClass): number {
    return this.#after(image, `register ${brokerId} ${startClass}`, before =>
      this.#decisions.register(before, brokerId, startClass),
    )
  }

  fence(image: number, brokerId: number): number {
    return this.#after(image, `fence ${brokerId}`, before =>
      this.#decisions.fence(before, brokerId),
    )
  }

  unfence(image: number, brokerId: number): number {
    return this.#after(image, `unfence ${brokerId}`, before =>
      this.#decisions.unfence(before, brokerId),
    )
  }

  alter(image: number, brokerId: number, brokerEpoch: number, wish: AlterWish): Altered {
    const key = JSON.stringify([image, brokerId, brokerEpoch, wish])
    let altered = this.#alterations.get(key)
    if (altered === undefined) {
      const partitions = [{ topicId, index: 0, ...wish }]
      const command = { type: 'alterPartitions', brokerId, brokerEpoch, partitions } as const
      const first = this.#known[0]!.image
      const decision = this.#decisions.alter(this.#known[image]!.image, command, first)
      altered = { image: this.#number(decision.image), answer: decision.answer }
      this.#alterations.set(key, altered)
    }
    return altered
  }

  #after(image: number, what: string, decide: (before: MetadataImage) => MetadataImage): number {
    const key = `${image} ${what}`
    let next = this.#next.get(key)
    if (next === undefined) {
      next = this.#number(decide(this.#known[image]!.image))
      this.#next.set(key, next)
    }
    return next
  }

  #number(image: MetadataImage): number {
    const topic = image.topicById(topicId)!
    const partition = topic.partitions[0]!
    const brokers = Array.from(image.brokers.values(), ({ id, epoch, isFenced }) => [
      id,
      epoch,
      isFenced,
    ])
    const key = JSON.stringify([partition, brokers])
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const role = roleOf(image, topic, partition, replicaBrokersOf(image))
    const isr = brokersOf(image, partition.isr)
    const elr = brokersOf(image, partition.elr)
    const number = this.#known.push({ image, partition, role, isr, elr }) - 1
    this.#numbers.set(key, number)
    return number
  }
}
