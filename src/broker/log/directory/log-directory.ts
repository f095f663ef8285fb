import { DiskError, type DiskLock, type Env } from '../../../env/env.ts'
import { assert } from '../../../lib/assert.ts'
import { LogCleaner, type LogCleanerNumbers } from '../cleaner/log-cleaner.ts'
import { threadLane } from '../cleaner/thread-lane.ts'
import { createCodecs } from '../compression/codecs.ts'
import type { LogConfig } from '../log-config.ts'
import { logDirectoryName, logIdText, logKey, type LogId } from '../log-id.ts'
import { Log } from '../log.ts'
import { recoverLog, type CleanLine } from '../recovery/recovery.ts'
import {
  type Identity,
  beginRun,
  type Start,
  type StartClass,
  type StartReason,
} from '../recovery/start-class.ts'
import { isPassing } from '../shortage.ts'
import { Beat } from './beat.ts'
import { removeLeftovers, removeTree } from './folders.ts'
import { warnOfFileSystem } from './file-system.ts'
import { DirectoryHost, neverCleaned } from './host.ts'
import { claimDirectory, identify, unusable } from './identity.ts'
import { type DirectoryNumbers, type DiskSpace, spaceOf } from './numbers.ts'
import type { LogDirectoryOptions } from './options.ts'
import { areFlushed, OwnRun } from './own-run.ts'
import { Shelf } from './shelf.ts'
import { Turnstile } from './turnstile.ts'

export type { LogDirectoryOptions } from './options.ts'
export { MissingLogError } from './shelf.ts'

/** Logs that are finished at the same time. */
const closeCountMax = 8

/**
 * The front door of the room: a data directory and the logs in it (FORMAT.md); whose it is, how its last run ended,
 * when its files are flushed, and whether the device under it still deserves trust.
 *
 * One process has it at a time, and one thing at a time happens to a log. What is written is flushed as its topic asks,
 * and the checkpoints never say more than is durable. The first failed fsync, write-back or write is the last: from
 * then on nothing is served. A full disk is no failure, and leaves room to free space. The clean marker is written
 * only where everything was flushed and closed.
 */
export class LogDirectory {
  readonly path: string
  readonly identity: Identity
  /** Rises from `beat.start()` on. */
  readonly beat: Beat
  readonly #env: Env
  readonly #lock: DiskLock
  readonly #host: DirectoryHost
  readonly #recoverLog: typeof recoverLog
  readonly #shelf: Shelf
  readonly #logs = new Map<string, Log>()
  /** The same by the names of their directories. */
  readonly #byName = new Map<string, Log>()
  readonly #busy = new Map<string, Promise<unknown>>()
  readonly #turnstile: Turnstile
  readonly #cleaner: LogCleaner
  readonly #run: OwnRun
  #isClosed = false

