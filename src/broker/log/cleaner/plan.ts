import { isCompacted, type LogConfig } from '../log-config.ts'

/** A segment as far as planning needs it. */
export interface PlannedSegment {
  readonly baseOffset: number
  readonly endOffset: number
  readonly sizeBytes: number
  /** The greatest timestamp of a batch, -1 where none has one. */
  readonly newest: { readonly timestampMs: number }
}

/** A log as far as planning needs it. */
export interface PlannedLog<Segment extends PlannedSegment> {
  /** In order; the last one is active. */
  readonly segments: readonly Segment[]
  readonly startOffset: number
  readonly endOffset: number
  /** Below lies what was cleaned before; null where nothing was. */
  readonly firstDirtyOffset: number | null
  /** Every replica has what lies below, and it is on the device: only what cannot be lost may make anything else superfluous. */
  readonly safeOffset: number
  readonly config: LogConfig
  /** The greatest timestamp of the first batch, where it is known: only asked of dirty segments, where a greatest lag is set. */
  readonly firstBatchMs: (segment: Segment) => number
}

/** How dirty a log is. */
export interface Dirt<Segment extends PlannedSegment> {
  readonly firstDirtyOffset: number
  /** Where cleaning ends: the first segment that must stay as it is. */
  readonly upToOffset: number
  /** The segments with dirty records that may be cleaned. */
  readonly dirty: readonly Segment[]
  readonly cleanableBytes: number
  /** Of what was cleaned before and what can be now; 0 where there is nothing. */
  readonly ratio: number
  /** It is to be cleaned. */
  readonly isDue: boolean
  /** When it may be due although nothing more is appended (wall clock); Infinity where not. */
  readonly lookAgainAtMs: number
}

/**
 * How dirty a log is, and whether it is to be cleaned now: more of it is dirty than its config allows, or something of
 * it waits for longer. As Kafka's LogCleanerManager: whole segments, never the active one, never what was appended less
 * than `min.compaction.lag.ms` ago.
 */
export function dirtOf<Segment extends PlannedSegment>(
  log: PlannedLog<Segment>,
  nowMs: number,
): Dirt<Segment> {
  const { segments, config } = log
  const firstDirtyOffset = firstDirty(log)
  const closed = segments.slice(0, -1)
  const behind = closed.filter(({ endOffset }) => endOffset > firstDirtyOffset)
  const stuck = behind.findIndex(
    segment => segment.endOffset > log.safeOffset || isTooYoung(segment, config, nowMs),
  )
  const dirty = stuck < 0 ? behind : behind.slice(0, stuck)
  const upToOffset = behind[dirty.length]?.baseOffset ?? segments.at(-1)!.baseOffset
  const cleanBytes = sum(closed.filter(({ baseOffset }) => baseOffset < firstDirtyOffset))
  const cleanableBytes = sum(dirty)
  const totalBytes = cleanBytes + cleanableBytes
  const ratio = totalBytes === 0 ? 0 : cleanableBytes / totalBytes
  const overdueAtMs = overdueAt(log, behind)
  const isOverdue = overdueAtMs <= nowMs && cleanableBytes > 0
  const isDue =
    isCompacted(config) &&
    upToOffset > firstDirtyOffset &&
    (isOverdue || ratio > config.minCleanableDirtyRatio)
  const lookAgainAtMs = Math.min(overdueAtMs, changesAt(log, behind[dirty.length], nowMs))
  return { firstDirtyOffset, upToOffset, dirty, cleanableBytes, ratio, isDue, lookAgainAtMs }
}

/** What the checkpoint says; where that cannot be, as after a loss at the log's end, all of it is dirty. */
function firstDirty<Segment extends PlannedSegment>({
  firstDirtyOffset,
  startOffset,
  endOffset,
}: PlannedLog<Segment>): number {
  if (firstDirtyOffset === null || firstDirtyOffset < startOffset) return startOffset
  return firstDirtyOffset > endOffset ? startOffset : firstDirtyOffset
}

function isTooYoung(
  { newest }: PlannedSegment,
  { minCompactionLagMs }: LogConfig,
  nowMs: number,
): boolean {
  return minCompactionLagMs > 0 && newest.timestampMs > nowMs - minCompactionLagMs
}

/** When what may not be cleaned yet may be. */
function changesAt<Segment extends PlannedSegment>(
  { safeOffset, config }: PlannedLog<Segment>,
  stuck: Segment | undefined,
  nowMs: number,
): number {
  if (stuck === undefined) return Infinity
  return stuck.endOffset > safeOffset ? nowMs : stuck.newest.timestampMs + config.minCompactionLagMs
}

/** When the first dirty record waits for as long as it may. Records without a time never do. */
function overdueAt<Segment extends PlannedSegment>(
  { config, firstBatchMs }: PlannedLog<Segment>,
  dirty: readonly Segment[],
): number {
  const { maxCompactionLagMs } = config
  if (maxCompactionLagMs >= Number.MAX_SAFE_INTEGER) return Infinity
  const times = dirty.map(segment => firstBatchMs(segment)).filter(timestampMs => timestampMs > 0)
  // Overdue is what waited for longer.
  return Math.min(...times) + maxCompactionLagMs + 1
}

/** Bounds of what is made one segment. */
export interface GroupLimits {
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
}

const segmentOffsetsMax = 0x7fff_ffff

/**
 * Which neighbours become one segment: as many as were together not larger than a segment may be, by records, offsets and what
 * their index will have, so that repeated cleaning does not leave ever smaller ones.
 */
export function groupsOf<Segment extends PlannedSegment>(
  segments: readonly Segment[],
  { segmentBytes, segmentIndexBytes, indexIntervalBytes }: GroupLimits,
): Segment[][] {
  const bytesMax = Math.min(
    segmentBytes,
    Math.floor(segmentIndexBytes / indexEntryBytes) * Math.max(1, indexIntervalBytes),
  )
  const groups: Segment[][] = []
  let sizeBytes = 0
  for (const segment of segments) {
    const group = groups.at(-1)
    const first = group?.[0]
    const fits =
      first !== undefined &&
      sizeBytes + segment.sizeBytes <= bytesMax &&
      segment.endOffset - 1 - first.baseOffset <= segmentOffsetsMax
    if (fits) {
      group!.push(segment)
      sizeBytes += segment.sizeBytes
    } else {
      groups.push([segment])
      sizeBytes = segment.sizeBytes
    }
  }
  return groups
}

/** Of a time index, the larger of the two. */
const indexEntryBytes = 12

function sum(segments: readonly PlannedSegment[]): number {
  return segments.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0)
}
