/** Segments that a cleaned one takes the place of: those that begin in `[baseOffset, endOffset)`. */
export interface SwapRange {
  readonly baseOffset: number
  readonly endOffset: number
}

/** A segment that the cleaner writes; nobody believes it. */
export function cleanedPath(logPath: string, baseOffset: number): string {
  return `${logPath}/${digits(baseOffset)}.log.cleaned`
}

/**
 * A cleaned segment that is whole and on the device: from the moment at which it has this name it counts, and those
 * that it takes the place of do not. The name says which, because their last records may all be gone.
 */
export function swapPath(logPath: string, { baseOffset, endOffset }: SwapRange): string {
  return `${logPath}/${digits(baseOffset)}-${digits(endOffset)}.swap`
}

/** What a file's name says, or null where it is no swap file's. */
export function parseSwapName(name: string): SwapRange | null {
  const match = /^(\d{20})-(\d{20})\.swap$/.exec(name)
  if (match === null) return null
  const [baseOffset, endOffset] = [Number(match[1]), Number(match[2])]
  const isSound = Number.isSafeInteger(endOffset) && baseOffset < endOffset
  return isSound ? { baseOffset, endOffset } : null
}

function digits(offset: number): string {
  return offset.toString().padStart(20, '0')
}
