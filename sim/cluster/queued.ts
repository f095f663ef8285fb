import { isFileRange, type OutPart } from '../../src/env/network.ts'

/** What was sent, and waits for its wire. */
export interface Queued {
  readonly part: OutPart
  readonly bytes: number
  readonly release: () => void
}

/** The release of bytes in memory, which nobody holds. */
export function nothing(): void {
  // Left to the collector.
}

/** The first `length` bytes; null where the file is shorter than its range, or cannot be read. */
export function bytesOf({ part }: Queued, length: number): Uint8Array | null {
  if (!isFileRange(part)) return part.subarray(0, length)
  const bytes = new Uint8Array(length)
  try {
    return part.file.read(part.position, bytes) === length ? bytes : null
  } catch {
    return null
  }
}
