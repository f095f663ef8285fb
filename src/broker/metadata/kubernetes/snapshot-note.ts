import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { list, object, text, whole } from '../shape.ts'
import { damaged } from './damage.ts'
import type { Place, SnapshotNote } from './ring.ts'

const shape = object({
  side: text,
  payloadBytes: whole(0),
  contentHash: text,
  chunks: list(text),
})

/** The payload of a snapshot's commit. */
export function encodeNote({ side, payloadBytes, contentHash, chunks }: SnapshotNote): Uint8Array {
  return utf8(JSON.stringify({ side, payloadBytes, contentHash, chunks }))
}

/** @throws StoreError `damaged` where it is none */
export function decodeNote(place: Place, payload: Uint8Array): SnapshotNote {
  try {
    const { side, ...note } = shape.check(JSON.parse(fromUtf8(payload)))
    if (side === 'a' || side === 'b') return { side, ...note }
  } catch (error) {
    throw damaged(place, `its snapshot cannot be read: ${(error as Error).message}`)
  }
  throw damaged(place, 'its snapshot is on neither side')
}
