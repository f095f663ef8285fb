import { inlineCompaction } from '../../sim/inline-compaction.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { encodeBatch, sequenceAfter, type BatchInput } from '../../src/broker/log/batch/batch.ts'
import { encodeRecords } from '../../src/broker/log/batch/records.ts'
import type { CompactionLane } from '../../src/broker/log/cleaner/compaction-lane.ts'
import { lastSequenceOf } from '../../src/broker/log/producers/state.ts'
import { makeGzip } from '../../src/broker/log/compression/zlib.ts'
import type { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import type { Log } from '../../src/broker/log/log.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import type { Disk } from '../../src/env/disk.ts'
import { Prng } from '../../src/lib/prng.ts'
import { drive, quietly } from '../helpers/drive.ts'
import {
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
  type LogWorld,
} from '../helpers/logs.ts'
import { problemsOf, type SeenRecord } from './checker.ts'
import { readBatches, type ReadBatch } from './what-is-left.ts'

/** What happens in the life of a compacted log. */
export type Step =
  | {
      readonly kind: 'append'
      readonly records: readonly { readonly key: number; readonly isTombstone: boolean }[]
      /** -1 for none. */
      readonly producer: number
      readonly isCompressed: boolean
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'clean' }
  | { readonly kind: 'raise'; readonly thousandth: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'crash'; readonly isMachine: boolean }

/** How the log is set up, and what is wrong with the world. */
export interface LifeOptions {
  readonly seed: number
  readonly config: Partial<LogConfig>
  /** How many keys the cleaner's map holds. */
  readonly keyMapBytes: number
  readonly bug?: PlantedBug
}

/** From outside: a disk, or a place of compaction, that does not do what it says. */
export interface PlantedBug {
  readonly disk?: (disk: Disk) => Disk
  readonly lane?: (lane: CompactionLane) => CompactionLane
}

export interface LifeResult {
  /** What was not as it has to be, at the first look that found anything. */
  readonly problems: readonly string[]
  readonly cleanings: number
  readonly crashes: number
  /** Records that were gone at some look. */
  readonly removed: number
}

const deleteRetentionMs = 200
const backoffMs = 15

/** Lives through the steps, and looks at everything after each restart, each crash, each cleaning, and at the end. */
export async function live(steps: readonly Step[], options: LifeOptions): Promise<LifeResult> {
  const life = new Life(options)
  return await life.run(steps)
}

interface Written extends SeenRecord {
  readonly atMs: number
}

interface SentBatch {
  readonly producerId: number
  readonly lastSequence: number
  readonly endOffset: number
}

class Life {
  readonly #options: LifeOptions
  readonly #prng: Prng
  readonly #config: LogConfig
  #clock = new SimClock()
  #disk: SimDisk
  #world: LogWorld
  #directory: LogDirectory | null = null
  #log: Log | null = null
  #history: Written[] = []
  /** Of idempotent producers. */
  #batches: SentBatch[] = []
  /** Sent and not answered. */
  #unanswered = 0
  #answeredEnd = 0
  #boot = 1
  readonly #sequences = new Map<number, number>()
  readonly #counts = { cleanings: 0, crashes: 0, removed: 0 }

  constructor(options: LifeOptions) {
    this.#options = options
    this.#prng = new Prng(options.seed)
    this.#config = logConfig({
      cleanupPolicy: 'compact',
      segmentBytes: 500,
      indexIntervalBytes: 150,
      minCleanableDirtyRatio: 0,
      deleteRetentionMs,
      flushMs: 20,
      fileDeleteDelayMs: 10,
      ...options.config,
    })
    this.#disk = new SimDisk({
      later: act => void this.#clock.after(this.#prng.below(5), act),
      now: () => this.#clock.now(),
    })
    this.#world = this.#worldOn(this.#disk)
  }

  async run(steps: readonly Step[]): Promise<LifeResult> {
    await this.#open()
    for (const step of [...steps, { kind: 'clean' }, { kind: 'restart' }] as Step[]) {
      const problems = await this.#step(step)
      if (problems.length > 0) return { ...this.#counts, problems }
    }
    await drive(this.#clock, this.#directory!.close())
    return { ...this.#counts, problems: [] }
  }

  #worldOn(disk: SimDisk): LogWorld {
    const { env } = simWorld(disk, this.#options.seed)
    const { bug } = this.#options
    const seen = bug?.disk?.(disk) ?? disk
    return { env: { ...env, disk: seen, clock: this.#clock }, clock: this.#clock, disk }
  }

  async #open(): Promise<void> {
    const { bug, keyMapBytes } = this.#options
    const directory = openDirectory(this.#world, {
      bootId: `boot-${this.#boot}`,
      settings: {
        logCleanerBackoffMs: backoffMs,
        logCleanerIoBufferSize: 0,
        logCleanerDedupeBufferSize: keyMapBytes,
      },
      compactionLane: () => bug?.lane?.(inlineCompaction()) ?? inlineCompaction(),
    })
    this.#directory = await drive(this.#clock, directory)
    this.#log = await drive(this.#clock, this.#directory.openLog(logId(), this.#config))
  }

  async #step(step: Step): Promise<readonly string[]> {
    const log = this.#log!
    switch (step.kind) {
      case 'append':
        this.#append(step)
        this.#clock.runSoon()
        return []
      case 'pass':
        await this.#clock.run(step.ms)
        return []
      case 'raise': {
        const span = log.endOffset - log.startOffset
        const to = log.startOffset + Math.floor((span * step.thousandth) / 1000)
        quietly(log.raiseStartOffset(to))
        await this.#clock.run(5)
        return []
      }
      case 'clean':
        await this.#answered()
        await drive(this.#clock, log.whenDurable(log.endOffset))
        await this.#clock.run(backoffMs * 20)
        return await this.#look(log.endOffset)
      case 'restart':
        await this.#answered()
        this.#counts.cleanings += this.#directory!.cleanerNumbers().runs
        await drive(this.#clock, this.#directory!.close())
        await this.#open()
        return await this.#look(this.#answeredEnd)
      case 'crash':
        return await this.#crash(step.isMachine)
    }
  }

  async #answered(): Promise<void> {
    while (this.#unanswered > 0) await this.#clock.run(5)
  }

  async #crash(isMachine: boolean): Promise<readonly string[]> {
    this.#counts.crashes++
    this.#counts.cleanings += this.#directory!.cleanerNumbers().runs
    const { durableOffset } = this.#log!
    const kept = isMachine ? durableOffset : this.#answeredEnd
    // The process that dies stands still: nobody turns its clock any more.
    const left = this.#disk.clone()
    this.#clock = new SimClock({ startMs: this.#clock.now() })
    this.#disk = isMachine ? left.crashMachine(this.#prng) : left.crashProcess()
    if (isMachine) this.#boot++
    this.#unanswered = 0
    this.#world = this.#worldOn(this.#disk)
    await this.#open()
    const log = this.#log!
    // What comes next is written at offsets that the crash took.
    this.#history = this.#history.filter(({ offset }) => offset < log.endOffset)
    this.#batches = this.#batches.filter(({ endOffset }) => endOffset <= log.endOffset)
    this.#answeredEnd = log.endOffset
    this.#sequences.clear()
    return await this.#look(kept)
  }

  #append({ records, producer, isCompressed }: Step & { readonly kind: 'append' }): void {
    const log = this.#log!
    const baseTimestamp = this.#clock.now()
    const offset = this.#history.length === 0 ? 0 : this.#history.at(-1)!.offset + 1
    const inputs = records.map(({ key, isTombstone }, at) => {
      const value = isTombstone ? null : `${offset + at}`.padEnd(20 + this.#prng.below(30), '.')
      return { key: `k${key}`, value, offsetDelta: at, timestampDelta: at }
    })
    const plain = encodeRecords(inputs)
    const payload = isCompressed
      ? { codec: 1, bytes: makeGzip(plain), count: records.length }
      : { codec: 0, bytes: plain, count: records.length }
    const maxTimestamp = baseTimestamp + records.length - 1
    const of = this.#producer(producer, offset, records.length)
    const bytes = encodeBatch({ records: payload, baseTimestamp, maxTimestamp, ...of })
    for (const [at, { key, value }] of inputs.entries()) {
      const text = `${value} @${baseTimestamp + at}`
      const seen = { offset: offset + at, key, isTombstone: value === null, text }
      this.#history.push({ ...seen, atMs: baseTimestamp })
    }
    this.#unanswered++
    // As a client's it would be opened in a thread, for which a simulated clock does not wait.
    log.append(bytes, { leaderEpoch: 0, origin: 'coordinator' }, result => {
      if (log !== this.#log) return
      if (!result.ok) throw new Error(`an append was refused: ${result.message}`)
      this.#unanswered--
      const end = result.baseOffset + records.length
      this.#answeredEnd = Math.max(this.#answeredEnd, end)
    })
  }

  #producer(producer: number, offset: number, count: number): Partial<BatchInput> {
    if (producer < 0) return {}
    const known = this.#sequences.get(producer)
    const producerId = 100 + producer
    // What the log knows of it: after a crash too it goes on there, and nowhere else.
    const before = this.#log!.producers.stateOf(producerId)
    const last = before?.batches.at(-1)
    const next = known ?? (last === undefined ? 0 : sequenceAfter(lastSequenceOf(last), 1))
    this.#sequences.set(producer, next + count)
    const lastSequence = sequenceAfter(next, count - 1)
    this.#batches.push({ producerId, lastSequence, endOffset: offset + count })
    return { producerId, producerEpoch: 0, baseSequence: next }
  }

  /** Everything that can be read, held against everything that was written. */
  async #look(keptEnd: number): Promise<readonly string[]> {
    const log = this.#log!
    if (log.offline !== null) return [`out of service: ${log.offline}`]
    if (log.endOffset < keptEnd) return [`ends at ${log.endOffset}, ${keptEnd} was promised`]
    const batches = readBatches(await drive(this.#clock, readAll(log)))
    const found = batches.flatMap(({ records }) => records).map(seen)
    const { startOffset, endOffset } = log
    const history = this.#history.filter(({ offset }) => offset < endOffset)
    const visible = history.filter(({ offset }) => offset >= startOffset)
    this.#counts.removed += visible.length - found.filter(each => each.offset >= startOffset).length
    const nowMs = this.#clock.now()
    const written = new Map(history.map(record => [record.offset, record]))
    const mayBeGone = ({ offset }: SeenRecord): boolean => {
      return nowMs - written.get(offset)!.atMs >= this.#config.deleteRetentionMs
    }
    const untouchedFrom = this.#activeBase()
    const cleanedTo = log.cleanable.state.cleaned.dirtyFrom ?? 0
    const bounds = { startOffset, endOffset, untouchedFrom, cleanedTo, mayBeGone }
    return [...problemsOf({ ...bounds, history, found }), ...this.#producerProblems()]
  }

  #activeBase(): number {
    const segments = this.#disk
      .list('/data')
      .filter(name => name.startsWith('orders-'))
      .flatMap(name => this.#disk.list(`/data/${name}`))
      .filter(name => /^\d+\.log$/.test(name))
    return Math.max(0, ...segments.map(name => Number(name.slice(0, 20))))
  }

  /** Each is known by its last sequence, also where no record of that batch is left: what it sends next is taken. */
  #producerProblems(): string[] {
    const { producers, startOffset, endOffset } = this.#log!
    const latest = new Map<number, SentBatch>()
    for (const batch of this.#batches) {
      // Those below the start may be forgotten.
      const isThere = batch.endOffset > startOffset && batch.endOffset <= endOffset
      if (isThere) latest.set(batch.producerId, batch)
    }
    return Array.from(latest.values()).flatMap(({ producerId, lastSequence }) => {
      const batch = producers.stateOf(producerId)?.batches.at(-1)
      const known = batch === undefined ? null : lastSequenceOf(batch)
      if (known === lastSequence) return []
      return [`producer ${producerId} is known by ${known}, its last sequence is ${lastSequence}`]
    })
  }
}

function seen({ offset, key, value, timestampMs }: ReadBatch['records'][number]): SeenRecord {
  const textOf = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString()
  const text = `${textOf(value)} @${timestampMs}`
  return { offset, key: textOf(key), isTombstone: value === null, text }
}
