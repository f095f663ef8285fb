import type { Clock } from '../../../env/env.ts'
import { codecNames, type CodecId } from '../batch.ts'
import { ByteBudget } from './byte-budget.ts'
import { DecompressError } from './decompress-error.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { WorkMeter } from './work-meter.ts'
import { compressGzip, compressZstd, decompressGzip, decompressZstd } from './zlib.ts'

export { DecompressError } from './decompress-error.ts'

/**
 * The codecs of a batch's payload. gzip and zstd are Node's and work in its threads. LZ4 and snappy are our own: the
 * allocators of their prebuilt addons keep what their threads once needed, 400 MiB each, for good. No step on the
 * event loop handles more than about 1 MiB, and each turn of it has one such step. `bytes` stay as they are until
 * the promise is settled.
 */
export interface Codecs {
  /**
   * Never gives, nor holds at any moment, much more than `outputBytesMax`, whatever the bytes announce.
   * @throws DecompressError where they are malformed, or become more than that.
   */
  decompress(codec: CodecId, bytes: Uint8Array, outputBytesMax: number): Promise<Uint8Array>
  /** As clients do it, with the codec's usual level. */
  compress(codec: CodecId, bytes: Uint8Array): Promise<Uint8Array>
  /**
   * As `decompress`, and then `compress` in another codec; both within the same bound on memory.
   * @throws DecompressError as `decompress`
   */
  recompress(bytes: Uint8Array, how: Recompression): Promise<Uint8Array>
  /** All that `decompress` and `recompress` gave so far, in bytes. */
  readonly bytesDecompressed: number
  /** Resolves when the event loop has served everybody else: for long work over what was decompressed. */
  turn(): Promise<void>
}

export interface Recompression {
  readonly from: CodecId
  readonly to: CodecId
  /** How much the bytes may become when they are opened. */
  readonly openedBytesMax: number
}

export interface CodecsOptions {
  /** How much all decompressions under way may hold, in bytes of output; further ones wait. */
  readonly outputBytesInFlightMax?: number
}

export function createCodecs(clock: Pick<Clock, 'soon'>, options: CodecsOptions = {}): Codecs {
  const budget = new ByteBudget(options.outputBytesInFlightMax ?? 2 * outputBytesLimit)
  const meter = new WorkMeter(act => clock.soon(act))
  let bytesDecompressed = 0
  const open = async (codec: CodecId, bytes: Uint8Array, outputBytesMax: number) => {
    try {
      return await decompressors[codec](bytes, outputBytesMax, meter)
    } catch (error) {
      if (error instanceof DecompressError) throw error.of(codecNames[codec], bytes.length)
      throw error
    }
  }
  return {
    turn: () => meter.turn(),
    get bytesDecompressed() {
      return bytesDecompressed
    },
    async decompress(codec, bytes, outputBytesMax) {
      const release = await budget.take(outputBytesMax)
      try {
        const whole = await open(codec, bytes, outputBytesMax)
        bytesDecompressed += whole.length
        return whole
      } finally {
        release()
      }
    },
    compress: (codec, bytes) => compressors[codec](bytes, meter),
    async recompress(bytes, { from, to, openedBytesMax }) {
      const release = await budget.take(openedBytesMax)
      try {
        const packed = await compressors[to](await open(from, bytes, openedBytesMax), meter)
        bytesDecompressed += packed.length
        return packed
      } finally {
        release()
      }
    },
  }
}

/**
 * How much `packedBytes` may become where a batch is opened for validation: 100 times as much and 1 MiB, at
 * most 64 MiB (reliability.md 5.6).
 */
export function outputBytesMaxFor(packedBytes: number): number {
  return Math.min(outputBytesLimit, 100 * packedBytes + 1024 * 1024)
}

const outputBytesLimit = 64 * 1024 * 1024

const decompressors: Readonly<Record<CodecId, Decompressor>> = {
  0: takePlain,
  1: decompressGzip,
  2: decompressSnappy,
  3: decompressLz4,
  4: decompressZstd,
}

const compressors: Readonly<Record<CodecId, Compressor>> = {
  0: bytes => Promise.resolve(bytes),
  1: compressGzip,
  2: compressSnappy,
  3: compressLz4,
  4: compressZstd,
}

type Compressor = (bytes: Uint8Array, meter: WorkMeter) => Promise<Uint8Array>

type Decompressor = (
  bytes: Uint8Array,
  outputBytesMax: number,
  meter: WorkMeter,
) => Promise<Uint8Array>

async function takePlain(bytes: Uint8Array, outputBytesMax: number): Promise<Uint8Array> {
  if (bytes.length > outputBytesMax) throw DecompressError.tooLarge(outputBytesMax)
  return bytes
}
