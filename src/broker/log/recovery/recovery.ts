import { readWhole } from '../../../env/disk.ts'
import { DiskError } from '../../../env/env.ts'
import { readBatchHeader, batchOverheadBytes } from '../batch/batch.ts'
import { EpochCache, epochPlace, readEpochs } from '../state/epoch-cache.ts'
import { dropGrowth, noteGrowth } from '../append/growth.ts'
import { isCompacted, type LogConfig } from '../log-config.ts'
import type { LogHost } from '../log-host.ts'
import { logIdText, type LogId } from '../log-id.ts'
import { LogState } from '../state/log-state.ts'
import { ProducerStates } from '../producers/states.ts'
import { resumeSegment, type Resume } from './resume.ts'
import { openTrusted } from './trusted.ts'
import { walkTail } from './walk.ts'
import { readSealed } from '../segment/sealed-file.ts'
import {
  parseSegmentName,
  Segment,
  segmentPath,
  segmentSuffixes,
  SegmentList,
} from '../segment/segment.ts'
import { walkBatches } from '../segment/walk.ts'

/** What the clean marker says of a log (FORMAT.md). */
export interface CleanLine {
  readonly endOffset: number
  readonly lastEpoch: number
  readonly activeBase: number
  readonly activeBytes: number
}

/** How much of what is on disk may be believed (reliability.md 3.1): class A, B, C. */
export type Trust = 'clean' | 'process-died' | 'machine-died'

export interface RecoveryOptions {
  readonly id: LogId
  readonly name: string
  readonly path: string
  readonly host: LogHost
  readonly config: LogConfig
  readonly trust: Trust
  readonly cleanLine: CleanLine | null
  /** Everything below was durable. */
  readonly recoveryPoint: number
  /** As the checkpoint has it. */
  readonly startOffset: number
  /** What the directory already knows to be wrong with the log; null where nothing is. */
  readonly knownDamage: string | null
}

/** One log on its way from files to a `LogState`. */
export interface Recovery extends Omit<RecoveryOptions, 'trust'> {
  /** Falls to `machine-died` where the clean marker does not fit. */
  trust: Trust
  readonly epochs: EpochCache
  producers: ProducerStates
  /** Below it the producers know everything already. */
  producersUpTo: number
  /** Where the growth file of the segment began in which the walk began; null where it began at a segment. */
  resumedFrom: number | null
  /** Those whose batches are sound, in order. */
  readonly segments: Segment[]
  /** What is wrong below the recovery point; then the log stays out of service. */
  damage: string | null
  /** A process that died leaves a torn tail and nothing else; this says what else was found. */
  surprise: string | null
  truncatedBytes: number
}

export interface Recovered {
  readonly state: LogState
  /** Class B did not fit what was found: the directory counts as class C (reliability.md 3.3). */
  readonly surprise: string | null
}

/**
 * Opens a log's files and brings them into a state that FORMAT.md allows: walks what may be torn, cuts, rebuilds
 * what is cached. A log without files gets its first segment. Damage and EIO on read leave it out of service.
 * @throws DiskError where a write or a sync fails
 */
export async function recoverLog(options: RecoveryOptions): Promise<Recovered> {
  const recovery = begin(options)
  try {
    return await recover(recovery)
  } catch (error) {
    // It may be tried again, and is short of descriptors as it is.
    for (const segment of recovery.segments) segment.close()
    throw error
  }
}

async function recover(recovery: Recovery): Promise<Recovered> {
  const { host, path, startOffset, recoveryPoint } = recovery
  const { disk } = host.env
  sweep(recovery)
  const bases = disk.list(path).flatMap(name => parseSegmentName(name, 'log') ?? [])
  try {
    const firstWalked = await openTrusted(recovery, bases)
    await recoverTail(recovery, bases.slice(firstWalked))
  } catch (error) {
    if (!(error instanceof DiskError) || !isReadFailure(error)) throw error
    recovery.damage = `A read failed: ${error.message}.`
  }
  if (recovery.damage === null) sweepCaches(recovery)
  const endOffset = recovery.segments.at(-1)?.endOffset ?? startOffset
  if (endOffset < recoveryPoint && startOffset < recoveryPoint) {
    recovery.damage ??= lostBelow(recovery, endOffset)
  }
  return { state: await finish(recovery), surprise: recovery.surprise }
}

