import { decodeEntry } from '../src/broker/metadata/copy/copy-entry.ts'
import { MetadataImage, type PartitionImage } from '../src/broker/metadata/image.ts'
import { isActive, isFrozen } from '../src/broker/metadata/replicas.ts'
import { decodeBatch } from '../src/broker/metadata/records.ts'
import { fromUtf8 } from '../src/lib/bytes.ts'
import type { Uuid } from '../src/lib/uuid.ts'
import type { Node } from './cluster/node.ts'
import type { ReplicaView } from './cluster/told-metrics.ts'
import type { World } from './cluster/world.ts'

/** Milliseconds of virtual time between two looks at what brokers keep. */
const everyMs = 5000

/**
 * I10 (durability.md 5.1): the metadata log has one value at each sequence, and what each broker followed is a beginning of it.
 * What the store has is looked at after every event, before it can forget it; what brokers followed is their copy of it on disk.
 */
export class MetadataWatch {
  readonly #world: World
  /** Hashes of the chain by sequence: equal hashes are equal logs up to there. */
  readonly #hashes = new Map<number, string>()
  /** Of the last look. */
  #last = { sequence: 0, epoch: 0 }
  /** What the store says, whoever has heard of it. */
  #image = MetadataImage.empty
  #nextCopiesMs = everyMs

  constructor(world: World) {
    this.#world = world
    world.watch(() => {
      this.#lookAtStore()
      if (world.time.monotonic() < this.#nextCopiesMs) return
      this.#nextCopiesMs = world.time.monotonic() + everyMs
      this.lookAtCopies()
    })
    world.onEnd(node => this.#lookAtCopy(node))
  }

  /** Of all brokers, as they lie on their disks now. */
  lookAtCopies(): void {
    for (const node of this.#world.nodes) this.#lookAtCopy(node)
  }

  /** This life of the node is in sync, or eligible, by the last record in the store: a clean election may choose it. */
  isElectable(node: Node, { topic, partition }: ReplicaView): boolean {
    const state = this.#image.topicByName(topic)?.partitions[partition]
    const broker = this.#image.brokers.get(node.id)
    if (state === undefined || broker === undefined) return false
    const { directoryId, epoch } = broker
    const isOneOfThem = state.isr.includes(directoryId) || state.elr.includes(directoryId)
    return isOneOfThem && registeredEpochOf(node) === epoch
  }

  /** Partitions that nobody leads, though somebody is there whom the controller elects without a person's word (R9). */
  neglected(): string[] {
    const names: string[] = []
    for (const topic of this.#image.topics()) {
      for (const [index, partition] of topic.partitions.entries()) {
        if (this.#isNeglected(partition)) names.push(`${topic.name}-${index}`)
      }
    }
    return names
  }

  #isNeglected({ leader, replicas, isr, elr, lastKnownElr }: PartitionImage): boolean {
    if (leader !== -1) return false
    const isAlone = isr.length + elr.length === 0 && lastKnownElr.length === 1
    const able = [...isr, ...elr, ...(isAlone ? lastKnownElr : [])]
    return able.some(id => {
      const broker = this.#image.brokerOfDirectory(id)
      return isActive(broker) && replicas.includes(broker.id)
    })
  }

  #lookAtStore(): void {
    const { records } = this.#world.medium
    const end = records.at(-1)
    if (end === undefined || this.#hashes.get(end.sequence) === end.hash) return
    for (const { sequence, hash, epoch, payload } of records) {
      const known = this.#hashes.get(sequence)
      if (known !== undefined && known !== hash) {
        this.#world.fail(`I10: the metadata log has another record ${sequence} than it had`)
      }
      if (known !== undefined) continue
      if (sequence !== this.#last.sequence + 1 || epoch < this.#last.epoch) {
        const { sequence: before, epoch: epochBefore } = this.#last
        this.#world.fail(
          `I10: record ${sequence} of epoch ${epoch} comes after ${before} of epoch ${epochBefore}`,
        )
      }
      this.#hashes.set(sequence, hash)
      this.#last = { sequence, epoch }
      if (sequence !== this.#image.sequence + 1) continue
      const before = this.#image
      this.#image = before.applyBatch(sequence, decodeBatch(payload))
      if (isFrozen(before) && isFrozen(this.#image)) this.#compareFrozen(before)
    }
  }

  /** Decision 0016: nobody leaves an in-sync set for being away. */
  #compareFrozen(before: MetadataImage): void {
    for (const topic of before.topics()) {
      for (const [index, { isr }] of topic.partitions.entries()) {
        const now = this.#image.topicById(topic.id)?.partitions[index]
        if (now === undefined || now.isr === isr) continue
        const left = isr.find(id => !now.isr.includes(id) && this.#isOwed(id, now.replicas))
        if (left === undefined) continue
        this.#world.fail(
          `frozen: ${left} left the in-sync set of ${topic.name}-${index} and had lost nothing`,
        )
      }
    }
  }

  /** Its broker is one of the replicas still, and has said of no start that it may have lost something. */
  #isOwed(directoryId: Uuid, replicas: readonly number[]): boolean {
    const broker = this.#image.brokerOfDirectory(directoryId)
    if (broker === undefined || !replicas.includes(broker.id)) return false
    const isGone = this.#image.isRetired(directoryId) || this.#image.isFailed(directoryId)
    return !isGone && (broker.startClass === 'A' || broker.startClass === 'B')
  }

  #lookAtCopy(node: Node): void {
    const bytes = node.read('/data/metadata.copy')
    for (let next = decodeEntry(bytes, 0); next !== null; next = decodeEntry(bytes, next.end)) {
      const { entry } = next
      if (entry.kind === 'local' || this.#hashes.get(entry.sequence) === entry.hash) continue
      this.#world.fail(
        `I10: ${node.host} followed a record ${entry.sequence} that the metadata log never had`,
      )
    }
  }
}

/** Of the run that has the disk; null while no registration stands for it. */
function registeredEpochOf(node: Node): number | null {
  const run = fromUtf8(node.read('/data/run.json'))
  if (!run.includes('"unregistered":null')) return null
  return Number(/"brokerEpoch":(\d+)/.exec(run)?.[1] ?? Number.NaN)
}
