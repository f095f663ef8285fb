/**
 * What clients of a simulated cluster sent, were told and saw. Every value is written once by one producer, so that what
 * must never be can be told from the values alone (durability.md 5.1).
 */
export class History {
  readonly #fail: (what: string) => void
  readonly #partitions = new Map<string, PartitionHistory>()
  ackedCount = 0
  seenCount = 0

  constructor(fail: (what: string) => void) {
    this.#fail = fail
  }

  partition(topic: string, index: number): PartitionHistory {
    const name = `${topic}-${index}`
    let found = this.#partitions.get(name)
    if (found === undefined) {
      found = new PartitionHistory(name, topic, index, what => this.#fail(what))
      this.#partitions.set(name, found)
    }
    return found
  }

  all(): Iterable<PartitionHistory> {
    return this.#partitions.values()
  }

  /** The topic is gone, or may be: nothing of it is owed any more. */
  drop(topic: string): void {
    for (const [name, partition] of this.#partitions) {
      if (partition.topic === topic) this.#partitions.delete(name)
    }
  }
}

/** A record as a reader gets it. */
export interface SeenRecord {
  readonly offset: number
  readonly value: string
}

/** The facts of one partition. */
export class PartitionHistory {
  readonly name: string
  readonly topic: string
  readonly index: number
  readonly #fail: (what: string) => void
  readonly #valueAt = new Map<number, string>()
  readonly #offsetOf = new Map<string, number>()
  readonly #acked = new Map<string, number>()
  readonly #rejected = new Set<string>()
  #latestOffset = -1

  constructor(name: string, topic: string, index: number, fail: (what: string) => void) {
    this.name = name
    this.topic = topic
    this.index = index
    this.#fail = fail
  }

  get ackedCount(): number {
    return this.#acked.size
  }

  /** The greatest offset that anybody was told of; -1 for none. */
  get latestOffset(): number {
    return this.#latestOffset
  }

  /** An acks=all write was acknowledged. */
  acked(value: string, offset: number): void {
    this.#acked.set(value, offset)
    this.#know(value, offset, 'was acknowledged')
  }

  /** A consumer got it. */
  seen({ value, offset }: SeenRecord): void {
    if (this.#rejected.has(value)) {
      this.#fail(`I6: ${this.name} shows ${value} at ${offset}, which was definitely rejected`)
    }
    this.#know(value, offset, 'was seen')
  }

  /** The producer was told that it was not written, and never will be. */
  rejected(value: string): void {
    this.#rejected.add(value)
    const offset = this.#offsetOf.get(value)
    if (offset !== undefined) {
      this.#fail(`I6: ${this.name} has ${value} at ${offset}, which was definitely rejected`)
    }
  }

  /**
   * Holds everything that was told against the whole log as it is at the end, from its start on.
   * `records`: with offsets as they come, oldest first.
   */
  check(records: readonly SeenRecord[]): void {
    let before = -1
    const last = new Map<string, number>()
    const found = new Map<number, string>()
    for (const { offset, value } of records) {
      if (offset <= before) this.#fail(`I4: ${this.name} has ${offset} after ${before}`)
      before = offset
      found.set(offset, value)
      this.seen({ offset, value })
      const { producer, number } = partsOf(value)
      const previous = last.get(producer) ?? -1
      if (number <= previous && isOrdered(value)) {
        this.#fail(`I2: ${this.name} has ${value} at ${offset} after number ${previous}`)
      }
      last.set(producer, Math.max(previous, number))
    }
    for (const [offset, value] of this.#valueAt) {
      const is = found.get(offset)
      if (is === value) continue
      const kind = this.#acked.has(value) ? 'I1: acknowledged' : 'I5: seen'
      this.#fail(`${kind} ${value} at ${this.name}:${offset} is ${is ?? 'gone'} at the end`)
    }
  }

  #know(value: string, offset: number, how: string): void {
    const otherValue = this.#valueAt.get(offset)
    if (otherValue !== undefined && otherValue !== value) {
      this.#fail(`I3: ${this.name}:${offset} ${how} as ${value}, and was ${otherValue} before`)
    }
    const otherOffset = this.#offsetOf.get(value)
    if (otherOffset !== undefined && otherOffset !== offset) {
      this.#fail(`I2: ${this.name} has ${value} at ${otherOffset} and ${how} at ${offset}`)
    }
    this.#valueAt.set(offset, value)
    this.#offsetOf.set(value, offset)
    this.#latestOffset = Math.max(this.#latestOffset, offset)
  }
}

/** `producer/number`: who wrote it, and as which of his in this partition. */
export function valueOf(producer: string, number: number): string {
  return `${producer}/${number}`
}

function partsOf(value: string): { readonly producer: string; readonly number: number } {
  const slash = value.lastIndexOf('/')
  return { producer: value.slice(0, slash), number: Number(value.slice(slash + 1)) }
}

/** A plain producer's request may lie about in a connection that it gave up, and come late. */
function isOrdered(value: string): boolean {
  return value.startsWith('idempotent')
}
