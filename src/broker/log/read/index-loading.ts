import type { Disk } from '../../../env/env.ts'
import {
  decodeIndexHead,
  decodeOffsets,
  decodeTimes,
  indexHeadBytes,
  type IndexHead,
  type IndexKind,
} from '../segment/index-file.ts'
import { SegmentIndex } from '../segment/segment-index.ts'
import type { Segment } from '../segment/segment.ts'
import { SegmentDamage, walkBatches } from '../segment/walk.ts'
import type { LogState } from '../state/log-state.ts'

/** All that loading needs to know of a log. */
export type IndexContext = Pick<LogState, 'host' | 'config' | 'sparseTo'>

/** Loads under way: several readers of one segment wait for the same. */
const loads = new WeakMap<Segment, Promise<SegmentIndex>>()

/** The segment's index, from memory, from its files, or, if there is any doubt about these, from its batches. */
export async function loadIndex(state: IndexContext, segment: Segment): Promise<SegmentIndex> {
  segment.used(state.host.env.clock.monotonic())
  if (segment.index !== null) return segment.index
  const underWay = loads.get(segment)
  if (underWay !== undefined) return underWay
  const load = (async () => {
    try {
      const index = (await readIndex(state, segment)) ?? (await buildIndex(state, segment))
      segment.loaded(index)
      return index
    } finally {
      loads.delete(segment)
    }
  })()
  loads.set(segment, load)
  return load
}

/** Makes the index anew from the batches, in memory; the files beside the segment are removed. @throws DiskError */
export async function rebuildIndex(state: LogState, segment: Segment): Promise<SegmentIndex> {
  const isActive = segment === state.segments.active
  const index = await buildIndex(state, segment)
  // Batches may have been appended meanwhile: the growing index then knows more, and stands where it was.
  if (isActive) return index
  dropIndexFiles(state.host.env.disk, segment)
  segment.loaded(index)
  return index
}

/** What the index files say of themselves, if they speak of the segment as it is: enough until they are needed. */
export function readIndexHead(
  disk: Disk,
  segment: { readonly path: string },
  kind: IndexKind,
  crc32c: LogState['host']['env']['crc32c'],
): IndexHead | null {
  const stat = disk.stat(segment.path)
  if (stat === null || stat.size < indexHeadBytes) return null
  const file = disk.open(segment.path, 'read')
  try {
    const head = new Uint8Array(indexHeadBytes)
    return file.read(0, head) === head.length ? decodeIndexHead(kind, head, crc32c) : null
  } finally {
    file.close()
  }
}

export function dropIndexFiles(disk: Disk, segment: Pick<Segment, 'pathOf'>): void {
  for (const suffix of ['offsets', 'times'] as const) {
    const path = segment.pathOf(suffix)
    if (disk.stat(path) !== null) disk.unlink(path)
  }
}

/** What the index files say, if they are sound and speak of the segment as it is; else null. @throws DiskError */
export async function readIndex(
  state: IndexContext,
  segment: Segment,
): Promise<SegmentIndex | null> {
  const { disk, crc32c } = state.host.env
  const offsetBytes = await readFile(disk, segment.pathOf('offsets'))
  if (offsetBytes === null) return null
  const timeBytes = await readFile(disk, segment.pathOf('times'))
  if (timeBytes === null) return null
  const heads = [
    decodeIndexHead('offsets', offsetBytes, crc32c),
    decodeIndexHead('times', timeBytes, crc32c),
  ]
  if (!heads.every(head => head !== null && speaksOf(head, segment))) return null
  const offsets = decodeOffsets(offsetBytes, crc32c)
  const times = decodeTimes(timeBytes, crc32c)
  if (offsets === null || times === null) return null
  const { newest, logBytes } = heads[0]!
  return new SegmentIndex(segment.baseOffset, { offsets, times, newest, logBytes })
}

export function speaksOf(
  head: IndexHead,
  segment: Pick<Segment, 'baseOffset' | 'endOffset' | 'sizeBytes'>,
): boolean {
  return (
    head.baseOffset === segment.baseOffset &&
    head.endOffset === segment.endOffset &&
    head.logBytes === segment.sizeBytes
  )
}

async function buildIndex(state: IndexContext, segment: Segment): Promise<SegmentIndex> {
  const index = new SegmentIndex(segment.baseOffset)
  const { sizeBytes } = segment
  const end = await walkBatches(
    segment.file,
    {
      sizeBytes,
      fromOffset: segment.baseOffset,
      fromEpoch: -1,
      sparseTo: state.sparseTo,
      crc32c: null,
    },
    (header, position) => index.note(header, position, state.config.indexIntervalBytes),
  )
  if (end.violation !== null) {
    throw new SegmentDamage(segment.pathOf('log'), end.position, end.violation)
  }
  return index
}

/** Off the event loop; null where there is no such file. */
async function readFile(disk: Disk, path: string): Promise<Uint8Array | null> {
  if (disk.stat(path) === null) return null
  const file = disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.size())
    const count = await file.readAsync(0, bytes)
    return bytes.subarray(0, count)
  } finally {
    file.close()
  }
}
