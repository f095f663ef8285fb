import { DiskError } from '../../../env/env.ts'
import { dropGrowth, noteGrowth } from '../append/growth.ts'
import { batchOverheadBytes, readBatchHeader } from '../batch/batch.ts'
import { isCompacted } from '../log-config.ts'
import { logIdText } from '../log-id.ts'
import { readSealed } from '../segment/sealed-file.ts'
import {
  isFormerCache,
  parseSegmentName,
  Segment,
  segmentPath,
  SegmentList,
} from '../segment/segment.ts'
import { walkBatches } from '../segment/walk.ts'
import { EpochCache, epochFile, epochPlace, readEpochs } from '../state/epoch-cache.ts'
import { LogState } from '../state/log-state.ts'
import type { Recovery, RecoveryOptions, RecoverySteps, Resume } from './context.ts'
import {
  advanceProducers,
  hasSnapshot,
  noProducers,
  noteProducer,
  restoreProducers,
} from './producers.ts'
import { confirmCaches, growthRecords, resumeSegment } from './resume.ts'
import { openTrusted } from './trusted.ts'
import { finishSwaps } from './swaps.ts'
import { cut, walkSegment, walkTail } from './walk.ts'

export type { CleanLine, RecoveryOptions, RecoverySteps, Trust } from './context.ts'

export interface Recovered {
  readonly state: LogState
  /** Class B did not fit what was found: the directory counts as class C (durability.md 3.3). */
  readonly surprise: string | null
}

/** As FORMAT.md has them. @internal */
export const recoverySteps: RecoverySteps = {
  walkBatches,
  growthRecords,
  confirmCaches,
  walkSegment,
  cut,
  restoreProducers,
  advanceProducers,
  noteProducer,
}

/**
 * The front door of the room: from the files of one log, however the last run ended, to a log that goes on.
 *
 * Promised is a state that FORMAT.md allows. Everything below the recovery point is kept as it is, and never cut:
 * what is wrong there is damage, and leaves this log, alone, out of service, as EIO on read does. What lies above is
 * walked and kept as far as it is sound, which after the death of a process is everything that was acknowledged;
 * the rest is cut, durably, before anything can be appended. Caches are believed only as far as they were checked,
 * and rebuilt otherwise. A log without files gets its first segment. `steps` are the decisions, to be exchanged.
 *
 * @throws DiskError where a write or a sync fails
 */
export async function recoverLog(
  options: RecoveryOptions,
  steps = recoverySteps,
): Promise<Recovered> {
  const recovery = begin(options, steps)
  try {
    return await recover(recovery)
  } catch (error) {
    // It may be tried again, and is short of descriptors as it is.
    for (const segment of recovery.segments) segment.close()
    throw error
  }
}

async function recover(recovery: Recovery): Promise<Recovered> {
  const { startOffset, recoveryPoint } = recovery
  try {
    await finishSwaps(recovery)
    const bases = basesOf(recovery)
    const firstWalked = await openTrusted(recovery, bases)
    await recoverTail(recovery, bases.slice(firstWalked))
  } catch (error) {
    if (!(error instanceof DiskError) || !isReadFailure(error)) throw error
    recovery.damage = `A read failed: ${error.message}.`
  }
  if (recovery.damage === null) {
    await removeLeaving(recovery)
    sweepCaches(recovery)
  }
  const endOffset = recovery.segments.at(-1)?.endOffset ?? startOffset
  if (endOffset < recoveryPoint && startOffset < recoveryPoint) {
    recovery.damage ??= lostBelow(recovery, endOffset)
  }
  return { state: await finish(recovery), surprise: recovery.surprise }
}

function begin(options: RecoveryOptions, steps: RecoverySteps): Recovery {
  // A clean stop flushed everything.
  const known = options.recoveryPoint ?? options.cleanLine?.endOffset ?? null
  const recoveryPoint = known ?? 0
  return {
    ...options,
    steps,
    recoveryPoint,
    isRecoveryPointKnown: known !== null,
    sparseTo: sparseToOf(options, recoveryPoint),
    files: new Set(sweep(options)),
    epochs: new EpochCache(),
    producers: noProducers(options.config),
    producersUpTo: 0,
    resumedFrom: null,
    leaving: [],
    segments: [],
    damage: options.knownDamage,
    surprise: null,
    truncatedBytes: 0,
  }
}

