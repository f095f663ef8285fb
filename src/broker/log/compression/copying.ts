/** Below it a loop over the bytes is faster than a call. */
export const shortBytes = 48

/** Where the next byte goes. */
export interface Place {
  readonly out: Uint8Array
  readonly to: number
}

/** Copies `length` bytes of `from` to `out`. */
export function copyLiterals(
  from: Uint8Array,
  at: number,
  length: number,
  { out, to }: Place,
): void {
  if (length >= shortBytes) return out.set(from.subarray(at, at + length), to)
  for (let index = 0; index < length; index++) out[to + index] = from[at + index]!
}

/** Writes again at `to` what stands `distance` before; where it is longer than the distance, it repeats itself. */
export function copyBack(out: Uint8Array, to: number, distance: number, length: number): void {
  const from = to - distance
  // What was just written is there to be copied too: each round has twice as much.
  for (let done = 0; done < length;) {
    const piece = Math.min(distance + done, length - done)
    out.copyWithin(to + done, from, from + piece)
    done += piece
  }
}
