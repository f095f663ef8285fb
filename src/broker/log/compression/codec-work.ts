import type { CodecId } from './codec-id.ts'
import { makeLz4, openLz4 } from './lz4.ts'
import { makeSnappy, openSnappy } from './snappy.ts'
import { makeGzip, makeZstd, openGzip, openZstd } from './zlib.ts'

/** What the codecs are asked to do with `bytes`. */
export type CodecWork = { readonly bytes: Uint8Array } & (
  | { readonly kind: 'open'; readonly codec: Packed; readonly outputBytesMax: number }
  | { readonly kind: 'make'; readonly codec: Packed }
  /** Open, and make again in another codec, at a level where one is given and it has some. */
  | {
      readonly kind: 'remake'
      readonly from: CodecId
      readonly to: CodecId
      readonly level: number | undefined
      readonly outputBytesMax: number
    }
)

/** A codec that does something. */
type Packed = Exclude<CodecId, 0>

/**
 * Does it, here and now: only the thread of `codec-thread.ts` may.
 * @throws DecompressError where `bytes` are malformed, or become more than they may
 */
export function doCodecWork(work: CodecWork): Uint8Array {
  const { bytes } = work
  switch (work.kind) {
    case 'open':
      return openers[work.codec](bytes, work.outputBytesMax)
    case 'make':
      return makers[work.codec](bytes)
    case 'remake': {
      const { from, to, level, outputBytesMax } = work
      const plain = from === 0 ? bytes : openers[from](bytes, outputBytesMax)
      return to === 0 ? plain : makers[to](plain, level)
    }
  }
}

const openers: Readonly<Record<Packed, (bytes: Uint8Array, outputBytesMax: number) => Uint8Array>> =
  { 1: openGzip, 2: openSnappy, 3: openLz4, 4: openZstd }

const makers: Readonly<Record<Packed, (bytes: Uint8Array, level?: number) => Uint8Array>> = {
  1: makeGzip,
  2: makeSnappy,
  3: makeLz4,
  4: makeZstd,
}
