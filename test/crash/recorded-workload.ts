import { gzipSync, zstdCompressSync } from 'node:zlib'
import { encodeBatch, type BatchInput } from '../../src/broker/log/batch/batch.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import type { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { encodeRecords } from '../../src/broker/log/batch/records.ts'
import { Prng } from '../../src/lib/prng.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { slowDisk } from '../../sim/slow-disk.ts'
import type { SimOperation } from '../../sim/disk-faults.ts'
import { logConfig, logId, openDirectory, simWorld, type LogWorld } from '../helpers/logs.ts'
import { drive, quietly } from '../helpers/drive.ts'
import { LogHistory } from './log-history.ts'
import { plantedEnv, plantedLog, plantedRecovery, type PlantedBugName } from './planted-bugs.ts'

/** What was promised for one log at the moment of a crash. */
export interface LogPromise {
  readonly history: LogHistory
  /** Answered with success: a dying process may not take it away. */
  readonly answeredEnd: number
  /** Said to be on the device: a dying machine may not either. */
  readonly durableEnd: number
  /** Shown to readers: never goes back. */
  readonly startOffset: number
}

/** The disk before one operation, and what had been promised by then. */
export interface CrashPoint {
  /** Count of operations before it. */
  readonly at: number
  readonly disk: SimDisk
  readonly operation: SimOperation
  /** Bytes of the write that the process may have got into the page cache. */
  readonly writeBytes: number
  /** Opening or closing the directory: any start class may follow. */
  readonly isAtWork: boolean
  readonly logs: readonly LogPromise[]
}

export interface RecordedWorkload {
  readonly seed: number
  readonly points: readonly CrashPoint[]
  /** What was wrong before any crash. */
  readonly problems: readonly string[]
}

const bootId = 'boot-1'

/**
 * Runs a random workload over two logs of one directory, on a disk whose syncs take time and whose writes stall now and
 * then, so that threads do the next ones, and takes the disk's state before every operation. The same seed gives the same workload.
 */
export async function recordWorkload(
  seed: number,
  bug: PlantedBugName | null,
): Promise<RecordedWorkload> {
  const recorder = new Recorder(seed, bug)
  return recorder.run()
}

interface OpenLog {
  readonly history: LogHistory
  log: Log | null
  leaderEpoch: number
  /** Next sequence of each producer. */
  readonly sequences: Map<number, number>
  /** The last batch of an idempotent producer, to be sent again. */
  repeatable: BatchInput | null
}

class Recorder {
  readonly #seed: number
  readonly #prng: Prng
  /** Apart, so that the workload of a seed stays what it was. */
  readonly #stalls: Prng
  readonly #bug: PlantedBugName | null
  readonly #clock: SimClock
  readonly #world: LogWorld
  readonly #disk: SimDisk
  readonly #logs: OpenLog[]
  readonly #points: CrashPoint[] = []
  readonly #growthStepBytes: number
  #directory: LogDirectory | null = null
  #isAtWork = false
  #isRecording = true
  #unansweredCount = 0

  constructor(seed: number, bug: PlantedBugName | null) {
    this.#seed = seed
    this.#prng = new Prng(seed)
    this.#stalls = new Prng(seed + 1_000_000_007)
    this.#bug = bug
    this.#clock = new SimClock()
    this.#disk = new SimDisk({ later: act => this.#later(act), now: () => this.#clock.now() })
    const env = { ...simWorld(this.#disk, seed).env, clock: this.#clock }
    const stallsOfFour = this.#stalls.below(5)
    const waitMs = () => (this.#stalls.chance(stallsOfFour, 4) ? 6 : 0)
    this.#world = {
      env: plantedEnv(bug, { ...env, ...slowDisk(env, /\.log$/, waitMs) }),
      clock: this.#clock,
      disk: this.#disk,
    }
    this.#logs = [0, 1].map(partition => ({
      history: new LogHistory(logId(partition), this.#config(partition)),
      log: null,
      leaderEpoch: 0,
      sequences: new Map<number, number>(),
      repeatable: null,
    }))
    this.#growthStepBytes = this.#prng.pick([1, 400, 2000, 1_000_000])
    this.#disk.onOperation(operation => this.#record(operation))
  }

