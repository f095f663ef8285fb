import { readWhole, replaceFile, type Disk } from '../../../env/disk.ts'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'

const format = 1

/** A small fact on disk, as FORMAT.md "Sealed files" draws it. `body` is plain JSON data. */
export function seal(kind: string, body: object, crc32c: Crc32c): Uint8Array {
  const sum = crc32c(utf8(JSON.stringify(body)))
  return utf8(`${JSON.stringify({ format, kind, crc32c: sum, body })}\n`)
}

/** The body that `seal` was given; null where there is any doubt. Never throws. */
function unseal(kind: string, bytes: Uint8Array, crc32c: Crc32c): unknown {
  try {
    const sealed = JSON.parse(fromUtf8(bytes)) as Partial<Record<string, unknown>> | null
    if (sealed === null || sealed.format !== format || sealed.kind !== kind) return null
    const sum = crc32c(utf8(JSON.stringify(sealed.body)))
    return sum === sealed.crc32c ? sealed.body : null
  } catch {
    return null
  }
}

/** Where a sealed file lies, and the means to read and write it. */
export interface SealedFilePlace {
  readonly disk: Disk
  readonly crc32c: Crc32c
  readonly path: string
  readonly kind: string
}

/** The body, or null where the file is missing or damaged. @throws DiskError where it cannot be read. */
export function readSealed(place: SealedFilePlace): unknown {
  const bytes = readWhole(place.disk, place.path)
  return bytes === null ? null : unseal(place.kind, bytes, place.crc32c)
}

/** Replaces the file durably. @throws DiskError */
export async function writeSealed(place: SealedFilePlace, body: object): Promise<void> {
  await replaceFile(place.disk, place.path, seal(place.kind, body, place.crc32c))
}
