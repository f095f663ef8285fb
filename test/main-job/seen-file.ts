import { readFileSync } from 'node:fs'

/** A record as a member of the group saw it. */
export interface Seen {
  readonly partition: number
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

const headBytes = 20

/** partition int32, offset int64, key length int32, value length int32 (-1 for null), key, value. */
export function encodeSeen({ partition, offset, key, value }: Seen): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + (key?.length ?? 0) + (value?.length ?? 0))
  bytes.writeInt32BE(partition, 0)
  bytes.writeBigInt64BE(BigInt(offset), 4)
  bytes.writeInt32BE(key?.length ?? -1, 12)
  bytes.writeInt32BE(value?.length ?? -1, 16)
  if (key !== null) bytes.set(key, headBytes)
  if (value !== null) bytes.set(value, headBytes + (key?.length ?? 0))
  return bytes
}

/** Everything that the members of a group wrote down, by partition, each offset once and in order. */
export class SeenRecords {
  readonly #files: Buffer[] = []
  /** By partition: offset, and where the record stands. */
  readonly #places = new Map<number, { offset: number; file: number; at: number }[]>()
  redeliveredCount = 0

  /** A file that ends in the middle of a record, because its writer was killed, counts up to there. */
  add(path: string): number {
    const bytes = readFileSync(path)
    const file = this.#files.push(bytes) - 1
    let count = 0
    for (let at = 0; at + headBytes <= bytes.length; count++) {
      const end = at + headBytes + lengthAt(bytes, at + 12) + lengthAt(bytes, at + 16)
      if (end > bytes.length) break
      const partition = bytes.readInt32BE(at)
      const places = this.#places.get(partition) ?? []
      if (places.length === 0) this.#places.set(partition, places)
      places.push({ offset: Number(bytes.readBigInt64BE(at + 4)), file, at })
      at = end
    }
    return count
  }

  *of(partition: number): IterableIterator<Seen> {
    const places = (this.#places.get(partition) ?? []).toSorted((a, b) => a.offset - b.offset)
    let last = -1
    for (const { offset, file, at } of places) {
      if (offset === last) this.redeliveredCount++
      else yield this.#read(partition, offset, { bytes: this.#files[file]!, at })
      last = offset
    }
  }

  #read(partition: number, offset: number, { bytes, at }: { bytes: Buffer; at: number }): Seen {
    const keyAt = at + headBytes
    const keyBytes = lengthAt(bytes, at + 12)
    const valueAt = keyAt + keyBytes
    const isNull = (field: number): boolean => bytes.readInt32BE(field) < 0
    return {
      partition,
      offset,
      key: isNull(at + 12) ? null : bytes.subarray(keyAt, valueAt),
      value: isNull(at + 16) ? null : bytes.subarray(valueAt, valueAt + lengthAt(bytes, at + 16)),
    }
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  return Math.max(0, bytes.readInt32BE(at))
}
