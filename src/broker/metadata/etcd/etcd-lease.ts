import type { Clock } from '../../../env/clock.ts'
import { NoAnswer, type KeyValues } from '../../../etcd/key-values.ts'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { isObject } from '../shape.ts'
import { StoreUnavailable } from '../store.ts'
import { type Holder, type Tenure, TenureLease, type TenurePlace } from '../tenure-lease.ts'

export interface EtcdLeaseOptions {
  readonly keyValues: KeyValues
  readonly clock: Clock
  readonly key: string
  readonly me: Holder
}

/**
 * The lease as a key: its revision is the counter. etcd's own leases are not used: they run out by the clocks of its members, and
 * what is true is decided in the log.
 */
export function etcdLease({ keyValues, clock, key, me }: EtcdLeaseOptions): TenureLease {
  const place: TenurePlace = {
    async look() {
      const { values } = await answered(keyValues.range({ from: key }))
      const found = values[0]
      if (found === undefined) return { counter: 0, holder: null }
      return { counter: found.revision, holder: holderIn(found.value) }
    },
    take({ counter }: Tenure, holder: Holder | null) {
      const value = utf8(JSON.stringify({ format: 1, holder }))
      const ifRevisions = [{ key, revision: counter }]
      return answered(keyValues.commit({ ifRevisions, puts: [{ key, value }], deletes: [] }))
    },
  }
  return new TenureLease({ place, clock, me })
}

async function answered<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    throw new StoreUnavailable(error.message, { cause: error })
  }
}

function holderIn(value: Uint8Array): Holder | null {
  try {
    const content: unknown = JSON.parse(fromUtf8(value))
    const holder = isObject(content) ? content['holder'] : null
    if (!isObject(holder)) return null
    const { brokerId, incarnationId } = holder
    if (!Number.isSafeInteger(brokerId) || typeof incarnationId !== 'string') return null
    return { brokerId: brokerId as number, incarnationId }
  } catch {
    return null
  }
}