  async run(): Promise<RecordedWorkload> {
    await this.#open()
    const stepCount = 20 + this.#prng.below(30)
    for (let step = 0; step < stepCount; step++) await this.#step()
    // The last answers too: what was never answered could not be told from what was never written.
    while (this.#unansweredCount > 0) await this.#clock.run(50)
    await drive(this.#clock, this.#durable())
    this.#isRecording = false
    this.#disk.onOperation(null)
    const problems = this.#logs.flatMap(({ history }) => history.disorder)
    return { seed: this.#seed, points: this.#points, problems }
  }

  /** Small segments, dense indexes, and whatever else makes things happen often. */
  #config(partition: number): LogConfig {
    const prng = this.#prng
    return logConfig({
      segmentBytes: 4000 + prng.below(9000),
      indexIntervalBytes: prng.pick([1, 150, 600]),
      segmentMs: prng.pick([400, 1_000_000]),
      retentionMs: -1,
      retentionBytes: prng.pick([-1, 6000, 20_000]),
      messageTimestampType: partition === 1 && prng.chance(1, 2) ? 'LogAppendTime' : 'CreateTime',
      flushPolicy: prng.pick(['interval', 'interval', 'ack', 'os']),
      flushMs: prng.pick([20, 100, 1000]),
      flushMessages: prng.pick([2, 20, 1_000_000]),
      preallocate: prng.chance(1, 3),
      fileDeleteDelayMs: prng.pick([0, 50]),
    })
  }

  #later(act: () => void): void {
    // While nobody records, nobody turns this clock either: crashed copies of the disk share this function.
    if (!this.#isRecording) queueMicrotask(act)
    else this.#clock.after(this.#prng.below(30), act)
  }

  #record(operation: SimOperation): void {
    const writeBytes = operation.parts.reduce((sum, part) => sum + part.length, 0)
    this.#points.push({
      at: operation.index,
      disk: this.#disk.clone(),
      operation: { ...operation, parts: operation.parts.map(part => part.slice()) },
      writeBytes,
      isAtWork: this.#isAtWork,
      logs: this.#logs.map(({ history, log }) => ({
        history,
        answeredEnd: history.answeredEnd,
        durableEnd: log?.durableOffset ?? 0,
        startOffset: log?.startOffset ?? 0,
      })),
    })
  }

  async #open(): Promise<void> {
    const settings = { growthStepBytes: this.#growthStepBytes }
    const options = { bootId, recover: plantedRecovery(this.#bug), settings }
    const directory = await drive(this.#clock, openDirectory(this.#world, options))
    for (const each of this.#logs) {
      const log = await drive(this.#clock, directory.openLog(each.history.id, each.history.config))
      each.log = plantedLog(this.#bug, log)
      each.log.noteEpoch(each.leaderEpoch)
    }
    this.#directory = directory
    this.#isAtWork = true
  }

  async #step(): Promise<void> {
    const prng = this.#prng
    const each = prng.pick(this.#logs)
    const log = each.log!
    switch (prng.below(16)) {
      case 0:
        return this.#clock.run(prng.pick([5, 30, 150, 1100]))
      case 1:
        each.leaderEpoch++
        log.noteEpoch(each.leaderEpoch)
        return this.#append(each)
      case 2:
        quietly(log.applyRetention(this.#clock.now()))
        return this.#clock.run(prng.below(40))
      case 3: {
        const span = log.endOffset - log.startOffset
        quietly(log.raiseStartOffset(log.startOffset + prng.below(span + 1)))
        return this.#clock.run(prng.below(40))
      }
      case 4:
        quietly(log.whenDurable(log.endOffset))
        return this.#clock.run(prng.below(60))
      case 5:
        return prng.chance(1, 3) ? this.#restart() : this.#append(each)
      case 6:
        return prng.chance(1, 2) ? this.#fillDisk(each) : this.#append(each)
      default:
        return this.#append(each)
    }
  }

  /** Several batches, some of them in one turn. */
  async #append(each: OpenLog): Promise<void> {
    const count = 1 + this.#prng.below(4)
    for (let at = 0; at < count; at++) this.#appendOne(each)
    this.#clock.runSoon()
    await this.#clock.run(this.#prng.below(8))
  }

  #appendOne(each: OpenLog): void {
    const { history, leaderEpoch } = each
    const prng = this.#prng
    const isRepeated = each.repeatable !== null && prng.chance(1, 12)
    const input = isRepeated ? each.repeatable! : this.#batch(each)
    const bytes = encodeBatch(input)
    const offered = history.offer(this.#disk.operationCount)
    this.#unansweredCount++
    each.log!.append(bytes, { leaderEpoch, origin: 'client' }, result => {
      this.#unansweredCount--
      if (result.ok && result.duplicate) return
      if (!result.ok && result.error !== 'KAFKA_STORAGE_ERROR') return
      // A refused producer begins again where the log stands, as a client does after a fatal error.
      if (!result.ok) each.sequences.clear()
      if (!result.ok) each.repeatable = null
      history.answer(offered, bytes, result.ok, this.#disk.operationCount)
    })
  }

  #batch(each: OpenLog): BatchInput {
    const prng = this.#prng
    const count = 1 + prng.below(5)
    const baseTimestamp = this.#clock.now() - prng.below(500)
    const records = Array.from({ length: count }, (_, at) => ({
      offsetDelta: at,
      timestampDelta: prng.below(100),
      key: null,
      value: utf8(`${prng.uint32()}`.repeat(1 + prng.below(prng.pick([3, 30, 120])))),
      headers: [],
    }))
    const payload = this.#compressed(records, encodeRecords(records))
    const maxTimestamp =
      baseTimestamp + Math.max(...records.map(({ timestampDelta }) => timestampDelta))
    const plain: BatchInput = { records: payload, baseTimestamp, maxTimestamp }
    if (prng.chance(1, 3)) return plain
    const producerId = 100 + prng.below(3)
    const baseSequence = each.sequences.get(producerId)
    // A producer that lost its place gets a new epoch, which must begin at 0 (G22).
    if (baseSequence === undefined) this.#epochs.set(producerId, this.#epochOf(producerId) + 1)
    const producerEpoch = this.#epochOf(producerId)
    each.sequences.set(producerId, (baseSequence ?? 0) + count)
    each.repeatable = { ...plain, producerId, producerEpoch, baseSequence: baseSequence ?? 0 }
    return each.repeatable
  }

  readonly #epochs = new Map<number, number>()

  #epochOf(producerId: number): number {
    return this.#epochs.get(producerId) ?? -1
  }

  #compressed(
    records: readonly unknown[],
    bytes: Uint8Array,
  ): { codec: number; bytes: Uint8Array; count: number } {
    const count = records.length
    switch (this.#prng.below(4)) {
      case 0:
        return { codec: 1, bytes: gzipSync(bytes), count }
      case 1:
        return { codec: 4, bytes: zstdCompressSync(bytes), count }
      default:
        return { codec: 0, bytes, count }
    }
  }

  /** A write that does not fit: some of it goes in, all of it is taken back. */
  async #fillDisk(each: OpenLog): Promise<void> {
    const written = this.#prng.below(2000)
    const operation = this.#stalls.pick(['write', 'writeAsync'] as const)
    this.#disk.failNext({ operation, pathPattern: /\.log$/, code: 'ENOSPC', written })
    await this.#append(each)
    // Where nothing was written so the fault still waits; it belongs to the next append of either log.
  }

  async #restart(): Promise<void> {
    this.#isAtWork = false
    await drive(this.#clock, this.#directory!.close())
    await this.#open()
  }

  async #durable(): Promise<void> {
    for (const { log } of this.#logs) {
      await log!.whenDurable(log!.endOffset)
      if (log!.durableOffset < log!.endOffset) throw new Error('a flushed log is durable')
    }
  }
}
