import type { Disk } from '../../../env/disk.ts'
import { dropIndexFiles } from '../read/index-loading.ts'
import { dropGrowth } from '../append/growth.ts'
import {
  parseSegmentName,
  segmentPath,
  segmentSuffixes,
  type SegmentSuffix,
} from '../segment/segment.ts'
import { parseSwapName, swapPath, type SwapRange } from '../segment/swap-file.ts'
import type { Recovery } from './context.ts'

/**
 * Finishes what the cleaner, or a cut of the log's end, had decided and not carried out: a segment that has the name of a
 * swap file takes the place of those that it was made of. It was on the device before it had that name, so that one which is not sound is
 * damage: then nothing is touched, because what it was made of may be gone in part.
 */
export async function finishSwaps(recovery: Recovery): Promise<void> {
  const { host, path } = recovery
  for (const name of recovery.files) {
    const range = parseSwapName(name)
    if (range === null) continue
    const problem = await problemOf(recovery, range)
    if (problem !== null) {
      recovery.damage ??= `${path}/${name}, which the log cleaner left to take the place of other segments, or a cut of the log's end, is damaged at ${problem}.`
      return
    }
    await finish(recovery, range)
    recovery.files = new Set(host.env.disk.list(path))
  }
}

async function problemOf(recovery: Recovery, range: SwapRange): Promise<string | null> {
  const { disk, crc32c } = recovery.host.env
  const file = disk.open(swapPath(recovery.path, range), 'read')
  try {
    const end = await recovery.steps.walkBatches(
      file,
      {
        sizeBytes: file.size(),
        fromOffset: range.baseOffset,
        fromEpoch: -1,
        sparseTo: Infinity,
        crc32c,
      },
      () => {},
    )
    if (end.violation !== null) return `byte ${end.position}: ${end.violation}`
    return end.offset <= range.endOffset ? null : `its end: it reaches offset ${end.offset}`
  } finally {
    file.close()
  }
}

/** In an order that a crash may interrupt anywhere: until the last step the swap file says what is to be done. */
async function finish({ host, path, name }: Recovery, range: SwapRange): Promise<void> {
  const { disk } = host.env
  const { baseOffset, endOffset } = range
  for (const [base, suffix] of filesOf(disk, path)) {
    if (base > baseOffset && base < endOffset) disk.unlink(segmentPath(path, base, suffix))
  }
  const first = { pathOf: (suffix: SegmentSuffix) => segmentPath(path, baseOffset, suffix) }
  dropIndexFiles(disk, first)
  dropGrowth(disk, first)
  await disk.syncDirectory(path)
  disk.rename(swapPath(path, range), first.pathOf('log'))
  await disk.syncDirectory(path)
  host.warn('Finished an exchange of segments that had begun', { log: name, ...range })
}

function filesOf(disk: Disk, path: string): [base: number, suffix: SegmentSuffix][] {
  return disk.list(path).flatMap(name =>
    segmentSuffixes.flatMap(suffix => {
      const base = parseSegmentName(name, suffix)
      return base === null ? [] : [[base, suffix] as [number, SegmentSuffix]]
    }),
  )
}
