import { fromUtf8, readInt16, readInt32 } from '../../../lib/bytes.ts'

/** The protocol type of Kafka's consumers: only theirs can be opened. */
export const consumerProtocolType = 'consumer'

export interface AssignedTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

/**
 * Topics of a ConsumerProtocolSubscription, any version: they stand first. null where the bytes are none, which
 * is the client's affair: groups never need to understand them.
 */
export function subscribedTopics(subscription: Uint8Array): readonly string[] | null {
  return attempt(subscription, cursor => cursor.list(() => cursor.text()))
}

/** Partitions of a ConsumerProtocolAssignment, any version; null where the bytes are none. Empty bytes assign nothing. */
export function assignedTopics(assignment: Uint8Array): readonly AssignedTopic[] | null {
  if (assignment.length === 0) return []
  return attempt(assignment, cursor =>
    cursor.list(() => ({
      topic: cursor.text(),
      partitions: cursor.list(() => cursor.int32()),
    })),
  )
}

function attempt<T>(bytes: Uint8Array, read: (cursor: Cursor) => T): T | null {
  try {
    const cursor = new Cursor(bytes)
    return cursor.int16() < 0 ? null : read(cursor)
  } catch {
    return null
  }
}

/** Reads what clients wrote for each other; throws where it does not fit. */
class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  int16(): number {
    return readInt16(this.#bytes, this.#take(2))
  }

  int32(): number {
    return readInt32(this.#bytes, this.#take(4))
  }

  text(): string {
    const size = this.int16()
    const at = this.#take(size)
    return fromUtf8(this.#bytes.subarray(at, at + size))
  }

  list<T>(item: () => T): T[] {
    const count = this.int32()
    // The smallest item has two bytes: a count beyond that is no count.
    if (count < 0 || count * 2 > this.#bytes.length) throw new RangeError('no list')
    return Array.from({ length: count }, item)
  }

  #take(size: number): number {
    const at = this.#at
    if (size < 0 || at + size > this.#bytes.length) throw new RangeError('it ends too early')
    this.#at = at + size
    return at
  }
}
