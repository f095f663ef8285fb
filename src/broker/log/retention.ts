import { DiskError } from '../../env/env.ts'
import type { Appender } from './append/appender.ts'
import type { Sealer } from './append/sealing.ts'
import { closeLater, putAside } from './leaving.ts'
import { segmentSuffixes, type Segment } from './segment/segment.ts'
import { isPassing } from './shortage.ts'
import type { LogState } from './state/log-state.ts'

const settled = Promise.resolve()

/**
 * The beginning of a log, where it shrinks: alone raises its start, and takes whole segments below it out of the
 * directory, from the oldest on. A segment's files stay, under other names, until no fetch can be using them any
 * more. The start is durable before anything goes, so that no crash brings back what was gone.
 */
export class Retention {
  readonly #state: LogState
  readonly #appender: Appender
  readonly #sealer: Sealer
  /** Runs and moves of one log come one after the other. */
  #last = settled

  constructor(state: LogState, appender: Appender, sealer: Sealer) {
    this.#state = state
    this.#appender = appender
    this.#sealer = sealer
  }

  /** Resolves when nothing is under way that began before. */
  settled(): Promise<void> {
    return this.#last
  }

  /**
   * Removes what the topic's config no longer keeps, by whole segments from the oldest on: expired ones, those
   * beyond the size, those below the log start offset; nothing at or above `upToOffset`: not every replica has it. A
   * log that is expired as a whole gets a new active segment, the next time where a thread writes now. What
   * compaction makes superfluous is the cleaner's.
   * @throws DiskError where the start offset could not be saved; then nothing is removed
   */
  apply(nowMs: number, upToOffset: number): Promise<void> {
    return this.inTurn(async () => {
      const { segments, producers, start } = this.#state
      producers.expire(nowMs)
      // Looked at before anything that is staged goes into the active one: that may stay.
      const ends = doomedSegments(this.#state, upToOffset, nowMs).map(({ endOffset }) => endOffset)
      const isWhole = ends.length === segments.count
      if (isWhole && !(await this.#roll())) ends.pop()
      const end = ends.at(-1)
      if (end !== undefined) await start.raise(end)
      await this.#removeBelowStart()
    })
  }

  /** Records below `offset` are no longer there; durable when it resolves. @throws DiskError */
  raiseStart(offset: number): Promise<void> {
    return this.inTurn(async () => {
      await this.#state.start.raise(offset)
      await this.#removeBelowStart()
    })
  }

  /** Segments wholly below the log's start go, when the producers' state at the first that stays is safe. */
  async #removeBelowStart(): Promise<void> {
    const state = this.#state
    const { segments } = state
    const isAllBelow = () =>
      !segments.active.isEmpty && segments.active.endOffset <= state.startOffset
    if (isAllBelow() && this.#appender.stagedEndOffset === state.endOffset) await this.#roll()
    const isNothingBelow = () =>
      segments.count === 1 || segments.first.endOffset > state.startOffset
    if (isNothingBelow()) return
    await this.#sealer.settled()
    let count = 0
    for (const segment of segments) {
      if (segment === segments.active || segment.endOffset > state.startOffset) break
      count++
    }
    this.#leave(count)
    state.durability.directoryChanged()
  }

  /** As `Appender.rollNow`; false too where the disk has no room for a new segment: what is closed goes all the same. */
  async #roll(): Promise<boolean> {
    const { host, name } = this.#state
    let isRolled = false
    try {
      await host.withRoom(async () => {
        isRolled = this.#appender.rollNow()
      })
    } catch (error) {
      if (!(error instanceof DiskError) || !isPassing(error)) throw error
      host.warn('Could not begin a new segment, so that the last one stays; it is tried again', {
        log: name,
        error: error.message,
      })
    }
    return isRolled
  }

  /**
   * The oldest segments leave the log, one after the other: where the disk refuses one, it and what is behind it stay,
   * and the next run tries again, so that the files never have a gap. Without its segment an index is nothing, and goes
   * at the latest at the next start.
   */
  #leave(count: number): void {
    const { segments, host, name } = this.#state
    const { disk } = host.env
    const removed: string[] = []
    let goneCount = 0
    try {
      for (const segment of Array.from(segments).slice(0, count)) {
        removed.push(...putAside(disk, segment.pathOf('log')))
        goneCount++
        for (const suffix of segmentSuffixes) {
          if (suffix !== 'log') removed.push(...putAside(disk, segment.pathOf(suffix)))
        }
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (!isPassing(error)) host.fail(error)
      else {
        host.warn('Could not remove all that retention takes; it is tried again', {
          log: name,
          error: error.message,
        })
      }
    }
    const gone = segments.shift(goneCount)
    for (const segment of gone) {
      segment.remove()
      host.forget(segment)
    }
    closeLater(this.#state, gone, removed)
  }

  /** Does `act` when nothing else takes segments out of the log. A log that serves no longer by then is left as it is. */
  inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() =>
      this.#state.availability.refusal === null ? act() : undefined,
    )
    this.#last = done.catch(() => {})
    return done
  }
}

/** The oldest segments that may go, without a gap. */
function doomedSegments(state: LogState, upToOffset: number, nowMs: number): Segment[] {
  const { segments, config } = state
  if (!config.cleanupPolicy.includes('delete')) return []
  const doomed: Segment[] = []
  let sizeBytes = segments.sizeBytes
  for (const segment of segments) {
    const isExpired = config.retentionMs >= 0 && nowMs - ageOf(state, segment) > config.retentionMs
    const isBeyond =
      config.retentionBytes >= 0 && sizeBytes - segment.sizeBytes >= config.retentionBytes
    // Of a closed one that is empty everything was compacted away.
    const mayGo =
      !(segment.isEmpty && segment === segments.active) && segment.endOffset <= upToOffset
    if (!mayGo || !(isExpired || isBeyond)) break
    doomed.push(segment)
    sizeBytes -= segment.sizeBytes
  }
  return doomed
}

/** The segment's newest timestamp; where it has none, when its file was written. */
function ageOf({ host }: LogState, segment: Segment): number {
  const { timestampMs } = segment.newest
  if (timestampMs >= 0) return timestampMs
  return host.env.disk.stat(segment.pathOf('log'))?.modifiedMs ?? Infinity
}
