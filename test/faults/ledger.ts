import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'

/**
 * What was sent, acknowledged and seen, and whether it is all still true. It knows nothing of brokers: it is told
 * what answers said, and at the end what every partition holds.
 *
 * Invariants of durability.md 5.1: I1 nothing acknowledged is missing, I2 no value of an idempotent writer twice
 * and none out of order, I3 an offset never shows two values, I5 what was seen does not vanish, I6 what was
 * refused does not appear.
 */
export class Ledger {
  readonly #violations: Violation[] = []
  #violationCount = 0
  /** By kind, and by what the text begins with: where it happened. */
  readonly #countOf = new Map<string, number>()
  readonly #writers: Writer[] = []
  readonly #partitions = new Map<PartitionKey, PartitionLedger>()
  ackedRecords = 0
  seenRecords = 0

  get violations(): readonly Violation[] {
    return this.#violations
  }

  get violationCount(): number {
    return this.#violationCount
  }

  /** `isIdempotent`: its batches are sent again until they are acknowledged, and may be there once only. */
  addWriter(name: string, isIdempotent: boolean): Writer {
    const writer = { index: this.#writers.length, name, isIdempotent }
    this.#writers.push(writer)
    return writer
  }

  partition(key: PartitionKey): PartitionLedger {
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    const made: PartitionLedger = { key, known: [], sentCounts: new Map(), refused: new Set() }
    this.#partitions.set(key, made)
    return made
  }

  /** Behind the last record that was acknowledged, or seen. */
  endOf(key: PartitionKey): number {
    return this.#partitions.get(key)?.known.length ?? 0
  }

  /** The topic is gone, and its records with it. */
  forget(key: PartitionKey): void {
    this.#partitions.delete(key)
  }

  /** The values of the writer's next `count` records to a partition, and the number of the first. */
  write(to: PartitionKey, writer: Writer, count: number): { first: number; values: Uint8Array[] } {
    const { sentCounts } = this.partition(to)
    const first = sentCounts.get(writer.index) ?? 0
    sentCounts.set(writer.index, first + count)
    const values = Array.from({ length: count }, (_, at) => valueOf(to, writer.index, first + at))
    return { first, values }
  }

  acknowledged(to: PartitionKey, writer: Writer, records: Run): void {
    const partition = this.partition(to)
    this.ackedRecords += records.count
    for (let at = 0; at < records.count; at++) {
      const identity = identityOf(writer.index, records.first + at)
      this.#note(partition, records.baseOffset + at, identity, 'acknowledged')
    }
  }

  /** The broker said that it did not write them. */
  refused(to: PartitionKey, writer: Writer, records: { first: number; count: number }): void {
    const { refused } = this.partition(to)
    for (let at = 0; at < records.count; at++)
      refused.add(identityOf(writer.index, records.first + at))
  }

  /** A reader got this value at this offset. */
  seen(from: PartitionKey, offset: number, value: Uint8Array): void {
    this.seenRecords++
    const identity = this.#identify(from, offset, value)
    if (identity !== null) this.#note(this.partition(from), offset, identity, 'seen')
  }

  violation(kind: ViolationKind, text: string): void {
    this.#violationCount++
    const [where] = text.split(/[@ ]/, 1)
    const count = (this.#countOf.get(`${kind} ${where}`) ?? 0) + 1
    this.#countOf.set(`${kind} ${where}`, count)
    if (count <= keptOfEachMax && this.#violations.length < keptMax) {
      this.#violations.push({ kind, text })
    }
  }

  /** The whole partition as it is at the end: `values[0]` is the record of offset 0. */
  judge(key: PartitionKey, values: readonly Uint8Array[]): void {
    const partition = this.partition(key)
    const log = values.map((value, offset) => this.#identify(key, offset, value))
    partition.known.forEach((known, offset) => {
      if (known === undefined) return
      if (offset >= log.length) {
        const text = `${key}@${offset}: ${this.#say(known.identity)} was ${known.how}, the log ends at ${log.length}`
        this.violation('lost', text)
      } else if (log[offset] !== known.identity) {
        this.violation('moved', this.#differs(key, offset, known, log[offset] ?? null))
      }
    })
    this.#judgeOrder(partition, log)
  }

  /** Per writer: strictly rising numbers, and for an idempotent one without a gap. */
  #judgeOrder(partition: PartitionLedger, log: readonly (number | null)[]): void {
    const last = new Map<number, number>()
    log.forEach((identity, offset) => {
      if (identity === null) return
      const writer = this.#writers[Math.floor(identity / writerStride)]!
      const number = identity % writerStride
      const before = last.get(writer.index) ?? -1
      const where = `${partition.key}@${offset}: ${this.#say(identity)}`
      if (partition.refused.has(identity)) this.violation('refused', `${where} was refused`)
      if (number <= before) {
        const kind = number === before ? 'duplicate' : 'order'
        this.violation(kind, `${where} comes after ${before} of the same writer`)
      } else if (writer.isIdempotent && number !== before + 1) {
        this.violation('order', `${where} comes after ${before}: the numbers between are missing`)
      }
      last.set(writer.index, Math.max(number, before))
    })
  }

  #note(partition: PartitionLedger, offset: number, identity: number, how: Known['how']): void {
    const known = partition.known[offset]
    if (known === undefined) {
      partition.known[offset] = { identity, how }
    } else if (known.identity !== identity) {
      this.violation('moved', this.#differs(partition.key, offset, known, identity))
    } else if (known.how !== how) {
      partition.known[offset] = { identity, how: 'acknowledged' }
    }
  }

  #differs(key: PartitionKey, offset: number, known: Known, now: number | null): string {
    const then = this.#say(known.identity)
    const what = now === null ? 'something else' : this.#say(now)
    return `${key}@${offset}: ${then} was ${known.how}, now it is ${what}`
  }

  #identify(key: PartitionKey, offset: number, value: Uint8Array): number | null {
    const [where, writerText, numberText] = fromUtf8(value).split(' ')
    const [writer, number] = [Number(writerText), Number(numberText)]
    const sent = this.partition(key).sentCounts.get(writer) ?? 0
    if (where === key && number < sent && sameBytes(value, valueOf(key, writer, number))) {
      return identityOf(writer, number)
    }
    this.violation('foreign', `${key}@${offset}: ${fromUtf8(value).slice(0, 100)} was never sent`)
    return null
  }

  #say(identity: number): string {
    const writer = this.#writers[Math.floor(identity / writerStride)]
    return `${writer?.name ?? '?'}#${identity % writerStride}`
  }
}

