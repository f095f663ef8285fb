import type { DiskIdentity } from '../../kubernetes/disk-identity.ts'
import type { DirectoryProperties } from '../log/directory/identity.ts'

/** What one look at the record of a broker's disk came to. */
export type IdentityReading =
  | { readonly kind: 'found'; readonly identity: DiskIdentity }
  | { readonly kind: 'missing' | 'unavailable' | 'damaged'; readonly reason: string }
  /** Nobody records disks here, and an empty one may always be used. */
  | { readonly kind: 'unused' }

/** Which broker asks for its disk. */
export interface Claimant {
  readonly brokerId: number
  /** The setting `cluster.id`; empty: any. */
  readonly clusterId: string
  /** Of the data directory, for messages. */
  readonly path: string
}

export type RefusalReason =
  | 'DiskEmpty'
  | 'DiskForeign'
  | 'DiskOfOtherIncarnation'
  | 'IdentityForeign'

/** What becomes of a data directory. */
export type Admission =
  | { readonly type: 'open' }
  /** Nothing may be acknowledged before it is recorded, and the permission to format another one withdrawn. */
  | { readonly type: 'openUnrecorded'; readonly message: string }
  | { readonly type: 'format'; readonly incarnation: number | null }
  /** To be looked at again. */
  | { readonly type: 'wait'; readonly message: string }
  | { readonly type: 'refuse'; readonly reason: RefusalReason; readonly message: string }

/**
 * Whether a broker may use the directory that it found. An empty one needs a permission that nobody used before: else an
 * emptied or forgotten disk would stand in for one with records. One that is known and recorded needs nobody, so that a
 * broker starts while nothing can be asked (durability.md 3.2).
 */
export function decideAdmission(
  found: DirectoryProperties | null,
  reading: IdentityReading,
  claimant: Claimant,
): Admission {
  const foreign = foreignTo(found, reading, claimant)
  if (foreign !== null) return foreign
  return found === null ? ofEmpty(reading, claimant) : ofKnown(found, reading, claimant)
}

function ofEmpty(reading: IdentityReading, { brokerId, path }: Claimant): Admission {
  if (reading.kind === 'unused') return { type: 'format', incarnation: null }
  if (reading.kind !== 'found') {
    const message = `The data directory ${path} is empty, and nobody says whether it may be used: ${reading.reason}.`
    return { type: 'wait', message }
  }
  const { directoryId, incarnation, mayFormat } = reading.identity
  if (mayFormat && directoryId === '') return { type: 'format', incarnation }
  const was =
    directoryId === ''
      ? `nobody permitted that it becomes the disk of broker ${brokerId}`
      : `broker ${brokerId} has the disk ${directoryId} (incarnation ${incarnation})`
  return {
    type: 'refuse',
    reason: 'DiskEmpty',
    message:
      `The data directory ${path} is empty, and ${was}. Nothing was written to it. Bring the disk back; where it is lost for good, ` +
      'accept the loss of its records with `kubectl logcluster replace`.',
  }
}

function ofKnown(
  found: DirectoryProperties,
  reading: IdentityReading,
  { path }: Claimant,
): Admission {
  if (reading.kind === 'unused') return { type: 'open' }
  const { directoryId } = found
  if (reading.kind !== 'found') {
    if (found.isRecorded) return { type: 'open' }
    const message = `The disk ${directoryId} was formatted and is not known to be recorded: ${reading.reason}.`
    return { type: 'openUnrecorded', message }
  }
  const { identity } = reading
  if (identity.directoryId !== '' && identity.directoryId !== directoryId) {
    return {
      type: 'refuse',
      reason: 'DiskForeign',
      message:
        `The data directory ${path} is the disk ${directoryId}, and the disk ${identity.directoryId} is recorded for this ` +
        'broker. Nothing was written to it. Mount the one that is recorded.',
    }
  }
  if (found.incarnation !== null && found.incarnation !== identity.incarnation) {
    return {
      type: 'refuse',
      reason: 'DiskOfOtherIncarnation',
      message:
        `The data directory ${path} is of incarnation ${found.incarnation} of this broker, and incarnation ` +
        `${identity.incarnation} is recorded: it was given up. Nothing was written to it. Mount the disk of that incarnation.`,
    }
  }
  if (identity.directoryId === directoryId && !identity.mayFormat) return { type: 'open' }
  const what =
    identity.directoryId === '' ? 'is recorded' : 'may not be replaced by an empty one any more'
  const message = `Waits until the operator says that the disk ${directoryId} ${what}.`
  return { type: 'openUnrecorded', message }
}

/** Of another cluster or broker, by what the settings, the disk and the record say. */
function foreignTo(
  found: DirectoryProperties | null,
  reading: IdentityReading,
  { brokerId, clusterId, path }: Claimant,
): Admission | null {
  const recorded = reading.kind === 'found' ? reading.identity : null
  const cluster = clusterId === '' ? (recorded?.clusterId ?? '') : clusterId
  const who = `broker ${brokerId} of cluster ${cluster}`
  if (recorded !== null && (recorded.clusterId !== cluster || recorded.brokerId !== brokerId)) {
    const message = `The disk of broker ${recorded.brokerId} of cluster ${recorded.clusterId} is recorded where this broker looks; this is ${who}. Correct identity.config.map.`
    return { type: 'refuse', reason: 'IdentityForeign', message }
  }
  // Without a record, and without cluster.id, the metadata log tells which cluster this is: it is compared later.
  if (found === null || cluster === '') return null
  const isOwn = found.clusterId === cluster && (recorded === null || found.brokerId === brokerId)
  if (isOwn) return null
  const message = `The data directory ${path} belongs to broker ${found.brokerId} of cluster ${found.clusterId}; this is ${who}. Nothing was written to it. Point log.dirs to this broker's directory, or correct node.id and cluster.id.`
  return { type: 'refuse', reason: 'DiskForeign', message }
}
