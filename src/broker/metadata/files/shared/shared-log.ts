import { equal } from '../../../../lib/bytes.ts'
import { chainHash, genesisHash } from '../../chain.ts'
import {
  type AppendOutcome,
  type Cursor,
  type RecordMark,
  type Snapshot,
  type SnapshotOutcome,
  StoreError,
  type StoredLog,
  type StoredRecord,
} from '../../store.ts'
import {
  damaged,
  decodeRecordFile,
  decodeSnapshotFile,
  encodeRecordFile,
  encodeSnapshotFile,
} from '../log-file.ts'
import { fileName, sequenceOf, type StorePaths } from '../read-log.ts'
import { link, list, modifiedMs, read, type Steps, syncDirectory, unlink, write } from './steps.ts'

/** The folder as one of those who share it sees it. */
export interface SharedFolder extends Pick<StorePaths, 'log' | 'snapshots'> {
  /** What the names of this process's temporary files end with. */
  readonly temporary: string
  /** What stays of the records at or below a snapshot. */
  readonly kept: Kept
}

export interface Kept {
  /** As many records as this, whatever their age: what a broker that is behind, or a human, may still want to read. */
  readonly recordCountMin: number
  /** And those that are younger than this, in milliseconds of the wall clock. */
  readonly ageMsMin: number
}

/**
 * Appends a record by giving its durable file the name of its sequence: link(2) is the compare-and-append. Who was stopped
 * long enough for the name to be trimmed meanwhile makes it a second time; so whoever has made it looks whether a snapshot has come to
 * it or past it, and then whether what follows follows it. `unavailable` never has a link behind it.
 * @throws StoreError `behind` where the record before is gone, `failed` where nobody can tell any more
 */
export function* append(
  folder: SharedFolder,
  cursor: Cursor,
  { epoch, payload }: { readonly epoch: number; readonly payload: Uint8Array },
): Steps<AppendOutcome> {
  const { nextSequence: sequence, lastHash: previousHash } = cursor
  const record = { previousHash, sequence, epoch, payload }
  const hash = chainHash(record)
  const content = encodeRecordFile(record)
  const path = recordPath(folder, sequence)
  const committed = {
    kind: 'committed',
    cursor: { nextSequence: sequence + 1, lastHash: hash },
  } as const
  if (sequence <= (yield* newestSnapshot(folder))) {
    return (yield* holds(path, content)) ? committed : { kind: 'lost' }
  }
  if (!(yield* follows(folder, cursor))) return { kind: 'lost' }
  const temporary = `${folder.log}/append.${folder.temporary}`
  yield* write(temporary, content, { isDurable: true })
  if (!(yield* link(temporary, path))) {
    if (!(yield* holds(path, content))) return { kind: 'lost' }
  } else if (sequence <= (yield* newestSnapshot(folder))) {
    if (!(yield* isPart(folder, sequence, hash))) {
      yield* unlink(path)
      return { kind: 'lost' }
    }
  }
  yield* syncDirectory(folder.log)
  return committed
}

/** Keeps `payload` as the state after the cursor's last record. Two that do so at once do no harm: each has a true state. */
export function* writeSnapshot(
  folder: SharedFolder,
  cursor: Cursor,
  {
    epoch,
    payload,
    nowMs,
  }: { readonly epoch: number; readonly payload: Uint8Array; readonly nowMs: number },
): Steps<SnapshotOutcome> {
  const sequence = cursor.nextSequence - 1
  if (!(yield* follows(folder, cursor))) return { kind: 'lost' }
  if ((yield* read(recordPath(folder, cursor.nextSequence))) !== null) return { kind: 'lost' }
  const content = encodeSnapshotFile({ sequence, epoch, hash: cursor.lastHash, payload })
  const temporary = `${folder.snapshots}/snapshot.${folder.temporary}`
  yield* write(temporary, content, { isDurable: true })
  yield* link(temporary, snapshotPath(folder, sequence))
  yield* unlink(temporary)
  yield* syncDirectory(folder.snapshots)
  const found = yield* readSnapshot(folder, sequence)
  if (found !== null && found.hash !== cursor.lastHash) {
    throw damaged(snapshotPath(folder, sequence), 'it is of another record than the log has there')
  }
  yield* trim(folder, sequence, nowMs)
  return { kind: 'written', cursor }
}

