import type { Uuid } from '../../lib/uuid.ts'
import type { MetadataImage, PartitionImage } from '../metadata/image.ts'
import { brokersOf } from '../metadata/replicas.ts'

/**
 * Whether the cluster counts on nothing that a replica has: another broker leads, and the directory is named neither in the
 * in-sync set nor among those who left it last. Then a log that is damaged or missing there may begin anew, and its leader fills
 * it; where it is named, an empty log would be taken for what was there (durability.md 3.2 and 3.7).
 */
export function isUncounted(
  image: MetadataImage,
  { leader, isr, elr, lastKnownElr }: PartitionImage,
  own: { readonly brokerId: number; readonly directoryId: Uuid },
): boolean {
  const named = [...isr, ...elr, ...lastKnownElr]
  const isNamed = named.includes(own.directoryId) || brokersOf(image, named).includes(own.brokerId)
  return leader >= 0 && leader !== own.brokerId && !isNamed
}
