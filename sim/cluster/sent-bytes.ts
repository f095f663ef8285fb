import type { SendStream } from '../../src/env/network.ts'

/** Counts what was sent of a reader's ranges. */
export interface CountedStream extends SendStream {
  add(bytes: number): void
}

export function countedStream(): CountedStream {
  let sentBytes = 0
  return {
    add: bytes => void (sentBytes += bytes),
    sentBytes: () => sentBytes,
    hitBytes: () => null,
    isSettled: () => true,
    close: () => {},
  }
}
