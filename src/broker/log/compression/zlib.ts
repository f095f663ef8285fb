import * as zlib from 'node:zlib'
import { DecompressError } from './decompress-error.ts'

/** gzip (RFC 1952) and zstd (RFC 8878) by Node's own zlib. */
export function openGzip(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  return bounded(options => zlib.gunzipSync(bytes, options), bytes, outputBytesMax)
}

export function openZstd(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  return bounded(options => zlib.zstdDecompressSync(bytes, options), bytes, outputBytesMax)
}

/** `level`: 1 to 9, or -1 for zlib's own. */
export function makeGzip(bytes: Uint8Array, level = -1): Uint8Array {
  return zlib.gzipSync(bytes, { level })
}

/** `level`: -131072 to 22. */
export function makeZstd(bytes: Uint8Array, level = zstdLevelDefault): Uint8Array {
  return zlib.zstdCompressSync(bytes, {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
  })
}

/** The library's. */
const zstdLevelDefault = 3

function bounded(
  open: (options: { chunkSize: number; maxOutputLength: number }) => Uint8Array,
  bytes: Uint8Array,
  outputBytesMax: number,
): Uint8Array {
  try {
    const chunkSize = chunkBytesFor(bytes, outputBytesMax)
    // Node wants at least one byte; none is judged below.
    const opened = open({ chunkSize, maxOutputLength: Math.max(1, outputBytesMax) })
    if (opened.length <= outputBytesMax) return opened
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') {
      throw new DecompressError((error as Error).message)
    }
  }
  throw DecompressError.tooLarge(outputBytesMax)
}

/** Most records compress to a fourth or so. Never more than 1 MiB at a time, nor less than zlib takes. */
function chunkBytesFor(bytes: Uint8Array, outputBytesMax: number): number {
  return Math.max(1024, Math.min(4 * bytes.length, outputBytesMax, 1024 * 1024))
}
