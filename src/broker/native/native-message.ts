import { assert } from '../../lib/assert.ts'
import { isFileRange, type FileRange, type OutPart } from '../../env/network.ts'
import type { Binding } from './binding.ts'
import { NativeFile } from './native-file.ts'
import { NativeStream } from './native-stream.ts'

/** Up to this size the addon finds the bytes of a part sooner in `sendBytes` than in an array of their own. */
const smallPartBytesMax = 512

/** Queues one message on a connection; bytes of a run of cold ranges that asks now, 0, or an errno. */
export function sendMessage(
  binding: Binding,
  connection: number,
  parts: readonly OutPart[],
): number {
  const { sendRows: rows, sendBytes, constants } = binding
  let bytes: Uint8Array[] = []
  let at = 0
  let used = 0
  for (const part of parts) {
    if (at === rows.length) {
      const queued = binding.connectionSend(connection, at / constants.sendRowLength, bytes, 1)
      if (queued < 0) return queued
      bytes = []
      at = used = 0
    }
    if (isFileRange(part)) setRange(rows, at, part)
    else if (part.length <= smallPartBytesMax && used + part.length <= sendBytes.length) {
      sendBytes.set(part, used)
      rows[at] = -1
      rows[at + 1] = used
      rows[at + 2] = part.length
      used += part.length
    } else {
      rows[at] = rows[at + 1] = -1
      bytes.push(part)
    }
    at += constants.sendRowLength
  }
  return binding.connectionSend(connection, at / constants.sendRowLength, bytes, 0)
}

function setRange(
  rows: Float64Array,
  at: number,
  { file, position, length, cold, stream, drop }: FileRange,
): void {
  assert(file instanceof NativeFile, 'the native network sends files of the native disk')
  assert(stream instanceof NativeStream, 'the native network counts in streams of its own')
  let next = at
  rows[next++] = file.use('readAsync')
  rows[next++] = position
  rows[next++] = length
  rows[next++] = cold ? 1 : 0
  rows[next++] = stream.handle
  rows[next++] = drop?.position ?? 0
  rows[next] = drop?.length ?? 0
}
