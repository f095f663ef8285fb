import type { MetadataImage } from '../metadata/image.ts'
import { StoreError, type StoredLog, StoreUnavailable } from '../metadata/store.ts'
import type { ClusterOptions } from './options.ts'
import { replay } from './replay.ts'

/** What one look at the store came to. */
export type Look =
  /** And its lease is this broker's, since `acquiredAtMs` or a little later, in monotonic milliseconds. */
  | {
      readonly kind: 'read'
      readonly log: StoredLog
      readonly image: MetadataImage
      readonly acquiredAtMs: number
    }
  /** Another broker has the lease of a store that several share. */
  | { readonly kind: 'held'; readonly log: StoredLog; readonly image: MetadataImage }
  /** It does not answer, or somebody else has the lease: to be asked again. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfterMs?: number }
  /** It holds what this broker may not go on from. */
  | { readonly kind: 'unusable'; readonly error: StoreError }

type LookOptions = Pick<ClusterOptions, 'env' | 'store' | 'brokerId' | 'clusterId' | 'isSoleBroker'>

/**
 * Takes the lease and reads the log. What may get better with another look is said, and not thrown.
 * @throws StoreError `failed`
 */
export async function look(options: LookOptions): Promise<Look> {
  try {
    const acquiredAtMs = options.env.clock.monotonic()
    const isAcquired = await options.store.lease.acquire({ force: false })
    if (!isAcquired && !(await isAnothers(options))) {
      return { kind: 'unavailable', message: 'its lease is not to be had' }
    }
    const log = await options.store.readAll()
    const image = suitable(replay(log), options)
    return isAcquired ? { kind: 'read', log, image, acquiredAtMs } : { kind: 'held', log, image }
  } catch (error) {
    if (error instanceof StoreUnavailable) {
      const { message, retryAfterMs } = error
      return { kind: 'unavailable', message, retryAfterMs }
    }
    if (!(error instanceof StoreError) || error.reason === 'failed') throw error
    return { kind: 'unusable', error }
  }
}

/** False too where nobody knows: what is refused once may be had the next time. */
async function isAnothers({ store, isSoleBroker = true }: LookOptions): Promise<boolean> {
  if (isSoleBroker) return false
  const { isHeld, isMine } = await store.lease.observe()
  return isHeld && !isMine
}

/** @throws StoreError `unsuitable` where it is of another cluster or another broker */
export function suitable(
  image: MetadataImage,
  { clusterId, brokerId, isSoleBroker = true }: Omit<LookOptions, 'store' | 'env'>,
): MetadataImage {
  if (clusterId !== undefined && image.isCreated && image.clusterId !== clusterId) {
    throw new StoreError(
      'unsuitable',
      `The metadata store holds cluster ${image.clusterId}, and this broker is of cluster ${clusterId}. ` +
        'Correct the cluster id, or give the broker its own directory.',
    )
  }
  // A broker with another id would be placed beside one that is gone, and its partitions led by nobody.
  const other = isSoleBroker ? [...image.brokers.keys()].find(id => id !== brokerId) : undefined
  if (other === undefined) return image
  throw new StoreError(
    'unsuitable',
    `The metadata store belongs to broker ${other}, and this is broker ${brokerId}. Set node.id back to ${other}, or ` +
      'give this broker its own directory.',
  )
}
