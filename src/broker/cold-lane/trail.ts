import type { DiskFile } from '../../env/env.ts'

const mebibyte = 1024 * 1024

/**
 * A reader's pages are dropped no nearer behind it than this: what it was sent last may still be in its socket, which
 * pins pages (durability.md Q4). @internal
 */
export const lagBytes = 8 * mebibyte
/** The least that is dropped at once, but at the end of a file. */
export const stepBytes = 4 * mebibyte
/** The largest folio. One goes only when it lies wholly inside what is dropped, so ranges end where folios do. @internal */
export const folioBytes = 2 * mebibyte
/** Runs that wait for their reader to get away; of more, the oldest is left to the kernel. */
const runsMax = 8

/** A range that a reader gets next; everything that it got before has left its socket's queue. */
export interface NextRange {
  readonly file: DiskFile
  readonly position: number
  readonly length: number
  /** Of its first record. */
  readonly offset: number
  /** From here on the file was appended lately. */
  readonly hotFrom: number
}

/** Bytes `[from, to)` of a file that a reader has left behind, both ends at multiples of `folioBytes`. */
export interface Portion {
  readonly file: DiskFile
  readonly from: number
  readonly to: number
  /** Offsets of the records in it; some of the file's neighbouring ones too. */
  readonly fromOffset: number
  readonly toOffset: number
  /** Some of it was appended lately. */
  readonly isHot: boolean
  /** Share of it, 0 to 1, that the device delivered to this reader; 1 where that is not known. */
  readonly deliveredShare: number
}

/** What was known when a range was asked for: all of the stream before `position` is counted in `delivered`. */
interface Mark {
  readonly position: number
  readonly offset: number
  readonly delivered: number | null
}

/** Ranges of one file that were read one behind the other. */
interface Run {
  readonly file: DiskFile
  readonly start: number
  /** What lies before was given out. */
  from: number
  to: number
  hotFrom: number
  /** The reader went on in the next file: what is behind `to` are no records. */
  isWhole: boolean
  readonly marks: Mark[]
}

/** What a lagging reader leaves behind, as one state machine: ranges in, portions that may go out. */
export class Trail {
  readonly #runs: Run[] = []

  /**
   * The reader gets `range` by the cold lane. `delivered`: bytes that the device delivered to its stream until now,
   * null where that is not measured. Gives what is far enough behind by now, each byte once.
   */
  follow(range: NextRange, delivered: number | null): Portion[] {
    const run = this.#runOf(range, delivered)
    const { position, offset } = range
    if (run.marks.at(-1)?.position === position) run.marks.pop()
    run.marks.push({ position, offset, delivered })
    run.to = range.position + range.length
    run.hotFrom = range.hotFrom
    return this.#takeBehind(range.position)
  }

  #runOf({ file, position, offset, hotFrom }: NextRange, delivered: number | null): Run {
    const last = this.#runs.at(-1)
    if (last !== undefined) {
      const before = last.marks.at(-1)!
      // What it asks for again was not sent, or not taken.
      const goesOn = last.to === position || before.position === position
      if (last.file === file && goesOn) return last
      last.isWhole = position === 0
      last.marks.push({ position: last.to, offset: Math.max(offset, before.offset), delivered })
    }
    // The folio in which it begins is not its own.
    const from = Math.ceil(position / folioBytes) * folioBytes
    const run = { file, start: position, from, to: position, hotFrom, isWhole: false, marks: [] }
    this.#runs.push(run)
    if (this.#runs.length > runsMax) this.#runs.shift()
    return run
  }

  /** The reader is at `position` of the newest run. */
  #takeBehind(position: number): Portion[] {
    const portions: Portion[] = []
    const newest = this.#runs.at(-1)!
    let behindBytes = 0
    for (const run of this.#runs.toReversed()) {
      const end = run === newest ? position : run.to
      const isOver = run !== newest && behindBytes >= lagBytes
      const to = isOver ? endOf(run) : floor(end - Math.max(0, lagBytes - behindBytes))
      if (to - run.from >= (isOver ? folioBytes : stepBytes)) portions.unshift(take(run, to))
      if (isOver) this.#runs.splice(this.#runs.indexOf(run), 1)
      behindBytes += end - run.start
    }
    return portions
  }
}

/** Gives out `[run.from, to)`. */
function take(run: Run, to: number): Portion {
  const { file, from, hotFrom, marks } = run
  const before = marks.findLastIndex(({ position }) => position <= from)
  const first = marks[Math.max(0, before)]!
  const last = marks.find(({ position }) => position >= to) ?? marks.at(-1)!
  run.from = to
  marks.splice(
    0,
    marks.findLastIndex(({ position }) => position <= to),
  )
  return {
    file,
    from,
    to,
    fromOffset: first.offset,
    toOffset: last.offset,
    isHot: Math.min(to, run.to) > hotFrom,
    deliveredShare: shareBetween(first, last),
  }
}

function shareBetween(first: Mark, last: Mark): number {
  if (first.delivered === null || last.delivered === null) return 1
  const bytes = last.position - first.position
  return bytes > 0 ? Math.min(1, (last.delivered - first.delivered) / bytes) : 1
}

function endOf({ isWhole, to }: Run): number {
  return isWhole ? Math.ceil(to / folioBytes) * folioBytes : floor(to)
}

function floor(position: number): number {
  return Math.floor(position / folioBytes) * folioBytes
}
