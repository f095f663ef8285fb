import { type Uuid, uuidText } from '../../lib/uuid.ts'

/** Reads "legacy": no random id begins with these eight bytes but by a chance that nobody meets. */
const prefix = [0x2d, 0x6c, 0x65, 0x67, 0x61, 0x63, 0x79, 0x2d]

/**
 * What stands for the directory of a broker that registered before directories had a name in the metadata log. The broker's
 * first registration with a real id puts that in its place.
 */
export function legacyDirectoryId(brokerId: number): Uuid {
  const bytes = Uint8Array.from([...prefix, ...Array.from({ length: 8 }, () => 0)])
  new DataView(bytes.buffer).setBigUint64(prefix.length, BigInt(brokerId))
  return uuidText(bytes)
}
