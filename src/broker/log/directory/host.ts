import { DiskError, type Env, type Timer } from '../../../env/env.ts'
import { present } from '../../../lib/assert.ts'
import { withRoom, type MakeRoom } from '../../../env/with-room.ts'
import type { Codecs } from '../compression/codecs.ts'
import type { Flushable, LogHost, SegmentWrite } from '../log-host.ts'
import type { Log } from '../log.ts'
import { seal } from '../segment/sealed-file.ts'
import type { Segment } from '../segment/segment.ts'
import type { FoundCleaned } from '../state/cleaned.ts'
import { isPassing } from '../shortage.ts'
import { Ballast, ballastBytesDefault, spareRoom } from './ballast.ts'
import { DirtyLedger } from './dirty-ledger.ts'
import { FlushScheduler } from './flush-scheduler.ts'
import { HotWindow } from './hot-window.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import type { LogDirectorySettings } from './settings.ts'

export interface DirectoryHostOptions {
  readonly env: Env
  readonly path: string
  readonly directoryId: string
  readonly codecs: Codecs
  readonly settings: LogDirectorySettings
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
  /** The open logs. */
  logs(): Iterable<Log>
  /** Whether the log of that name has to be there: it is open, or on disk, or missing or set aside, and may come back. */
  isListed(name: string): boolean
  /** As of a `LogHost`. */
  mayBeDirty(logName: string): void
  holdCleaning(logName: string): Promise<() => void>
  leaveAcks(): Promise<void> | null
}

export const neverCleaned: FoundCleaned = { dirtyFrom: null, sparseTo: 0 }

/** For telemetry. */
export interface StallNumbers {
  /** Writes that held the event loop for longer than 5 ms, and their time together. */
  readonly writeStalls: number
  readonly writeStallSeconds: number
  /** Writes that a thread did, because one of the same log had stalled. */
  readonly threadWrites: number
}

const mebibyte = 1024 * 1024
/** The recovery-point checkpoint follows the flushes by at most this. */
const checkpointDelayMs = 1000
/** How often the ballast is looked after. */
const ballastMs = 60_000
/** A closed segment that nobody read for so long gives back its descriptor and its index. */
const indexIdleMs = 10 * 60_000

/** What the logs of a directory have in common: flushing, dirty bytes, checkpoints, failure. */
export class DirectoryHost implements LogHost {
  readonly env: Env
  readonly codecs: Codecs
  readonly growthStepBytes: number
  readonly ledger: DirtyLedger
  readonly scheduler: FlushScheduler
  readonly #options: DirectoryHostOptions
  readonly #hotWindow: HotWindow
  readonly #recoveryPoints: OffsetCheckpoint
  readonly #startOffsets: OffsetCheckpoint
  readonly #cleanedOffsets: OffsetCheckpoint
  readonly #sparseOffsets: OffsetCheckpoint
  /** What each of them is to say. */
  readonly #collectors: ReadonlyMap<OffsetCheckpoint, () => Readonly<Record<string, number>>>
  /** Starts that logs want to have; saved before they take effect. */
  readonly #wantedStarts = new Map<string, number>()
  /** Those of them that are where a log begins anew, and hold even below where it begins now. */
  readonly #resetStarts = new Set<string>()
  /** Up to where logs are about to be known as cleaned, and to be sparse; likewise. */
  readonly #wantedCleaned = new Map<string, number>()
  readonly #wantedSparse = new Map<string, number>()
  readonly #failureListeners: ((error: DiskError) => void)[] = []
  readonly #pressureListeners: ((over: boolean) => void)[] = []
  readonly #ballast: Ballast
  readonly #makeRoom: MakeRoom
  readonly #idle: Timer
  readonly #refill: Timer
  #failure: DiskError | null = null
  #checkpointTimer: Timer | null = null
  #stallCount = 0
  #stalledMs = 0
  #threadCount = 0