/** `TOPIC-PARTITION/TOPICID`: a topic that is created again is another one. */
export type PartitionKey = string

export interface Writer {
  readonly index: number
  readonly name: string
  readonly isIdempotent: boolean
}

export interface Run {
  readonly first: number
  readonly count: number
  readonly baseOffset: number
}

export type ViolationKind =
  | 'lost'
  | 'moved'
  | 'duplicate'
  | 'order'
  | 'foreign'
  | 'refused'
  | 'topic'
  | 'producer-id'
  | 'offset'
  | 'deleted'
  | 'member'
  | 'answer'
  | 'compacted'
  | 'replica'

export interface Violation {
  readonly kind: ViolationKind
  readonly text: string
}

interface PartitionLedger {
  readonly key: PartitionKey
  /** By offset. */
  readonly known: (Known | undefined)[]
  /** By writer. */
  readonly sentCounts: Map<number, number>
  readonly refused: Set<number>
}

interface Known {
  readonly identity: number
  readonly how: 'acknowledged' | 'seen'
}

/** One broken partition does not hide another. */
const keptOfEachMax = 10
const keptMax = 200
const writerStride = 1_000_000_000

function identityOf(writer: number, number: number): number {
  return writer * writerStride + number
}

/** Says whose it is and where it belongs; the filling makes sizes differ. */
function valueOf(key: PartitionKey, writer: number, number: number): Uint8Array {
  const head = `${key} ${writer} ${number} `
  return utf8(head + filling.slice(0, (number * 37) % filling.length))
}

const filling = 'the quick brown fox jumps over the lazy dog, '.repeat(6)

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