/**
 * The newest snapshot, every record after it, and the hashes of those before that are kept. What is told is durable.
 * @throws StoreError `damaged`
 */
export function* readAll(folder: SharedFolder): Steps<StoredLog> {
  for (;;) {
    const sequence = yield* newestSnapshot(folder)
    const result = yield* attempt(readFrom(folder, sequence))
    // Others may have made a newer snapshot meanwhile, and removed what was about to be read, seen as missing or not at all.
    const newest = yield* newestSnapshot(folder)
    if (result.type === 'failed' && newest === sequence) throw result.error
    if (result.type === 'done' && newest < result.value.cursor.nextSequence) return result.value
  }
}

function* readFrom(folder: SharedFolder, sequence: number): Steps<StoredLog> {
  const snapshot = sequence === 0 ? null : yield* readSnapshot(folder, sequence)
  if (snapshot === null && sequence > 0)
    throw damaged(snapshotPath(folder, sequence), 'it is missing')
  // A name that is made meanwhile may be left out of a list, and a later one be in it: so each is asked for.
  const listed = sequencesIn(yield* list(folder.log))
  let cursor: Cursor = {
    nextSequence: sequence + 1,
    lastHash: snapshot?.hash ?? genesisHash,
  }
  let epoch = snapshot?.epoch ?? 0
  const tail: StoredRecord[] = []
  for (;;) {
    const record = yield* readRecord(folder, cursor, epoch)
    if (record === null) break
    tail.push(record)
    cursor = { nextSequence: record.sequence + 1, lastHash: record.hash }
    epoch = record.epoch
  }
  const later = listed.find(at => at >= cursor.nextSequence)
  if (later !== undefined) {
    const missing = recordPath(folder, cursor.nextSequence)
    throw damaged(missing, `it is missing, though the later record ${later} is there`)
  }
  const history = yield* readHistory(folder, listed, snapshot)
  yield* syncDirectory(folder.log)
  yield* syncDirectory(folder.snapshots)
  return { snapshot, tail, cursor, ...(history.length === 0 ? {} : { history }) }
}

function* readRecord(
  folder: SharedFolder,
  { nextSequence: sequence, lastHash }: Cursor,
  epochMin: number,
): Steps<StoredRecord | null> {
  const path = recordPath(folder, sequence)
  const content = yield* read(path)
  if (content === null) return null
  const record = decodeRecordFile(path, content)
  if (record.sequence !== sequence) throw damaged(path, `it is record ${record.sequence}`)
  if (record.previousHash !== lastHash) {
    throw damaged(path, `it does not follow record ${sequence - 1} that is there`)
  }
  const { epoch, hash, payload } = record
  if (epoch < epochMin) throw damaged(path, `its epoch ${epoch} is below ${epochMin}`)
  return { sequence, epoch, hash, payload }
}

/** The records at or below a snapshot that form a chain up to it; what does not is nobody's history. */
function* readHistory(
  folder: SharedFolder,
  listed: readonly number[],
  snapshot: Snapshot | null,
): Steps<RecordMark[]> {
  if (snapshot === null) return []
  const marks: RecordMark[] = []
  let { hash } = snapshot
  for (const sequence of listed.toReversed()) {
    if (sequence > snapshot.sequence) continue
    const result = yield* attempt(readKept(recordPath(folder, sequence)))
    const record = result.type === 'done' ? result.value : null
    if (record?.hash !== hash) break
    marks.push({ sequence, hash: record.hash })
    hash = record.previousHash
  }
  return marks.toReversed()
}

function* readKept(path: string): Steps<ReturnType<typeof decodeRecordFile> | null> {
  const content = yield* read(path)
  return content === null ? null : decodeRecordFile(path, content)
}

