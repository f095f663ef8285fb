import type { ByteSpan, Clock, ColdGate, WaitingJob } from '../../env/env.ts'
import { present } from '../../lib/assert.ts'
import type { Reader, Readers } from '../insight/readers.ts'
import { DropBehind, type SentRange } from './drop-behind.ts'
import { Evictions } from './evictions.ts'
import { ColdLane } from './lane.ts'
import type { ColdReadNumbers } from './numbers.ts'

const mebibyte = 1024 * 1024
/** What a job may send while others wait, and while nobody does. */
const turnBytes = 2 * mebibyte
const jobBytesMax = 8 * mebibyte

export interface ColdReadsOptions {
  readonly clock: Clock
  readonly readers: Pick<Readers, 'of'>
  /** Jobs at the disk at once. */
  readonly jobsMax: number
  /** Whether what a scan has read is given back to the kernel. */
  readonly dropsBehind: boolean
  /** Groups that are counted by name; who comes when there are as many counts for none. */
  readonly groupsMax: number
  /** Whether a group is worth counting by name still. */
  isKept(group: string): boolean
}

interface Waiting {
  readonly job: WaitingJob
  readonly group: string
  readonly sinceMs: number
}

interface Total {
  readonly group: string
  jobs: number
  bytes: number
  waitMs: number
}

/**
 * The front door of the room: those who read what the page cache does not have. It promises that they wait for one another and for
 * nobody else: no more jobs than the disk is said to take are at it at once, shared evenly among groups, and then among
 * the connections of a group; and that what they read does not stay in the page cache in the place of what others read.
 * A reader without a group shares with those of the same client id and host: a client id alone may be a library's
 * default, which strangers have too, and by connection a program would have a share for each that it opens.
 */
export class ColdReads implements ColdGate {
  readonly #options: ColdReadsOptions
  readonly #lane: ColdLane
  readonly #dropBehind: DropBehind
  readonly #evictions = new Evictions()
  /** Whom a connection last read for, by the cold lane. */
  readonly #readers = new Map<number, Reader>()
  readonly #waiting = new Map<number, Waiting>()
  /** Jobs at the disk, by connection. */
  readonly #running = new Map<number, Total>()
  readonly #totals = new Map<string, Total>()

  constructor(options: ColdReadsOptions) {
    const { readers, jobsMax, dropsBehind: isEnabled } = options
    this.#options = options
    this.#lane = new ColdLane(jobsMax)
    this.#dropBehind = new DropBehind({ readers, isEnabled })
  }

  /** `reader` gets `range` with the next answer on its connection. See `DropBehind.sent` for what it gives. */
  sent(reader: Reader, range: SentRange): ByteSpan | null {
    if (range.cold) this.#readers.set(reader.connectionId, reader)
    const nowMs = this.#options.clock.monotonic()
    this.#evictions.sent(reader, range, { nowMs, delivered: () => deliveredTo(reader) })
    return this.#dropBehind.sent(reader, range)
  }

  wait(connectionId: number, job: WaitingJob): void {
    this.#enter(connectionId, job)
    this.#start()
  }

  end(connectionId: number, bytes: number, next: WaitingJob | null): void {
    const total = present(this.#running.get(connectionId), 'a job that ended')
    this.#running.delete(connectionId)
    total.bytes += bytes
    this.#lane.end(connectionId, bytes, this.#options.clock.monotonic())
    if (next !== null) this.#enter(connectionId, next)
    this.#start()
  }

  leave(connectionId: number): void {
    this.#readers.delete(connectionId)
    this.#waiting.delete(connectionId)
    this.#running.delete(connectionId)
    this.#lane.leave(connectionId, this.#options.clock.monotonic())
    this.#start()
  }

  /** By group, since the start of the process. What was counted of a group that is gone goes with it. */
  *numbers(): IterableIterator<ColdReadNumbers> {
    const waiting = new Map<string, number>()
    for (const { group } of this.#waiting.values()) {
      const { group: counted } = this.#totalOf(group)
      waiting.set(counted, (waiting.get(counted) ?? 0) + 1)
    }
    for (const [group, { jobs, bytes, waitMs }] of this.#totals) {
      const count = waiting.get(group) ?? 0
      if (group !== '' && count === 0 && !this.#options.isKept(group)) this.#totals.delete(group)
      else yield { group, jobs, bytes, waitSeconds: waitMs / 1000, waiting: count }
    }
  }

  /** See `DropBehind.droppedBytes`. */
  get droppedBytes(): number {
    return this.#dropBehind.droppedBytes
  }

  /** See `Evictions`; null where it cannot be measured. */
  get evictedHotBytes(): number | null {
    return this.#evictions.bytes
  }

  #enter(connection: number, job: WaitingJob): void {
    const nowMs = this.#options.clock.monotonic()
    const reader = this.#readers.get(connection)
    const bytes = Math.min(job.bytes, turnBytes)
    this.#lane.wait({ connection, share: shareOf(reader), bytes }, nowMs)
    this.#waiting.set(connection, { job, group: reader?.group ?? '', sinceMs: nowMs })
  }

  #start(): void {
    const nowMs = this.#options.clock.monotonic()
    const started = this.#lane.start(nowMs).map(connection => {
      const { job, group, sinceMs } = present(this.#waiting.get(connection), 'a job that waited')
      this.#waiting.delete(connection)
      const total = this.#totalOf(group)
      total.jobs++
      total.waitMs += nowMs - sinceMs
      this.#running.set(connection, total)
      return job
    })
    const bytesMax = this.#waiting.size > 0 ? turnBytes : jobBytesMax
    for (const job of started) job.go(bytesMax)
  }

  #totalOf(group: string): Total {
    const known = this.#totals.get(group)
    if (known !== undefined) return known
    if (group !== '' && this.#totals.size >= this.#options.groupsMax) return this.#totalOf('')
    const total = { group, jobs: 0, bytes: 0, waitMs: 0 }
    this.#totals.set(group, total)
    return total
  }
}

function shareOf(reader: Reader | undefined): string {
  if (reader === undefined) return ''
  const { group, clientId, host } = reader
  return group === '' ? `client\u0000${clientId ?? ''}\u0000${host}` : `group\u0000${group}`
}

function deliveredTo({ stream }: Reader): number | null {
  const hit = stream.hitBytes()
  return hit === null ? null : stream.sentBytes() - hit
}
