import type { Clock } from '../../../env/env.ts'
import { ByteBudget } from './byte-budget.ts'
import { codecNames, type CodecId } from './codec-id.ts'
import { CodecLane } from './codec-lane.ts'
import type { CodecWork } from './codec-work.ts'
import { DecompressError } from './decompress-error.ts'

export { DecompressError } from './decompress-error.ts'

/**
 * The front door of the room: the codecs of a batch's payload, Kafka's framing of them included. The work is done in a
 * thread, so that the event loop goes on; what is opened has a bound each and one together, whatever the bytes
 * announce; malformed bytes are a `DecompressError`, and nothing else. `bytes` stay as they are until the promise is
 * settled.
 */
export interface Codecs {
  /**
   * Never gives, nor holds at any moment, much more than `outputBytesMax`, whatever the bytes announce.
   * @throws DecompressError where they are malformed, or become more than that.
   */
  decompress(codec: CodecId, bytes: Uint8Array, outputBytesMax: number): Promise<Uint8Array>
  /**
   * What `decompress` gave of a compressed batch is not looked at again: its memory is free now. Else it is when the
   * collector comes to it, and ten bombs may come before.
   */
  discard(bytes: Uint8Array): void
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

interface Recompression {
  readonly from: CodecId
  readonly to: CodecId
  /** Of the codec `to`, in its own numbers; its usual one where left out. gzip and zstd have some. */
  readonly level?: number
  /** How much the bytes may become when they are opened. */
  readonly openedBytesMax: number
}

export interface CodecsOptions {
  /** How much all decompressions under way may hold, in bytes of output; further ones wait. */
  readonly outputBytesInFlightMax?: number
}

/** One thread for the process, as Node's own threads are: a simulation opens a thousand directories. */
const lane = new CodecLane()

export function createCodecs(clock: Pick<Clock, 'soon'>, options: CodecsOptions = {}): Codecs {
  const budget = new ByteBudget(options.outputBytesInFlightMax ?? outputBytesLimit)
  let bytesDecompressed = 0
  const counted = async (codec: CodecId, work: CodecWork & { readonly outputBytesMax: number }) => {
    const packedBytes = work.bytes.length
    const release = await budget.take(work.outputBytesMax)
    try {
      const bytes = await lane.run(work)
      bytesDecompressed += bytes.length
      return bytes
    } catch (error) {
      throw error instanceof DecompressError ? error.of(codecNames[codec], packedBytes) : error
    } finally {
      release()
    }
  }
  return {
    turn: () => new Promise(resolve => clock.soon(resolve)),
    get bytesDecompressed() {
      return bytesDecompressed
    },
    decompress: (codec, bytes, outputBytesMax) =>
      codec === 0
        ? takePlain(bytes, outputBytesMax)
        : counted(codec, { kind: 'open', codec, bytes, outputBytesMax }),
    discard(bytes) {
      if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0)
    },
    compress: async (codec, bytes) =>
      codec === 0 ? bytes : await lane.run({ kind: 'make', codec, bytes }),
    recompress: (bytes, { from, to, level, openedBytesMax }) =>
      counted(from, { kind: 'remake', from, to, level, bytes, outputBytesMax: openedBytesMax }),
  }
}

async function takePlain(bytes: Uint8Array, outputBytesMax: number): Promise<Uint8Array> {
  if (bytes.length <= outputBytesMax) return bytes
  throw DecompressError.tooLarge(outputBytesMax).of(codecNames[0], bytes.length)
}

/**
 * How much `packedBytes` may become where a batch is opened for validation: 100 times as much and 1 MiB, at
 * most 64 MiB (durability.md 5.6).
 */
export function outputBytesMaxFor(packedBytes: number): number {
  return Math.min(outputBytesLimit, 100 * packedBytes + 1024 * 1024)
}

const outputBytesLimit = 64 * 1024 * 1024
