import { InvariantError } from '../../lib/assert.ts'
import { MetadataImage } from '../metadata/image.ts'
import { decodeBatch, RecordFormatError } from '../metadata/records.ts'
import { StoreError, type StoredLog } from '../metadata/store.ts'

/**
 * The image that a stored log describes.
 * @throws StoreError `damaged` where a record cannot be read, or contradicts those before it
 */
export function replay({ snapshot, tail }: StoredLog): MetadataImage {
  let image = MetadataImage.empty
  if (snapshot !== null) {
    image = applied(image, `the snapshot of record ${snapshot.sequence}`, snapshot)
  }
  for (const record of tail) image = applied(image, `record ${record.sequence}`, record)
  return image
}

interface Stored {
  readonly sequence: number
  readonly payload: Uint8Array
}

function applied(image: MetadataImage, what: string, { sequence, payload }: Stored): MetadataImage {
  try {
    return image.applyBatch(sequence, decodeBatch(payload))
  } catch (error) {
    if (!(error instanceof RecordFormatError) && !(error instanceof InvariantError)) throw error
    throw new StoreError(
      'damaged',
      `The metadata log cannot be replayed: ${what}: ${error.message}. Nothing was changed.`,
      { cause: error },
    )
  }
}
