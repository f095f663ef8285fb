import { DiskError } from '../../../env/env.ts'
import type { Appender } from '../append/appender.ts'
import { dropGrowth } from '../append/growth.ts'
import type { Sealer } from '../append/sealing.ts'
import { ProducerStates } from '../producers/states.ts'
import { dropIndexFiles } from '../read/index-loading.ts'
import { readFailed } from '../read/read.ts'
import type { Retention } from '../retention.ts'
import { cleanedPath, swapPath } from '../segment/swap-file.ts'
import { isPassing } from '../shortage.ts'
import type { LogState } from '../state/log-state.ts'
import { emptyPart, exchange, type NewTail } from './exchange.ts'
import { positionOf, readKept, writeKept, writeNothing } from './kept.ts'

/** What stays of a segment that is cut is copied up to so many steps of a growth file: 4 MiB. */
const copiedStepsMax = 4

/** The log was not cut, because it is out of service. */
export class NotCutError extends Error {
  override readonly name = 'NotCutError'
}

interface Rooms {
  readonly appender: Appender
  readonly retention: Retention
  readonly sealer: Sealer
}

/**
 * The front door of the room: the end of a log where it shrinks, because its leader's log is another one (durability.md 3.8).
 *
 * **A cut never rewrites bytes that may be in a socket**: pages that were given to sendfile(2) are the page cache's own, and
 * a batch of the same size, written where another one was, would arrive as the header of the one and the records of the
 * other. So the log goes on in a new file, with what stays of the segment that is cut where that is little, and whoever
 * holds ranges of the old ones goes on with them. On disk the log is what it was or what it is to be, at any
 * moment, and durably the latter when a call resolves. Epochs, producers, indexes and how far the log is durable or cleaned
 * fall with the end; what is appended meanwhile waits, and nobody cleans.
 */
export class Truncation {
  readonly #state: LogState
  readonly #rooms: Rooms

  constructor(state: LogState, rooms: Rooms) {
    this.#state = state
    this.#rooms = rooms
  }

