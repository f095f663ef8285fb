import { requestMemoryBounds } from '../../env/admission.ts'

const mebibyte = 1024 * 1024

/** What a broker needs beside its requests, as it was measured: code, heap, and thousands of connections. */
const processBytes = 128 * mebibyte
const requestBytesMin = 8 * mebibyte

/** Defaults that depend on how much memory the process may have. */
export interface MemoryDefaults {
  readonly queuedMaxRequestBytes: number
  readonly socketRequestMaxBytes: number
}

/**
 * Half of what the limit leaves beside the process, and never more than `most`; the other half is for answers and
 * for the page cache, which a container pays for too. The largest request is one that always fits.
 */
export function memoryDefaults(limitBytes: number, most: MemoryDefaults): MemoryDefaults {
  const half = Math.floor((limitBytes - processBytes) / 2 / mebibyte) * mebibyte
  const queuedMaxRequestBytes = Math.min(
    most.queuedMaxRequestBytes,
    Math.max(half, requestBytesMin),
  )
  const fitting = requestMemoryBounds(queuedMaxRequestBytes).large
  return {
    queuedMaxRequestBytes,
    socketRequestMaxBytes: Math.min(most.socketRequestMaxBytes, fitting),
  }
}
