import type { DiskOperation } from '../../../env/disk.ts'
import { DiskError, type Env, type Timer } from '../../../env/env.ts'
import { withRoom, type MakeRoom } from '../../../env/with-room.ts'
import type { Codecs } from '../compression/codecs.ts'
import type { Flushable, LogHost, SegmentWrite } from '../log-host.ts'
import { seal } from '../segment/sealed-file.ts'
import type { Segment } from '../segment/segment.ts'
import type { FoundCleaned } from '../state/cleaned.ts'
import { isPassing } from '../shortage.ts'
import { Ballast, ballastBytesDefault, spareRoom } from './ballast.ts'
import { type CheckpointKind, Checkpoints, type CheckpointsOptions } from './checkpoints.ts'
import { DirtyLedger } from './dirty-ledger.ts'
import { FlushScheduler } from './flush-scheduler.ts'
import { HotWindow } from './hot-window.ts'
import type { LogDirectorySettings } from './settings.ts'

export interface DirectoryHostOptions extends CheckpointsOptions {
  readonly env: Env
  readonly codecs: Codecs
  readonly settings: LogDirectorySettings
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
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

/** What writes nothing. */
const looks: ReadonlySet<DiskOperation> = new Set([
  'read',
  'readAsync',
  'readNow',
  'open',
  'list',
  'stat',
  'size',
])

/** What the logs of a directory have in common: flushing, dirty bytes, checkpoints, failure. */
export class DirectoryHost implements LogHost {
  readonly env: Env
  readonly codecs: Codecs
  readonly growthStepBytes: number
  readonly ledger: DirtyLedger
  readonly scheduler: FlushScheduler
  readonly #options: DirectoryHostOptions
  readonly #hotWindow: HotWindow
  readonly #checkpoints: Checkpoints
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
    const { env, path, settings } = options
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
    this.#checkpoints = new Checkpoints(options)
    this.#ballast = new Ballast(env, path, settings.ballastBytes ?? ballastBytesDefault)
    this.#makeRoom = spareRoom(env.disk, path, (message, fields) => this.warn(message, fields))
    this.#idle = env.clock.every(indexIdleMs, () => this.#restIdleSegments())
    this.#refill = env.clock.every(ballastMs, () => {
      this.lookAfter()
      this.#restoreBallast()
    })
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

  /** Open files can be written when nobody will find them any more: their directory was removed, or is hidden by another one. */
  lookAfter(): void {
    if (this.#failure !== null) return
    const path = `${this.#options.path}/meta.properties`
    try {
      if (this.env.disk.stat(path) === null) this.fail(new DiskError('stat', path, 'ENOENT'))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (!isPassing(error)) this.fail(error)
    }
  }

  /** Something failed that need not have to do with the whole directory, and is not passing. */
  judge(error: DiskError): void {
    const { operation, code } = error
    const isInDoubt = code === 'EROFS' || (code === 'EIO' && !looks.has(operation))
    if (error.isOfSync || isInDoubt) this.fail(error)
    this.lookAfter()
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
    this.#checkpoints.wantStart(logName, offset)
    await this.#save('log-start-offset')
  }

  async resetStartOffset(logName: string, offset: number): Promise<void> {
    this.#checkpoints.resetStart(logName, offset)
    await this.#save('log-start-offset')
  }

  async saveRecoveryPoints(): Promise<void> {
    await this.#save('recovery-point')
  }

  holdCleaning(logName: string): Promise<() => void> {
    return this.#options.holdCleaning(logName)
  }

  async saveCleanedOffset(logName: string, offset: number): Promise<void> {
    this.#checkpoints.wantCleaned(logName, offset)
    await this.#save('cleaner-offset')
  }

  async saveSparseOffset(logName: string, offset: number): Promise<void> {
    this.#checkpoints.wantSparse(logName, offset)
    await this.#save('sparse-offset')
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

  /** What the checkpoints say of a log that was found. */
  get found(): Pick<Checkpoints, 'recoveryPointOf' | 'startOffsetOf' | 'cleanedOf'> {
    return this.#checkpoints
  }

  /** Writes down, now, how far all is durable, and where logs begin. @throws DiskError */
  async saveCheckpoints(): Promise<void> {
    await this.#save('recovery-point')
    await this.#save('log-start-offset')
  }

  /** The log of that name is no more, and what is known of it goes. */
  forgetLog(name: string): void {
    this.#checkpoints.forget(name)
  }

  /** As `forgetLog`; durable when it resolves: a log of the same name begins anew. @throws DiskError */
  async forgetDurably(name: string): Promise<void> {
    for (const kind of this.#checkpoints.forget(name)) await this.#save(kind)
  }

  #save(kind: CheckpointKind): Promise<void> {
    return this.withRoom(() => this.#guard(this.#checkpoints.save(kind)))
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
      this.#guard(this.#checkpoints.save('recovery-point')).catch(() => {})
    })
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
      this.lookAfter()
    } catch (error) {
      // A full disk keeps the old checkpoint, which is true as well. Whatever else it is, what is acknowledged may not be found again.
      if (error instanceof DiskError && !isPassing(error)) this.fail(error)
      throw error
    }
  }
}