/** The checkpoint may be gone; only what is on the device was ever cleaned. */
function sparseToOf(
  { config, cleaned }: Pick<RecoveryOptions, 'config' | 'cleaned'>,
  recoveryPoint: number,
): number {
  return isCompacted(config) ? Math.max(cleaned.sparseTo, recoveryPoint) : cleaned.sparseTo
}

/** `.cleaned`: nobody reads a segment that is being made by the cleaner before it has another name. */
const leftOvers = ['.tmp', '.deleted', '.cleaned']

/** Removes what an earlier process was about to remove, left half made, or called by another name. Tells what is left. */
function sweep({ host, path }: RecoveryOptions): string[] {
  const { disk } = host.env
  return disk.list(path).filter(name => {
    const isLeftOver = leftOvers.some(suffix => name.endsWith(suffix))
    if (!isLeftOver && !isFormerCache(name)) return true
    disk.unlink(`${path}/${name}`)
    return false
  })
}

/**
 * Where the segments begin that count. Those wholly below the log's start do not: retention was taking them out, and may
 * have got only some of them, so that a gap there is no loss. But where the producers are not known without their
 * batches, they are read once more.
 */
function basesOf(recovery: Recovery): readonly number[] {
  const { files, startOffset, damage } = recovery
  const bases = [...files].flatMap(name => parseSegmentName(name, 'log') ?? [])
  const first = bases.findLastIndex(base => base <= startOffset)
  if (first <= 0 || damage !== null || !hasSnapshot(recovery, bases[first]!)) return bases
  recovery.leaving = bases.slice(0, first)
  return bases.slice(first)
}

/** From the oldest on, so that whoever is interrupted leaves no gap. What lies beside them is swept. */
async function removeLeaving({ host, name, path, leaving }: Recovery): Promise<void> {
  if (leaving.length === 0) return
  const { disk } = host.env
  for (const base of leaving) await disk.unlinkAsync(segmentPath(path, base, 'log'))
  await disk.syncDirectory(path)
  const fields = { log: name, segments: leaving.length }
  host.warn('Removed segments below the start of a log, which were about to go', fields)
}

/** What lies behind the trusted segments, in `bases`; nothing where all of them are. */
async function recoverTail(recovery: Recovery, bases: readonly number[]): Promise<void> {
  const [base = Infinity] = bases
  let resume: Resume | null = null
  if (base < recovery.recoveryPoint && recovery.damage === null) {
    resume = await resumeSegment(recovery, base)
  }
  try {
    await recoverFrom(recovery, bases, resume)
  } catch (error) {
    resume?.segment.close()
    throw error
  }
}

async function recoverFrom(
  recovery: Recovery,
  bases: readonly number[],
  found: Resume | null,
): Promise<void> {
  const [base = Infinity] = bases
  let resume = found
  readEpochCheckpoint(recovery, resume?.segment.endOffset ?? base)
  if (resume !== null && recovery.epochs.latest < 0) {
    // Only the batches can say the epochs then.
    resume.segment.close()
    resume = null
  }
  const { steps } = recovery
  await steps.restoreProducers(recovery, resume?.producersFrom ?? base)
  if (resume !== null) {
    steps.advanceProducers(recovery, resume)
    recovery.resumedFrom = resume.producersFrom
  }
  if (recovery.damage === null) await walkTail(recovery, bases, resume?.segment ?? null)
}

/** Removes caches without a segment, and those that nobody will ask for: snapshots of no segment's beginning. */
function sweepCaches(recovery: Recovery): void {
  const { host, path, files, segments, recoveryPoint, trust, resumedFrom } = recovery
  const { disk } = host.env
  const active = segments.at(-1)
  for (const segment of segments) {
    const isDone = segment !== active && segment.endOffset <= recoveryPoint
    const isUseless = isDone || segment.grown.fileBytes === 0
    if (isUseless && files.has(segment.nameOf('growth'))) dropGrowth(disk, segment)
  }
  const bases = new Set(segments.map(({ baseOffset }) => baseOffset))
  // What a start after a crash would begin with: see `resumeSegment`.
  const resumable = trust === 'clean' ? active?.endOffset : resumedFrom
  for (const name of files) {
    const offset =
      parseSegmentName(name, 'producers') ??
      parseSegmentName(name, 'offsets') ??
      parseSegmentName(name, 'times') ??
      parseSegmentName(name, 'growth')
    if (offset === null || offset === resumable || bases.has(offset)) continue
    if (disk.stat(`${path}/${name}`) !== null) disk.unlink(`${path}/${name}`)
  }
}