  constructor(options: DirectoryHostOptions) {
    const { env, path, directoryId, settings } = options
    this.#options = options
    this.env = env
    this.codecs = options.codecs
    this.growthStepBytes = settings.growthStepBytes ?? mebibyte
    this.#hotWindow = new HotWindow(settings.hotWindowBytes)
    this.ledger = new DirtyLedger({
      budgetBytes: settings.logDirtyBudgetBytes,
      stepBytes: settings.logWriteBackBytes,
      onPressure: over => this.#pressureListeners.forEach(listener => listener(over)),
      onFailure: error => this.fail(error),
    })
    this.scheduler = new FlushScheduler({
      env,
      path,
      onFlushed: (_log, { files }) => {
        for (const { segment, sizeBytes } of files) this.ledger.flushed(segment, sizeBytes)
        this.#planCheckpoint()
      },
      onFailure: error => this.fail(error),
    })
    const { disk, crc32c } = env
    const place = (name: string) => ({ disk, crc32c, path: `${path}/${name}`, kind: name })
    this.#recoveryPoints = new OffsetCheckpoint(place('recovery-point-checkpoint'), directoryId)
    this.#startOffsets = new OffsetCheckpoint(place('log-start-offset-checkpoint'), directoryId)
    this.#cleanedOffsets = new OffsetCheckpoint(place('cleaner-offset-checkpoint'), directoryId)
    this.#sparseOffsets = new OffsetCheckpoint(place('sparse-offset-checkpoint'), directoryId)
    this.#collectors = new Map([
      [this.#recoveryPoints, () => this.#collectRecoveryPoints()],
      [this.#startOffsets, () => this.#collectStarts()],
      [this.#cleanedOffsets, () => this.#collectWanted(this.#cleanedOffsets, this.#wantedCleaned)],
      [this.#sparseOffsets, () => this.#collectWanted(this.#sparseOffsets, this.#wantedSparse)],
    ])
    this.#ballast = new Ballast(env, path, settings.ballastBytes ?? ballastBytesDefault)
    this.#makeRoom = spareRoom(env.disk, path, (message, fields) => this.warn(message, fields))
    this.#idle = env.clock.every(indexIdleMs, () => this.#restIdleSegments())
    this.#refill = env.clock.every(ballastMs, () => this.#restoreBallast())
    this.#restoreBallast()
  }

  get failure(): DiskError | null {
    return this.#failure
  }

  get stalls(): StallNumbers {
    return {
      writeStalls: this.#stallCount,
      writeStallSeconds: this.#stalledMs / 1000,
      threadWrites: this.#threadCount,
    }
  }

  get unflushedBytes(): number {
    let bytes = 0
    for (const { durability } of this.#options.logs()) bytes += durability.unflushedBytes
    return bytes
  }

  onFailure(listener: (error: DiskError) => void): void {
    this.#failureListeners.push(listener)
  }

  onPressure(listener: (over: boolean) => void): void {
    this.#pressureListeners.push(listener)
  }

  fail(error: DiskError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.warn('The data directory failed', { error: error.message })
    this.#leaveWord(error)
    for (const { durability } of this.#options.logs()) durability.giveUp(error)
    for (const listener of this.#failureListeners) listener(error)
  }

  wrote(log: Flushable, { segment, from, length, stalledMs, inThread }: SegmentWrite): void {
    if (stalledMs > 0) this.#stallCount++
    this.#stalledMs += stalledMs
    if (inThread) this.#threadCount++
    this.#hotWindow.wrote(segment, length)
    this.ledger.wrote(segment, from, from + length)
    this.scheduler.noteDirty(log)
  }

  flushSoon(log: Flushable): void {
    this.scheduler.flushSoon(log)
  }

  flushPolicyChanged(log: Flushable): void {
    this.scheduler.policyChanged(log)
  }

  leaveAcks(): Promise<void> | null {
    return this.#options.leaveAcks()
  }

  forget(segment: Segment): void {
    this.ledger.forget(segment)
  }

  async saveStartOffset(logName: string, offset: number): Promise<void> {
    this.#resetStarts.delete(logName)
    this.#wantedStarts.set(logName, Math.max(offset, this.#wantedStarts.get(logName) ?? 0))
    await this.#save(this.#startOffsets)
  }

  async resetStartOffset(logName: string, offset: number): Promise<void> {
    this.#resetStarts.add(logName)
    this.#wantedStarts.set(logName, offset)
    await this.#save(this.#startOffsets)
  }

  async saveRecoveryPoints(): Promise<void> {
    await this.#save(this.#recoveryPoints)
  }

  holdCleaning(logName: string): Promise<() => void> {
    return this.#options.holdCleaning(logName)
  }

  async saveCleanedOffset(logName: string, offset: number): Promise<void> {
    this.#wantedCleaned.set(logName, offset)
    await this.#save(this.#cleanedOffsets)
  }

  async saveSparseOffset(logName: string, offset: number): Promise<void> {
    this.#wantedSparse.set(logName, Math.max(offset, this.#wantedSparse.get(logName) ?? 0))
    await this.#save(this.#sparseOffsets)
  }

  mayBeDirty(logName: string): void {
    this.#options.mayBeDirty(logName)
  }

  /** As `withRoom` of the environment: the ballast is what is given up. */
  withRoom(write: () => Promise<void>): Promise<void> {
    return withRoom(this.#makeRoom, write)
  }

  warn(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.warn(message, fields)
  }

  /** Null where none was ever written down, or what was is gone. */
  recoveryPointOf(name: string): number | null {
    return this.#recoveryPoints.of(name)
  }

  startOffsetOf(name: string): number {
    return this.#startOffsets.of(name) ?? 0
  }

  /** How far the log of that name was cleaned. */
  cleanedOf(name: string): FoundCleaned {
    return {
      dirtyFrom: this.#cleanedOffsets.of(name),
      sparseTo: this.#sparseOffsets.of(name) ?? 0,
    }
  }

  /** Writes both checkpoints now. @throws DiskError */
  async saveCheckpoints(): Promise<void> {
    await this.#save(this.#recoveryPoints)
    await this.#save(this.#startOffsets)
  }

  /** As `forgetLog`; durable when it resolves: a log of the same name begins anew. @throws DiskError */
  async forgetDurably(name: string): Promise<void> {
    for (const checkpoint of this.forgetLog(name)) await this.#save(checkpoint)
  }

  /** The log of that name is no more, and what is known of it goes. Tells whose files may speak of it still. */
  forgetLog(name: string): OffsetCheckpoint[] {
    this.#resetStarts.delete(name)
    for (const wanted of [this.#wantedStarts, this.#wantedCleaned, this.#wantedSparse])
      wanted.delete(name)
    return [...this.#collectors.keys()].filter(checkpoint => checkpoint.forget(name))
  }

  #save(checkpoint: OffsetCheckpoint): Promise<void> {
    const collect = present(this.#collectors.get(checkpoint), 'each checkpoint is collected')
    return this.withRoom(() => this.#guard(checkpoint.save(collect)))
  }

  async stop(): Promise<void> {
    this.#checkpointTimer?.cancel()
    this.#refill.cancel()
    this.#idle.cancel()
    await this.#ballast.stop()
  }

  #restoreBallast(): void {
    if (this.#failure !== null) return
    this.#ballast.restore().catch((error: unknown) => {
      if (!(error instanceof DiskError)) throw error
      this.fail(error)
    })
  }

  #planCheckpoint(): void {
    if (this.#checkpointTimer !== null || this.#failure !== null) return
    this.#checkpointTimer = this.env.clock.after(checkpointDelayMs, () => {
      this.#checkpointTimer = null
      // What is final has told everybody; a full disk keeps the old one until the next flush.
      const collect = () => this.#collectRecoveryPoints()
      this.#guard(this.#recoveryPoints.save(collect)).catch(() => {})
    })
  }

  /** A damaged log keeps the point that it was found with; so does one that was not opened. */
  #collectRecoveryPoints(): Record<string, number> {
    const offsets = this.#kept(this.#recoveryPoints)
    for (const log of this.#options.logs()) {
      if (log.offline === null) offsets[log.name] = log.durableOffset
    }
    return offsets
  }

  #collectStarts(): Record<string, number> {
    const offsets = this.#kept(this.#startOffsets)
    for (const log of this.#options.logs()) {
      const wanted = this.#wantedStarts.get(log.name) ?? 0
      const isReset = this.#resetStarts.has(log.name)
      const start = isReset ? wanted : Math.max(log.startOffset, wanted)
      if ((start > 0 || isReset) && log.offline === null) offsets[log.name] = start
    }
    return offsets
  }

  #collectWanted(
    checkpoint: OffsetCheckpoint,
    wanted: ReadonlyMap<string, number>,
  ): Record<string, number> {
    const offsets = this.#kept(checkpoint)
    for (const [name, offset] of wanted) if (this.#options.isListed(name)) offsets[name] = offset
    return offsets
  }

  /**
   * What the file says of logs that are to be there. One that is missing or set aside may be put back: without its lines its
   * end would be taken for torn, and what was deleted of it would be readable again.
   */
  #kept({ saved }: OffsetCheckpoint): Record<string, number> {
    const lines = Object.entries(saved)
    return Object.fromEntries(lines.filter(([name]) => this.#options.isListed(name)))
  }

  #restIdleSegments(): void {
    const sinceMs = this.env.clock.monotonic() - indexIdleMs
    for (const log of this.#options.logs()) log.restIdleSegments(sinceMs)
  }

  /** A file that keeps the next start from trusting the page cache; as good as the device still lets us. */
  #leaveWord({ operation, path, code }: DiskError): void {
    const { disk, crc32c, clock } = this.env
    try {
      const file = disk.open(`${this.#options.path}/failed.json`, 'create')
      const body = { operation, path, code, atMs: clock.now() }
      file.write(0, [seal('failed', body, crc32c)])
      file.sync().then(
        () => file.close(),
        () => file.close(),
      )
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      // A full disk keeps the old checkpoint, which is true as well; a failed fsync is final.
      const isFinal =
        error instanceof DiskError && !isPassing(error) && (error.isOfSync || error.code === 'EIO')
      if (isFinal) this.fail(error)
      throw error
    }
  }
}