function noProducers(config: LogConfig): ProducerStates {
  const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
  return new ProducerStates({ expirationMs, countMax })
}

function begin(options: RecoveryOptions): Recovery {
  return {
    ...options,
    epochs: new EpochCache(),
    producers: noProducers(options.config),
    producersUpTo: 0,
    resumedFrom: null,
    segments: [],
    damage: options.knownDamage,
    surprise: null,
    truncatedBytes: 0,
  }
}

/** Removes what an earlier process was about to remove, or left half made. */
function sweep({ host, path }: RecoveryOptions): void {
  for (const name of host.env.disk.list(path)) {
    if (name.endsWith('.tmp') || name.endsWith('.deleted')) host.env.disk.unlink(`${path}/${name}`)
  }
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
  await restoreProducers(recovery, resume?.producersFrom ?? base)
  if (resume !== null) {
    advanceProducers(recovery, resume)
    recovery.resumedFrom = resume.producersFrom
  }
  if (recovery.damage === null) await walkTail(recovery, bases, resume?.segment ?? null)
}

/** Removes caches without a segment, and those that nobody will ask for: snapshots of no segment's beginning. */
function sweepCaches(recovery: Recovery): void {
  const { host, path, segments, recoveryPoint, trust, resumedFrom } = recovery
  const { disk } = host.env
  const active = segments.at(-1)
  for (const segment of segments) {
    const isDone = segment !== active && segment.endOffset <= recoveryPoint
    if (isDone || segment.grown.fileBytes === 0) dropGrowth(disk, segment)
  }
  const bases = new Set(segments.map(({ baseOffset }) => baseOffset))
  // What a start after a crash would begin with: see `resumeSegment`.
  const resumable = trust === 'clean' ? active?.endOffset : resumedFrom
  for (const name of disk.list(path)) {
    const offset =
      parseSegmentName(name, 'snapshot') ??
      parseSegmentName(name, 'index') ??
      parseSegmentName(name, 'timeindex') ??
      parseSegmentName(name, 'growth')
    if (offset !== null && offset !== resumable && !bases.has(offset))
      disk.unlink(`${path}/${name}`)
  }
}

/** Epochs that began before the first walked segment come from the checkpoint, the others from the batches. */
function readEpochCheckpoint({ epochs, host, path }: Recovery, walkedFrom: number): void {
  const saved = readEpochs(readSealed(epochPlace(host.env, path)))
  epochs.foundSaved(saved)
  for (const { epoch, startOffset } of saved ?? []) {
    if (startOffset < walkedFrom) epochs.assign(epoch, startOffset)
  }
}

/**
 * The newest snapshot at or below the first walked segment, and the batches between the two. In a clean log
 * that is the snapshot at its end.
 */
async function restoreProducers(recovery: Recovery, walkedFrom: number): Promise<void> {
  const { host, path, config, segments } = recovery
  if (host.sabotage.has('producer-state-not-rebuilt')) return
  const { disk, clock, crc32c } = host.env
  const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
  const offsets = disk.list(path).flatMap(name => parseSegmentName(name, 'snapshot') ?? [])
  const trustedEnd = segments.at(-1)?.endOffset ?? 0
  const knownUpTo = Math.min(walkedFrom, walkedFrom === Infinity ? trustedEnd : walkedFrom)
  for (const offset of offsets.toReversed()) {
    if (offset > knownUpTo) continue
    const bytes = readWhole(disk, segmentPath(path, offset, 'snapshot'))
    const states = bytes && ProducerStates.decode(bytes, { expirationMs, countMax }, crc32c)
    if (states === null) continue
    recovery.producers = states
    recovery.producersUpTo = offset
    break
  }
  const epochsKnown = recovery.epochs.latest >= 0
  for (const segment of segments) {
    if (segment.endOffset <= recovery.producersUpTo && epochsKnown) continue
    await replay(recovery, segment, clock.now(), epochsKnown)
  }
}

