import { readWhole } from '../../../env/disk.ts'
import type { DiskFile } from '../../../env/env.ts'
import { lastOffset } from '../batch/batch.ts'
import { ProducerStates } from '../producers/states.ts'
import { loadIndex } from '../read/index-loading.ts'
import { runCold } from '../read/read.ts'
import { findBatch } from '../segment/lookup.ts'
import { SegmentIndex } from '../segment/segment-index.ts'
import { parseSegmentName, segmentPath, type Segment } from '../segment/segment.ts'
import { cleanedPath } from '../segment/swap-file.ts'
import { SegmentDamage, walkBatches, type WalkOptions } from '../segment/walk.ts'
import type { LogState } from '../state/log-state.ts'

/** What stays of a segment that is cut. */
export interface Kept {
  readonly sizeBytes: number
  readonly endOffset: number
  /** As of a `SegmentAge`. */
  readonly firstTimestampMs: number | null
  readonly index: SegmentIndex
  /** What the log knows of producers when it ends there. */
  readonly producers: ProducerStates
}

/** Where no batch of the segment begins that reaches `offset`: the byte behind the last one that stays. @throws DiskError */
export async function positionOf(
  state: LogState,
  segment: Segment,
  offset: number,
): Promise<number> {
  const index = await loadIndex(state, segment)
  const start = index.floor(offset)
  const reaches = findBatch(segment, start, header => lastOffset(header) >= offset)
  const found = await runCold(segment.file, reaches)
  if (found === null) return segment.sizeBytes
  if ('header' in found) return found.position
  throw new SegmentDamage(segment.pathOf('log'), found.position, found.reason)
}

/** The first `sizeBytes` of a segment, from the headers of their batches; its file stays, and is on the device. @throws DiskError */
export async function readKept(
  state: LogState,
  segment: Segment,
  sizeBytes: number,
): Promise<Kept> {
  await segment.file.sync()
  return walkKept(state, segment, { file: segment.file, sizeBytes, crc32c: null })
}

/**
 * Copies the first `sizeBytes` of a segment into a file of their own, under the name of `cleanedPath`, and reads them there, CRCs
 * included. @throws DiskError
 */
export async function writeKept(
  state: LogState,
  segment: Segment,
  sizeBytes: number,
): Promise<Kept> {
  const { host, path } = state
  const file = createAnew(state, cleanedPath(path, segment.baseOffset))
  try {
    await copy(segment.file, file, sizeBytes)
    await file.sync()
    return await walkKept(state, segment, { file, sizeBytes, crc32c: host.env.crc32c })
  } finally {
    file.close()
  }
}

async function walkKept(
  state: LogState,
  segment: Segment,
  {
    file,
    sizeBytes,
    crc32c,
  }: Pick<WalkOptions, 'sizeBytes' | 'crc32c'> & { readonly file: DiskFile },
): Promise<Kept> {
  const known = await producersBefore(state, segment)
  const index = new SegmentIndex(segment.baseOffset)
  const nowMs = state.host.env.clock.now()
  let firstTimestampMs: number | null = null
  const from = { sizeBytes, fromOffset: segment.baseOffset, fromEpoch: -1, sparseTo: Infinity }
  const end = await walkBatches(file, { ...from, crc32c }, (header, position) => {
    index.note(header, position, state.config.indexIntervalBytes)
    firstTimestampMs ??= header.maxTimestamp
    if (header.baseOffset >= known.upTo) known.producers.apply(header, header.baseOffset, nowMs)
  })
  if (end.violation !== null) {
    throw new SegmentDamage(segment.pathOf('log'), end.position, end.violation)
  }
  const { offset: endOffset } = end
  return { sizeBytes, endOffset, firstTimestampMs, index, producers: known.producers }
}

/** A segment of which nothing is kept. @throws DiskError */
export async function writeNothing(state: LogState, baseOffset: number): Promise<void> {
  const file = createAnew(state, cleanedPath(state.path, baseOffset))
  try {
    await file.sync()
  } finally {
    file.close()
  }
}

function createAnew({ host }: LogState, path: string): DiskFile {
  const { disk } = host.env
  if (disk.stat(path) !== null) disk.unlink(path)
  return disk.open(path, 'create')
}

const copyBytes = 1024 * 1024
/** Dirty pages that a copy leaves to the kernel at most. */
const writeBackBytes = 4 * 1024 * 1024

async function copy(from: DiskFile, to: DiskFile, sizeBytes: number): Promise<void> {
  const buffer = new Uint8Array(Math.min(copyBytes, sizeBytes))
  let writtenBack = 0
  for (let position = 0; position < sizeBytes;) {
    const part = buffer.subarray(0, Math.min(buffer.length, sizeBytes - position))
    const count = await from.readAsync(position, part)
    if (count === 0) throw new SegmentDamage(from.path, position, 'the file is too short')
    await to.writeAsync(position, [part.subarray(0, count)])
    position += count
    if (position - writtenBack < writeBackBytes) continue
    await to.writeBack(writtenBack, position - writtenBack)
    writtenBack = position
  }
}

/**
 * The producers as a log knows them that ends where `segment` begins, or somewhat later, at `upTo`: from the newest snapshot
 * up to there, and the batches behind it.
 */
async function producersBefore(
  state: LogState,
  { baseOffset }: Segment,
): Promise<{ readonly producers: ProducerStates; readonly upTo: number }> {
  const { segments, host } = state
  const { producers, upTo } = newestSnapshot(state, baseOffset)
  const nowMs = host.env.clock.now()
  for (const segment of segments) {
    if (segment.baseOffset >= baseOffset) break
    if (segment.endOffset <= upTo) continue
    const { sizeBytes, baseOffset: fromOffset } = segment
    const options = { sizeBytes, fromOffset, fromEpoch: -1, sparseTo: Infinity, crc32c: null }
    const end = await walkBatches(segment.file, options, header => {
      if (header.baseOffset >= upTo) producers.apply(header, header.baseOffset, nowMs)
    })
    if (end.violation !== null) {
      throw new SegmentDamage(segment.pathOf('log'), end.position, end.violation)
    }
  }
  return { producers, upTo }
}

function newestSnapshot({ host, path, config }: LogState, upToOffset: number) {
  const { disk, crc32c } = host.env
  const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
  const options = { expirationMs, countMax }
  const offsets = disk.list(path).flatMap(name => parseSegmentName(name, 'producers') ?? [])
  for (const offset of offsets.toReversed()) {
    if (offset > upToOffset) continue
    const bytes = readWhole(disk, segmentPath(path, offset, 'producers'))
    const producers = bytes && ProducerStates.decode(bytes, options, crc32c, offset)
    if (producers !== null) return { producers, upTo: offset }
  }
  return { producers: new ProducerStates(options), upTo: 0 }
}