/** Names at or below a snapshot that nobody needs any more; not durably, for that is no matter. */
function* trim(folder: SharedFolder, sequence: number, nowMs: number): Steps<void> {
  // Later ones may be of others, and not be durable yet.
  const snapshots = sequencesIn(yield* list(folder.snapshots)).filter(at => at <= sequence)
  for (const old of snapshots.slice(0, -2)) yield* unlink(snapshotPath(folder, old))
  const { recordCountMin, ageMsMin } = folder.kept
  for (const at of sequencesIn(yield* list(folder.log))) {
    const path = recordPath(folder, at)
    if (at > sequence - recordCountMin) return
    const ageMs = nowMs - ((yield* modifiedMs(path)) ?? 0)
    // One from the future was made while the clock was wrong, and would keep all after it until then.
    if (ageMs >= 0 && ageMs < ageMsMin) return
    yield* unlink(path)
  }
}

/**
 * Whether the record that this process has made at `sequence`, to which a snapshot has come by now, is the one that the log has.
 * @throws StoreError `failed` where what came after it is no longer kept
 */
function* isPart(folder: SharedFolder, sequence: number, hash: string): Steps<boolean> {
  const nextPath = recordPath(folder, sequence + 1)
  const next = yield* read(nextPath)
  if (next !== null) return decodeRecordFile(nextPath, next).previousHash === hash
  const snapshot = yield* readSnapshot(folder, sequence)
  if (snapshot !== null) return snapshot.hash === hash
  yield* unlink(recordPath(folder, sequence))
  throw new StoreError(
    'failed',
    `This process stood still while others wrote the metadata log on past record ${sequence}, and nobody can tell any ` +
      'more whether that record was its own. It ends; the next start goes on from what the log has.',
  )
}

/** False: the log has another record before the cursor's next. @throws StoreError `behind` where it has none */
function* follows(folder: SharedFolder, { nextSequence, lastHash }: Cursor): Steps<boolean> {
  const sequence = nextSequence - 1
  if (sequence === 0) return lastHash === genesisHash
  const path = recordPath(folder, sequence)
  const record = yield* read(path)
  if (record !== null) return decodeRecordFile(path, record).hash === lastHash
  const newest = yield* newestSnapshot(folder)
  if (newest > sequence) return false
  const snapshot = yield* readSnapshot(folder, sequence)
  if (snapshot !== null) return snapshot.hash === lastHash
  throw new StoreError(
    'behind',
    `The metadata log in ${folder.log} does not have record ${sequence} any more, which this broker has read or written: it went ` +
      'back in time. Nothing was changed. Put the folder back as it was.',
  )
}

function* readSnapshot(folder: SharedFolder, sequence: number): Steps<Snapshot | null> {
  const path = snapshotPath(folder, sequence)
  const content = yield* read(path)
  if (content === null) return null
  const snapshot = decodeSnapshotFile(path, content)
  if (snapshot.sequence !== sequence) throw damaged(path, `it is snapshot ${snapshot.sequence}`)
  return snapshot
}

/** 0 where there is none. Only ever grows: the newest is never removed. */
function* newestSnapshot(folder: SharedFolder): Steps<number> {
  return sequencesIn(yield* list(folder.snapshots)).at(-1) ?? 0
}

function* holds(path: string, content: Uint8Array): Steps<boolean> {
  const found = yield* read(path)
  return found !== null && equal(found, content)
}

type Attempt<Result> =
  | { readonly type: 'done'; readonly value: Result }
  | { readonly type: 'failed'; readonly error: StoreError }

function* attempt<Result>(steps: Steps<Result>): Steps<Attempt<Result>> {
  try {
    return { type: 'done', value: yield* steps }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return { type: 'failed', error }
  }
}

function recordPath({ log }: SharedFolder, sequence: number): string {
  return `${log}/${fileName(sequence)}`
}

function snapshotPath({ snapshots }: SharedFolder, sequence: number): string {
  return `${snapshots}/${fileName(sequence)}`
}

function sequencesIn(names: readonly string[]): number[] {
  return names.map(sequenceOf).filter(sequence => sequence !== null)
}