  /** Locks, identifies and begins a run. @throws DirectoryError where the directory cannot be used */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    const { env, path, registration = null, expected = () => [] } = options
    const { lock, found } = options.claim ?? (await claimDirectory(env, path))
    try {
      const identity = await identify(options, found)
      const start = await beginRun({ ...options, identity, registration })
      warnOfFileSystem(env.disk, path, options.hooks)
      const shelf = await Shelf.open({ env, path, expected })
      void removeLeftovers(env.disk, path)
      return new LogDirectory(options, { lock, identity, start, shelf })
    } catch (error) {
      lock.release()
      throw error instanceof DiskError ? unusable(path, error) : error
    }
  }

  private constructor(
    options: LogDirectoryOptions,
    opened: {
      readonly lock: DiskLock
      readonly identity: Identity
      readonly start: Start
      readonly shelf: Shelf
    },
  ) {
    const { env, path, settings, hooks = {} } = options
    this.path = path
    this.identity = opened.identity
    this.beat = new Beat(env, path)
    this.#env = env
    this.#lock = opened.lock
    this.#run = new OwnRun({ env, path }, opened.start)
    this.#recoverLog = options.recover ?? recoverLog
    this.#shelf = opened.shelf
    this.#turnstile = new Turnstile(settings.numRecoveryThreadsPerDataDir)
    this.#host = new DirectoryHost({
      env,
      path,
      directoryId: opened.identity.directoryId,
      codecs: options.codecs ?? createCodecs(env.clock),
      settings,
      warn: (message, fields) => hooks.warn?.(message, fields),
      logs: () => this.#logs.values(),
      isListed: name => this.#shelf.isListed(name),
      mayBeDirty: name => this.#noteDirt(name),
      holdCleaning: name => this.#cleaner.hold(name),
      leaveAcks: () => this.#leaveAcks(),
    })
    const { committedOffset = () => Infinity } = options
    this.#cleaner = new LogCleaner({
      clock: env.clock,
      settings,
      lane: options.compactionLane ?? threadLane,
      committedOffset: ({ state }) => committedOffset(state.id),
    })
  }

  /**
   * The cluster registered this start, or this broker once more, in that epoch: the next start knows this run by it, and what
   * this start found counts no longer. Until it is durable a crash counts as class C, which is the safe side: so it is told as soon
   * as the controller has answered.
   */
  async registered(brokerEpoch: number): Promise<void> {
    if (this.#isClosed) return
    const isAllAcked = await areFlushed(Array.from(this.#logs.values()))
    await this.#finally(this.#run.registered(brokerEpoch, isAllAcked))
  }

  /** How the last run ended; C also where a run that seemed to be B left what no dying process leaves. */
  get startClass(): StartClass {
    return this.#run.startClass
  }

  /** What told it. */
  get startReason(): StartReason {
    return this.#run.startReason
  }

  /**
   * Logs of which this broker does not have what it acknowledged: damaged below what was on the device, unreadable or missing.
   * Whole when every log that metadata assigns to this broker was opened, or was tried to.
   */
  get damaged(): LogId[] {
    const damaged = Array.from(this.#logs.values()).filter(({ offline }) => offline !== null)
    return [...damaged.map(({ id }) => id), ...this.#shelf.missing]
  }

  /** The logs on disk that are not open. */
  found(): LogId[] {
    return this.#shelf.ids()
  }

  /** Of the logs that were there at the start. */
  progress(): { readonly logsDone: number; readonly logsTotal: number } {
    return this.#shelf.progress
  }

  /** The first failed fsync, write-back or write; from then on nothing is served from here. */
  get failure(): DiskError | null {
    return this.#host.failure
  }

  onFailure(listener: (error: DiskError) => void): void {
    this.#host.onFailure(listener)
  }

  get isOverDirtyBudget(): boolean {
    return this.#host.ledger.isOver
  }

  /** `listener` hears true when producers must not be read any more, and false when they may. */
  onPressure(listener: (over: boolean) => void): void {
    this.#host.onPressure(listener)
  }

  /** Bytes that no flush has covered, and the age of the oldest. */
  get unflushedBytes(): number {
    return this.#host.unflushedBytes
  }

  get unflushedAgeMs(): number {
    return this.#host.scheduler.unflushedAgeMs
  }

  /** What compaction did and has to do. */
  cleanerNumbers(): LogCleanerNumbers {
    return this.#cleaner.numbers()
  }

  /** Of the file system that it lies on, asked now; null where that does not answer. */
  get space(): DiskSpace | null {
    return spaceOf(this.#env.disk, this.path)
  }

  numbers(): DirectoryNumbers {
    return {
      unflushedBytes: this.unflushedBytes,
      unflushedAgeMs: this.unflushedAgeMs,
      flushOverdueMs: this.#host.scheduler.overdueMs,
      dirtyBytes: this.#host.ledger.dirtyBytes,
      isOverDirtyBudget: this.isOverDirtyBudget,
      ...this.#host.stalls,
      strayLogs: this.#shelf.strayCount,
    }
  }

  /**
   * Opens a log that is on disk, recovering what the start class demands, or makes a new one. A damaged log is
   * opened too, and refuses everything (`Log.offline`). At most a few are opened at the same time.
   * @throws MissingLogError where it was here and is not any more, DiskError where a write or an sync fails
   */
  openLog(id: LogId, config: LogConfig): Promise<Log> {
    return this.#exclusively(id, () => this.#turnstile.pass(() => this.#openLog(id, config)))
  }

  /** Takes a log out of service; its files are removed when no fetch can be using them any more. */
  remove(id: LogId): Promise<void> {
    return this.#exclusively(id, () => this.#takeAway(id, 'deleted'))
  }

  /** Logs of topics that were deleted, and that are missing or set aside, are not waited for any more. */
  forgetDeleted(isDeleted: (topicId: LogId['topicId']) => boolean): void {
    const gone = this.#shelf.forgetDeleted(isDeleted, name => this.#byName.has(name))
    for (const name of gone) this.#host.forgetLog(name)
  }

  /**
   * A log that is missing or damaged may begin anew, empty: the cluster knows that this broker does not have it. What is there of
   * it is kept as `*.stray`; `openLog` makes the new one. @throws DiskError
   */
  beginAnew(id: LogId): Promise<void> {
    return this.#exclusively(id, async () => {
      await this.#takeAway(id, 'stray')
      await this.#host.forgetDurably(logDirectoryName(id))
      this.#shelf.forgive(id)
    })
  }

  /** Takes a log that nobody claims out of service, and keeps its files as `*.stray`. */
  setAside(id: LogId): Promise<void> {
    return this.#exclusively(id, () => this.#takeAway(id, 'stray'))
  }

  /** Flushes and closes every log, and writes the clean marker if nothing went wrong. Never rejects for the disk. */
  async close(): Promise<void> {
    assert(!this.#isClosed, 'a directory is closed once')
    this.#isClosed = true
    await Promise.allSettled(this.#busy.values())
    const lines = new Map<string, CleanLine>(this.#untouchedLines())
    await this.#cleaner.stop()
    try {
      await this.#host.scheduler.stop()
      await this.#finishLogs()
      for (const log of this.#logs.values()) {
        const line = log.close()
        if (line !== null) lines.set(log.name, line)
      }
      if (this.failure === null) {
        await this.#host.saveCheckpoints()
        await this.#host.withRoom(() => this.#run.leaveMarker(lines))
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      // A full disk leaves no marker, and nothing in doubt: the next start takes it as a crash of the process.
      if (isPassing(error))
        this.#host.warn('No clean stop on a full disk', { error: error.message })
      else this.#host.fail(error)
    } finally {
      for (const log of this.#logs.values()) log.close()
      await this.#host.stop()
      this.beat.stop()
      this.#shelf.close()
      this.#lock.release()
    }
  }

  /** Everything is written, and flushed together: with ten thousand logs a flush for each takes longer than anyone waits. */
  async #finishLogs(): Promise<void> {
    const finishing = new Turnstile(closeCountMax)
    const logs = Array.from(this.#logs.values())
    const finished = logs.map(log => finishing.pass(() => log.finish()))
    // All of them, before the first that failed is looked at: nothing may be at work after the lock is gone.
    await Promise.allSettled(finished)
    await Promise.all(finished)
    const sound = logs.filter(log => log.isSound)
    await this.#host.scheduler.flushNow(sound.map(({ durability }) => durability))
  }

  async #openLog(id: LogId, config: LogConfig): Promise<Log> {
    const key = logKey(id)
    assert(!this.#logs.has(key), `${logIdText(id)} is opened once`)
    assert(!this.#isClosed, 'no log is opened in a closed directory')
    if (this.failure !== null) throw this.failure
    if (config.flushPolicy !== 'ack') await this.#leaveAcks()
    const { name, found } = await this.#finally(this.#shelf.take(id))
    const { state, surprise } = await this.#finally(
      this.#recoverLog({
        id,
        name,
        path: `${this.path}/${name}`,
        host: this.#host,
        config,
        trust: found === null ? 'clean' : this.#run.trustIn(name),
        cleanLine: this.#run.cleanLineOf(name),
        recoveryPoint: found === null ? 0 : this.#host.found.recoveryPointOf(name),
        startOffset: found === null ? 0 : this.#host.found.startOffsetOf(name),
        cleaned: found === null ? neverCleaned : this.#host.found.cleanedOf(name),
        knownDamage: found?.damage ?? null,
      }),
      id,
    )
    if (surprise !== null) await this.#reclassify(surprise)
    const log = new Log(state)
    this.#logs.set(key, log)
    this.#shelf.opened(id)
    const { durability, offline } = log
    if (durability.dirtyFileCount > 0 && offline === null)
      this.#host.scheduler.noteDirty(durability)
    this.#byName.set(name, log)
    this.#noteDirt(name)
    return log
  }

  #noteDirt(name: string): void {
    const log = this.#byName.get(name)
    if (log !== undefined && log.offline === null) this.#cleaner.note(log.cleanable)
  }

  #leaveAcks(): Promise<void> | null {
    const left = this.#run.leaveAcks()
    return left === null ? null : this.#finally(left)
  }

  /** What fails while a log is opened may be that log's own trouble, unless a write is in doubt or the directory is gone. */
  async #finally<T>(work: Promise<T>, id?: LogId): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (error instanceof DiskError && !isPassing(error)) {
        this.#host.judge(error)
        if (id !== undefined) this.#shelf.failed(id)
      }
      throw error
    }
  }

  async #takeAway(id: LogId, suffix: 'deleted' | 'stray'): Promise<void> {
    const key = logKey(id)
    const log = this.#logs.get(key) ?? null
    if (log !== null) {
      this.#logs.delete(key)
      this.#byName.delete(log.name)
      await this.#cleaner.drop(log.cleanable)
      await this.#host.scheduler.remove(log.durability)
      await log.retire()
      // What was still written may have called for a flush, whose files must not be renamed under it.
      await this.#host.scheduler.remove(log.durability)
    }
    const path = await this.#shelf.takeAway(id, suffix)
    if (suffix === 'deleted') this.#host.forgetLog(logDirectoryName(id))
    if (path === null) return log?.closeFiles()
    this.#env.clock.after(log?.config.fileDeleteDelayMs ?? 0, () => {
      log?.closeFiles()
      if (suffix === 'deleted' && !this.#isClosed) void removeTree(this.#env.disk, path)
    })
  }

  /** What was found does not look like the end of a process: it may be an older disk (durability.md 3.3). */
  async #reclassify(surprise: string): Promise<void> {
    if (!(await this.#finally(this.#run.worsen()))) return
    this.#host.warn(
      'A crash of the process does not leave this: counting as a crash of the machine',
      { surprise },
    )
  }

  /** Clean lines of logs that this run never opened: they are as the last one left them. */
  *#untouchedLines(): Iterable<[string, CleanLine]> {
    for (const name of this.#shelf.names()) {
      const line = this.#run.cleanLineOf(name)
      if (line !== null) yield [name, line]
    }
  }

  /** One thing at a time happens to a log. */
  #exclusively<T>(id: LogId, act: () => Promise<T>): Promise<T> {
    const key = logKey(id)
    const before = this.#busy.get(key) ?? Promise.resolve()
    const done = before.then(act, act)
    this.#busy.set(key, done)
    const forget = () => {
      if (this.#busy.get(key) === done) this.#busy.delete(key)
    }
    done.then(forget, forget)
    return done
  }
}
