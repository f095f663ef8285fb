/** A record as far as a reader sees it. */
export interface SeenRecord {
  readonly offset: number
  /** Null for a record without key. */
  readonly key: string | null
  readonly isTombstone: boolean
  /** Everything else of it, as text that is the same where the records are. */
  readonly text: string
}

/** What a compacted log was given, and what can be read of it now. */
export interface CleanedLog {
  /** Everything that was acknowledged, or may have been written, by offset. It may have holes. */
  readonly history: readonly SeenRecord[]
  /** Everything that a reader gets who begins at the log's start, in the order in which it comes. */
  readonly found: readonly SeenRecord[]
  readonly startOffset: number
  readonly endOffset: number
  /** From here on nothing can have been cleaned: the active segment's base offset, or less. */
  readonly untouchedFrom: number
  /** All below was cleaned, if that is known: nothing superfluous may be left there. */
  readonly cleanedTo?: number
  /** Whether a tombstone has had the time to go. */
  readonly mayBeGone: (tombstone: SeenRecord) => boolean
}

/**
 * What of a cleaned log is not as it has to be, one line each; none where all is well. It knows nothing of segments,
 * batches or rounds: whatever was cleaned when, a reader that comes to the end knows the last value of every key, met
 * every offset in order, and got nothing that was not written there.
 */
export function problemsOf(log: CleanedLog): string[] {
  const { startOffset, endOffset } = log
  const isThere = ({ offset }: SeenRecord): boolean => offset >= startOffset && offset < endOffset
  const history = log.history.filter(isThere)
  const found = log.found.filter(({ offset }) => offset >= startOffset)
  return [
    ...orderProblems(found, endOffset),
    ...foreignProblems(found, history),
    ...untouchedProblems(found, history, log.untouchedFrom),
    ...latestProblems(found, history, log.mayBeGone),
    ...(log.cleanedTo === undefined ? [] : leftOverProblems(found, history, log.cleanedTo)),
  ]
}

function orderProblems(found: readonly SeenRecord[], endOffset: number): string[] {
  let last = -1
  return found.flatMap(({ offset }) => {
    const before = last
    last = Math.max(last, offset)
    if (offset >= endOffset) return [`order: ${offset} lies behind the log's end, ${endOffset}`]
    return offset > before ? [] : [`order: ${offset} comes after ${before}`]
  })
}

function foreignProblems(found: readonly SeenRecord[], history: readonly SeenRecord[]): string[] {
  const written = byOffset(history)
  return found.flatMap(record => {
    const before = written.get(record.offset)
    if (before === undefined) return [`foreign: ${told(record)} was never written`]
    return isSame(record, before) ? [] : [`foreign: ${told(record)} was ${told(before)}`]
  })
}

function untouchedProblems(
  found: readonly SeenRecord[],
  history: readonly SeenRecord[],
  untouchedFrom: number,
): string[] {
  const there = byOffset(found)
  return history
    .filter(({ offset }) => offset >= untouchedFrom && !there.has(offset))
    .map(record => `lost: ${told(record)}, which nothing may have cleaned`)
}

/** A reader at the end has the last value of each key, and no value of a key whose last record is a tombstone. */
function latestProblems(
  found: readonly SeenRecord[],
  history: readonly SeenRecord[],
  mayBeGone: CleanedLog['mayBeGone'],
): string[] {
  const now = latestOf(found)
  return [...latestOf(history)].flatMap(([key, latest]) => {
    const last = now.get(key)
    if (last?.offset === latest.offset) return []
    if (last !== undefined) {
      const kind = latest.isTombstone ? 'resurrected' : 'lost'
      return [`${kind}: the last of its key is ${told(last)}, and was ${told(latest)}`]
    }
    if (!latest.isTombstone) return [`lost: ${told(latest)}, the last of its key`]
    return mayBeGone(latest) ? [] : [`tombstone: ${told(latest)} went too early`]
  })
}

function leftOverProblems(
  found: readonly SeenRecord[],
  history: readonly SeenRecord[],
  cleanedTo: number,
): string[] {
  const isCleaned = ({ offset }: SeenRecord): boolean => offset < cleanedTo
  const latest = latestOf(history.filter(isCleaned))
  return found.filter(isCleaned).flatMap(record => {
    if (record.key === null) return [`left over: ${told(record)} has no key`]
    const last = latest.get(record.key)
    if (last === undefined || last.offset <= record.offset) return []
    return [`left over: ${told(record)}, and ${last.offset} has its key`]
  })
}

/** The last record of each key. */
function latestOf(records: readonly SeenRecord[]): Map<string, SeenRecord> {
  const latest = new Map<string, SeenRecord>()
  for (const record of records) if (record.key !== null) latest.set(record.key, record)
  return latest
}

function byOffset(records: readonly SeenRecord[]): Map<number, SeenRecord> {
  return new Map(records.map(record => [record.offset, record]))
}

function isSame(one: SeenRecord, other: SeenRecord): boolean {
  return one.key === other.key && one.isTombstone === other.isTombstone && one.text === other.text
}

function told({ offset, key, isTombstone, text }: SeenRecord): string {
  const value = isTombstone ? 'a tombstone' : text.slice(0, 60)
  return `${offset} (${key === null ? 'no key' : key.slice(0, 40)}: ${value})`
}