/** From where the growth file began to where the walk does. */
function advanceProducers(recovery: Recovery, { segment, producers }: Resume): void {
  if (recovery.host.sabotage.has('producer-state-not-rebuilt')) return
  for (const later of producers) recovery.producers.advance(later)
  recovery.producersUpTo = segment.endOffset
}

/** Headers of a trusted segment, for what only the batches know. */
async function replay(
  recovery: Recovery,
  segment: Segment,
  nowMs: number,
  epochsKnown: boolean,
): Promise<void> {
  const { sizeBytes, baseOffset: fromOffset } = segment
  const end = await walkBatches(
    segment.file,
    {
      sizeBytes,
      fromOffset,
      fromEpoch: -1,
      isCompacted: isCompacted(recovery.config),
      crc32c: null,
    },
    header => {
      if (!epochsKnown) recovery.epochs.assign(header.leaderEpoch, header.baseOffset)
      if (header.baseOffset < recovery.producersUpTo) return
      recovery.producers.apply(header, header.baseOffset, nowMs)
    },
  )
  if (end.violation !== null) {
    recovery.damage ??= `${segment.pathOf('log')} is damaged at byte ${end.position}, below the recovery point: ${end.violation}.`
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
    for (const segment of segments.splice(0)) removeSegment(disk, segment)
    segments.push(openFirst(recovery, startOffset))
    // As in Kafka: all that was known of producers was lost with the batches, or will be at the next start.
    recovery.producers = noProducers(config)
    madeSegment = true
  }
  if (damage !== null) startOffset = Math.min(startOffset, segments.at(-1)!.endOffset)
  const list = new SegmentList(segments)
  list.active.beganAt(firstAppendMs(list.active, host.env.clock.now()))
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
    durableOffset: recovery.trust === 'clean' ? end : Math.min(recovery.recoveryPoint, end),
    isDirectoryDirty: recovery.trust !== 'clean' && !madeSegment && recovery.truncatedBytes === 0,
    damage,
  })
  if (madeSegment || recovery.truncatedBytes > 0) await disk.syncDirectory(path)
  if (damage === null && recovery.trust !== 'clean') noteGrowth(state)
  return state
}

function openFirst({ host, path, damage }: Recovery, startOffset: number): Segment {
  const logPath = segmentPath(path, startOffset, 'log')
  const { disk } = host.env
  const place = { disk, logPath: path, baseOffset: startOffset }
  // Out of service: whatever lies there is not touched, and nobody reads it.
  if (damage !== null && disk.stat(logPath) !== null) {
    return new Segment(place, disk.open(logPath, 'read'), null)
  }
  return Segment.create(disk, path, startOffset)
}

/** Takes a segment and what lies beside it out of the directory. */
export function removeSegment(disk: LogHost['env']['disk'], segment: Segment): void {
  segment.close()
  for (const suffix of segmentSuffixes) {
    const path = segment.pathOf(suffix)
    if (disk.stat(path) !== null) disk.unlink(path)
  }
}

/** When the active segment's first batch came, as its timestamp tells it. */
function firstAppendMs({ file, sizeBytes }: Segment, nowMs: number): number | null {
  if (sizeBytes === 0) return null
  const bytes = new Uint8Array(batchOverheadBytes)
  if (file.read(0, bytes) < bytes.length) return nowMs
  const { maxTimestamp } = readBatchHeader(bytes, 0)
  return maxTimestamp >= 0 ? Math.min(maxTimestamp, nowMs) : nowMs
}

function lostBelow({ path, recoveryPoint }: Recovery, endOffset: number): string {
  return `${path} ends at offset ${endOffset}, but was on the device up to ${recoveryPoint}: files are missing or damaged.`
}

function isReadFailure({ operation }: DiskError): boolean {
  return operation === 'read' || operation === 'readAsync'
}
