import { createHash, type Hash } from 'node:crypto'

/** What a reader saw of one record. */
export interface SeenRecord {
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** What reading a whole topic gave. */
export interface ReadResult {
  readonly digest: string
  readonly recordCount: number
  readonly gapCount: number
  readonly order: OrderByKey
  readonly seconds: number
}

/**
 * Digest of (partition, offset, key, value) over all partitions, and whether any offset was missing. The same
 * bytes are hashed by `read.py`, which knows nothing of this file.
 */
export class PartitionDigest {
  readonly #hash = createHash('sha256')
  readonly #head = Buffer.alloc(12)
  readonly #length = Buffer.alloc(4)
  nextOffset: number
  recordCount = 0
  gapCount = 0

  constructor(partition: number, startOffset: number) {
    this.nextOffset = startOffset
    this.#head.writeInt32BE(partition, 0)
  }

  add({ offset, key, value }: SeenRecord): void {
    if (offset !== this.nextOffset) this.gapCount++
    this.nextOffset = offset + 1
    this.recordCount++
    this.#head.writeBigInt64BE(BigInt(offset), 4)
    this.#hash.update(this.#head)
    this.#addBytes(key)
    this.#addBytes(value)
  }

  end(): Buffer {
    return this.#hash.digest()
  }

  #addBytes(bytes: Uint8Array | null): void {
    this.#length.writeInt32BE(bytes === null ? -1 : bytes.length, 0)
    this.#hash.update(this.#length)
    if (bytes !== null) this.#hash.update(bytes)
  }
}

/** The digest of a whole topic, from those of its partitions in order. */
export function topicDigest(partitions: readonly Buffer[]): string {
  return createHash('sha256').update(Buffer.concat(partitions)).digest('hex')
}

/** The values of each key, in the order they were seen. */
export class OrderByKey {
  readonly #byKey = new Map<string, Hash>()

  get keyCount(): number {
    return this.#byKey.size
  }

  add(key: string, value: Uint8Array): void {
    let hash = this.#byKey.get(key)
    if (hash === undefined) this.#byKey.set(key, (hash = createHash('sha1')))
    hash.update(value)
    hash.update('\n')
  }

  /** Digest of each key's values so far. */
  digests(): ReadonlyMap<string, string> {
    return new Map([...this.#byKey].map(([key, hash]) => [key, hash.copy().digest('hex')]))
  }
}

/** Keys whose values differ in number, content or order. */
export function differingKeys(wanted: OrderByKey, seen: OrderByKey): string[] {
  const a = wanted.digests()
  const b = seen.digests()
  return [...new Set([...a.keys(), ...b.keys()])].filter(key => a.get(key) !== b.get(key))
}
