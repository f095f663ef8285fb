import { decodeEntry } from '../src/broker/metadata/copy/copy-entry.ts'
import type { Node } from './cluster/node.ts'
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

  #lookAtStore(): void {
    const { records } = this.#world.medium
    const end = records.at(-1)
    if (end === undefined || this.#hashes.get(end.sequence) === end.hash) return
    for (const { sequence, hash, epoch } of records) {
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
    }
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
