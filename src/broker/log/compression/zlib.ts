import * as zlib from 'node:zlib'
import { promisify } from 'node:util'
import { DecompressError } from './decompress-error.ts'
import { Output } from './output.ts'
import { type WorkMeter } from './work-meter.ts'

/** gzip (RFC 1952) and zstd (RFC 8878) by Node's own zlib, whose streams work in libuv's threads. */
export function decompressGzip(
  bytes: Uint8Array,
  outputBytesMax: number,
  meter: WorkMeter,
): Promise<Uint8Array> {
  const options = { chunkSize: chunkBytesFor(bytes, outputBytesMax) }
  return inflate(zlib.createGunzip(options), bytes, outputBytesMax).then(out => out.whole(meter))
}

export function decompressZstd(
  bytes: Uint8Array,
  outputBytesMax: number,
  meter: WorkMeter,
): Promise<Uint8Array> {
  const options = { chunkSize: chunkBytesFor(bytes, outputBytesMax) }
  return inflate(zlib.createZstdDecompress(options), bytes, outputBytesMax).then(out =>
    out.whole(meter),
  )
}

export async function compressGzip(bytes: Uint8Array): Promise<Uint8Array> {
  return promisify(zlib.gzip)(bytes)
}

export async function compressZstd(bytes: Uint8Array): Promise<Uint8Array> {
  return promisify(zlib.zstdCompress)(bytes)
}

/** Node's one-call functions would join their chunks in one piece of work on the event loop. */
function inflate(
  stream: zlib.Gunzip | zlib.ZstdDecompress,
  bytes: Uint8Array,
  outputBytesMax: number,
): Promise<Output> {
  const output = new Output(outputBytesMax)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      stream.destroy()
      reject(error instanceof DecompressError ? error : new DecompressError(reasonOf(error)))
    }
    stream.on('error', fail)
    stream.on('data', (part: Uint8Array) => {
      try {
        output.add(part)
      } catch (error) {
        fail(error)
      }
    })
    stream.on('end', () => resolve(output))
    stream.end(bytes)
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Most records compress to a fourth or so. Never more than 1 MiB, which bounds a step, nor less than zlib takes. */
function chunkBytesFor(bytes: Uint8Array, outputBytesMax: number): number {
  return Math.max(1024, Math.min(4 * bytes.length, outputBytesMax, 1024 * 1024))
}
