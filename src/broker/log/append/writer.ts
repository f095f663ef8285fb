import { DiskError, type Clock } from '../../../env/env.ts'
import { Segment } from '../segment/segment.ts'
import type { LogState } from '../state/log-state.ts'
import type { Sealer } from './sealing.ts'
import type { Roll, Stage } from './stage.ts'
import { stallMs, WriteLane } from './write-lane.ts'

/** Stages that could not be written, the first and all behind it. */
export interface Unwritten {
  readonly stages: readonly Stage[]
  readonly error: DiskError
}

/**
 * Writes what was staged, with one write a segment, and answers it: the end offset moves here, when a write has
 * returned and nothing else failed meanwhile. One call at a time. A write is inline, or on a thread where the kernel
 * made the log wait lately (decision 0007); either way nothing of a group is noted before all of it is written, and the
 * next group, or its segment, is not begun before the one before it is done.
 */
export class Writer {
  readonly #state: LogState
  readonly #sealer: Sealer
  readonly #lane = new WriteLane()

  constructor(state: LogState, sealer: Sealer) {
    this.#state = state
    this.#sealer = sealer
    if (state.availability.refusal === null) this.#preallocate()
  }

  /** Null where all was written; a promise where a thread is at it. */
  write(stages: readonly Stage[]): Unwritten | null | Promise<Unwritten | null> {
    const { clock } = this.#state.host.env
    let left = stages
    while (left.length > 0) {
      if (this.#lane.at(clock.monotonic()) === 'thread') return this.#writeInThread(left)
      const group = firstGroup(left)
      const error = failureOf(() => this.#writeInline(group))
      if (error !== null) return { stages: left, error }
      this.#answer(group)
      left = left.slice(group.length)
    }
    return null
  }

  /** The active segment is closed, and a new one begins. @throws DiskError */
  startSegment({ baseOffset, snapshot }: Roll): void {
    const { segments, host, path, durability } = this.#state
    const closed = segments.active
    const { disk, clock } = host.env
    segments.push(Segment.create(disk, path, baseOffset, clock.now()))
    this.#preallocate()
    durability.directoryChanged()
    this.#sealer.seal(closed, { offset: baseOffset, bytes: snapshot })
    host.flushSoon(durability)
    host.mayBeDirty(this.#state.name)
  }

  /** What is left of a turn stays together: its order is that of the file. */
  async #writeInThread(stages: readonly Stage[]): Promise<Unwritten | null> {
    let left = stages
    while (left.length > 0) {
      const group = firstGroup(left)
      const error = await laterFailureOf(() => this.#writeGroupInThread(group))
      if (error !== null) return { stages: left, error }
      this.#answer(group)
      left = left.slice(group.length)
    }
    return null
  }

  /** @throws DiskError */
  #writeInline(group: readonly Stage[]): void {
    const parts = this.#begin(group)
    if (parts.length === 0) return
    const { host, segments } = this.#state
    const { clock } = host.env
    const segment = segments.active
    const startedMs = clock.monotonic()
    segment.file.write(segment.sizeBytes, parts)
    const endedMs = clock.monotonic()
    const elapsedMs = endedMs - startedMs
    const isStall = elapsedMs > stallMs
    if (isStall) this.#lane.stalled(endedMs)
    this.#note(group, isStall ? elapsedMs : 0, false)
  }

  /** Rejects with a DiskError. */
  async #writeGroupInThread(group: readonly Stage[]): Promise<void> {
    const parts = this.#begin(group)
    if (parts.length === 0) return
    const { host, segments } = this.#state
    const segment = segments.active
    const written = segment.file.writeAsync(segment.sizeBytes, parts)
    if (await isSlow(written, host.env.clock)) this.#lane.stalled(host.env.clock.monotonic())
    // Something may have failed for good meanwhile: what would be answered now is worth nothing.
    if (host.failure !== null) throw host.failure
    this.#note(group, 0, true)
  }

  /** Begins the group's segment, if one begins; what is to be written into it. @throws DiskError */
  #begin(group: readonly Stage[]): Uint8Array[] {
    const { host } = this.#state
    // An fsync may have failed since the batches were staged: what would be answered now is worth nothing.
    if (host.failure !== null) throw host.failure
    const { roll } = group[0]!
    if (roll !== null) this.startSegment(roll)
    return group.flatMap(({ bytes }) => (bytes.length === 0 ? [] : [bytes]))
  }

  /** The group lies in the active segment: it counts. */
  #note(group: readonly Stage[], stalledMs: number, inThread: boolean): void {
    const { host, config, segments, durability } = this.#state
    const segment = segments.active
    const from = segment.sizeBytes
    for (const header of group.flatMap(({ headers }) => headers)) {
      segment.noteAppended(header, config.indexIntervalBytes)
    }
    const length = segment.sizeBytes - from
    host.wrote(durability, { segment, from, length, stalledMs, inThread })
  }

  #answer(group: readonly Stage[]): void {
    for (const { result, done } of group) {
      done({ ok: true, ...result, logStartOffset: this.#state.startOffset })
    }
  }

  /** Where the topic wants it. A segment can grow without, as long as there is room. */
  #preallocate(): void {
    const { config, segments, host, name } = this.#state
    if (!config.preallocate) return
    const error = failureOf(() => segments.active.reserve(config.segmentBytes))
    if (error === null) return
    host.warn('Could not preallocate a segment', { log: name, error: error.message })
  }
}

/** What the disk refused, or null. */
function failureOf(act: () => void): DiskError | null {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof DiskError) return error
    throw error
  }
}

async function laterFailureOf(act: () => Promise<void>): Promise<DiskError | null> {
  try {
    await act()
    return null
  } catch (error) {
    if (error instanceof DiskError) return error
    throw error
  }
}

/** Stages of one segment. */
function firstGroup(stages: readonly Stage[]): readonly Stage[] {
  const end = stages.findIndex(({ roll }, at) => at > 0 && roll !== null)
  return end === -1 ? stages : stages.slice(0, end)
}

/**
 * Whether `work` takes longer than a stall; rejects as it does. The loop hears of its end late where it is busy itself,
 * so that a clock would tell of the loop: slow is what is still under way when the time is over and the loop has looked.
 */
async function isSlow(work: Promise<void>, clock: Clock): Promise<boolean> {
  let isLate = false
  const timer = clock.after(stallMs, () => clock.soon(() => (isLate = true)))
  try {
    await work
    return isLate
  } finally {
    timer.cancel()
  }
}