/** Epochs that began before the first walked segment come from the checkpoint, the others from the batches. */
function readEpochCheckpoint({ epochs, files, host, path }: Recovery, walkedFrom: number): void {
  const saved = files.has(epochFile) ? readEpochs(readSealed(epochPlace(host.env, path))) : null
  epochs.foundSaved(saved)
  for (const { epoch, startOffset } of saved ?? []) {
    if (startOffset < walkedFrom) epochs.assign(epoch, startOffset)
  }
}

async function finish(recovery: Recovery): Promise<LogState> {
  const { id, name, path, host, config, segments, epochs, damage } = recovery
  const { disk } = host.env
  let startOffset = Math.max(recovery.startOffset, segments[0]?.baseOffset ?? 0)
  const endOffset = segments.at(-1)?.endOffset ?? -1
  const isBehindStart = endOffset < startOffset
  let madeSegment = false
  if (segments.length === 0 || (isBehindStart && damage === null)) {
    for (const segment of segments.splice(0)) segment.unlink()
    // As in Kafka: all that was known of producers was lost with the batches. A snapshot would bring it back at the next start.
    if (damage === null) dropSnapshots(recovery)
    recovery.producers = noProducers(config)
    segments.push(openFirst(recovery, startOffset))
    madeSegment = true
  }
  if (damage !== null) startOffset = Math.min(startOffset, segments.at(-1)!.endOffset)
  const list = new SegmentList(segments)
  const createdMs = host.env.clock.now()
  for (const segment of list) segment.dated({ firstTimestampMs: null, createdMs })
  list.active.dated({ firstTimestampMs: firstTimestampOf(list.active), createdMs })
  const end = list.active.endOffset
  if (damage !== null)
    host.warn('Took a damaged partition out of service', { log: logIdText(id), reason: damage })
  const state = new LogState({
    id,
    name,
    path,
    host,
    config,
    segments: list,
    epochs,
    producers: recovery.producers,
    startOffset,
    cleaned: { ...recovery.cleaned, sparseTo: recovery.sparseTo },
    durableOffset: recovery.trust === 'clean' ? end : Math.min(recovery.recoveryPoint, end),
    isDirectoryDirty: recovery.trust !== 'clean' && !madeSegment && recovery.truncatedBytes === 0,
    damage,
  })
  // Found, and written down nowhere: the next start is to know them.
  const isNewlySparse = recovery.sparseTo > sparseToOf(recovery, recovery.recoveryPoint)
  if (damage === null && isNewlySparse) await host.saveSparseOffset(name, recovery.sparseTo)
  if (madeSegment || recovery.truncatedBytes > 0) await disk.syncDirectory(path)
  if (damage === null && recovery.trust !== 'clean') noteGrowth(state)
  return state
}

function dropSnapshots({ host, path }: Recovery): void {
  for (const name of host.env.disk.list(path)) {
    if (parseSegmentName(name, 'producers') !== null) host.env.disk.unlink(`${path}/${name}`)
  }
}

function openFirst({ host, path, damage }: Recovery, startOffset: number): Segment {
  const logPath = segmentPath(path, startOffset, 'log')
  const { disk } = host.env
  const place = { disk, logPath: path, baseOffset: startOffset }
  // Out of service: whatever lies there is not touched, and nobody reads it.
  if (damage !== null && disk.stat(logPath) !== null) {
    return new Segment(place, disk.open(logPath, 'read'), null)
  }
  return Segment.create(disk, path, startOffset, host.env.clock.now())
}

/** Of a `SegmentAge`. */
function firstTimestampOf({ file, sizeBytes }: Segment): number | null {
  if (sizeBytes === 0) return null
  const bytes = new Uint8Array(batchOverheadBytes)
  if (file.read(0, bytes) < bytes.length) return -1
  return readBatchHeader(bytes, 0).maxTimestamp
}

function lostBelow({ path, recoveryPoint }: Recovery, endOffset: number): string {
  return `${path} ends at offset ${endOffset}, but was on the device up to ${recoveryPoint}: files are missing or damaged.`
}

function isReadFailure({ operation }: DiskError): boolean {
  return operation === 'read' || operation === 'readAsync'
}