  /**
   * Batches that reach `offset` go; the end falls to it, or to the beginning of a batch that spans it. Where the log begins
   * behind `offset`, nothing stays, and it begins and ends there.
   * @throws NotCutError where the log is out of service, DiskError
   */
  to(offset: number): Promise<void> {
    return this.#change(async () => {
      const { segments, endOffset } = this.#state
      if (offset < segments.first.baseOffset) await this.#restartBefore(offset)
      else if (offset < endOffset) await this.#cut(offset)
      // A leader that wrote nothing has noted its epoch at the end.
      else this.#state.epochs.cutFrom(endOffset)
    })
  }

  /**
   * Nothing stays, and the log goes on at `offset`, wherever that is. A crash may leave it cut at `offset`, and no more, where
   * that is between its beginning and its end. @throws NotCutError, DiskError
   */
  async fullyTo(offset: number): Promise<void> {
    await this.#change(async () => {
      const { segments, epochs, producers } = this.#state
      if (offset < segments.first.baseOffset) return this.#restartBefore(offset)
      if (offset < this.#state.endOffset) await this.#cut(offset)
      if (offset > this.#state.endOffset) return this.#restartBehind(offset)
      epochs.clear()
      producers.become(noProducers(this.#state))
    })
    await this.#rooms.retention.raiseStart(offset)
  }

  /** Nobody else changes the log while `act` does. */
  #change(act: () => Promise<void>): Promise<void> {
    return this.#rooms.appender.whileStill(() => this.#changeNow(act))
  }

  async #changeNow(act: () => Promise<void>): Promise<void> {
    const { host, name, availability } = this.#state
    const { retention, sealer } = this.#rooms
    let isDone = false
    // Before its turn: a cleaning that is under way may wait for one.
    const release = await host.holdCleaning(name)
    try {
      await retention.inTurn(async () => {
        await sealer.settled()
        if (availability.refusal !== null) return
        await act()
        isDone = true
      })
    } catch (error) {
      this.#blame(error)
      throw error
    } finally {
      release()
    }
    if (!isDone) {
      throw new NotCutError(`${name} was not cut: ${availability.refusal?.message ?? 'it left'}`)
    }
  }

  /** What a failure means. Where there was no room, or no descriptor, the log is what it was. */
  #blame(error: unknown): void {
    const isFinal = error instanceof DiskError && !isPassing(error)
    if (!isFinal) return
    const isOfRead = error.operation === 'read' || error.operation === 'readAsync'
    if (isOfRead) readFailed(this.#state, error)
    else this.#state.host.fail(error)
  }

  /**
   * In the segment that holds `offset`. Little that stays of it is copied. Much stays where it is: what is behind is a dead
   * end of the file, and the log goes on in a new segment.
   */
  async #cut(offset: number): Promise<void> {
    const state = this.#state
    const first = state.segments.floor(offset)
    const { baseOffset } = first
    const { createdMs } = first.age
    const sizeBytes = await positionOf(state, first, offset)
    const isMuch = sizeBytes > copiedStepsMax * state.host.growthStepBytes
    if (isMuch) {
      const kept = await readKept(state, first, sizeBytes)
      await writeNothing(state, kept.endOffset)
      const { producers, firstTimestampMs } = kept
      const before = { ...kept, baseOffset, age: { firstTimestampMs, createdMs } }
      return this.#replace({ first, before, active: emptyPart(kept.endOffset), producers })
    }
    const kept = await writeKept(state, first, sizeBytes)
    const { firstTimestampMs } = kept
    const active = { ...kept, baseOffset, age: { firstTimestampMs, createdMs } }
    await this.#replace({ first, before: null, active, producers: kept.producers })
  }

  /** Where the log's first segment begins behind `offset`: all of it goes. */
  async #restartBefore(offset: number): Promise<void> {
    const state = this.#state
    await writeNothing(state, offset)
    await this.#replace(emptyTail(state, offset))
  }

  /**
   * Behind the log's end: from the moment at which the new start is durable, all of it lies below, and a start leaves
   * nothing of it (`recovery/`).
   */
  async #restartBehind(offset: number): Promise<void> {
    const state = this.#state
    const { start, path, host, durability } = state
    await start.prepareRestart(offset)
    exchange(state, { ...emptyTail(state, offset), from: null })
    start.restart(offset)
    state.epochs.clear()
    durability.beginCut(0)
    durability.endCut()
    await host.env.disk.syncDirectory(path)
  }

  /** `tail.active` lies on the device under the name of `cleanedPath`; it takes the place of what is cut. */
  async #replace(tail: Omit<NewTail, 'from'>): Promise<void> {
    const state = this.#state
    const { durability, start, host, path } = state
    const { baseOffset, endOffset } = tail.active
    const swap = swapPath(path, { baseOffset, endOffset: state.endOffset + 1 })
    const isBelowStart = endOffset < start.offset
    durability.beginCut(endOffset)
    try {
      await this.#prepare(endOffset)
      await this.#commit(tail, swap)
    } catch (error) {
      this.#discard(cleanedPath(path, baseOffset))
      durability.abandonCut()
      if (isBelowStart) await start.abandonRestart().catch(() => {})
      throw error
    }
    exchange(state, { ...tail, from: swap })
    if (isBelowStart) start.restart(endOffset)
    state.epochs.cutFrom(endOffset)
    durability.endCut()
    await host.env.disk.syncDirectory(path)
  }

  /** What the checkpoints say must be true of the log before the cut and after it. */
  async #prepare(endOffset: number): Promise<void> {
    const { host, start, cleaned } = this.#state
    await host.saveRecoveryPoints()
    await cleaned.cutTo(endOffset)
    if (endOffset < start.offset) await start.prepareRestart(endOffset)
  }

  /** Caches that speak of the old file must not be there with the new one; then the new name counts. */
  async #commit({ first, active }: Omit<NewTail, 'from'>, swap: string): Promise<void> {
    const { path, host } = this.#state
    const { disk } = host.env
    dropIndexFiles(disk, first)
    dropGrowth(disk, first)
    disk.rename(cleanedPath(path, active.baseOffset), swap)
    try {
      await disk.syncDirectory(path)
    } catch (error) {
      // Nothing was removed so far: as if it had not been.
      if (error instanceof DiskError && isPassing(error)) disk.unlink(swap)
      throw error
    }
  }

  #discard(path: string): void {
    const { disk } = this.#state.host.env
    try {
      if (disk.stat(path) !== null) disk.unlink(path)
    } catch (error) {
      // The next start removes it.
      if (!(error instanceof DiskError)) throw error
    }
  }
}

function emptyTail(state: LogState, offset: number): Omit<NewTail, 'from'> {
  const { first } = state.segments
  return { first, before: null, active: emptyPart(offset), producers: noProducers(state) }
}

function noProducers({ config }: LogState): ProducerStates {
  const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
  return new ProducerStates({ expirationMs, countMax })
}
