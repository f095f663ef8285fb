import type { Clock } from '../../env/env.ts'
import {
  type AppendOutcome,
  type Lease,
  type MetadataStore,
  type SnapshotOutcome,
  StoreUnavailable,
} from './store.ts'

/** What is asked of a store: its log, or its lease. */
export const storeOperations = [
  'append',
  'snapshot',
  'read',
  'rebuild',
  'lease-observe',
  'lease-acquire',
  'lease-renew',
  'lease-release',
] as const

type StoreOperation = (typeof storeOperations)[number]

/**
 * What came of it. `conflict`: somebody else was first, or holds the lease. `unavailable`: the store did not answer, and nothing
 * was done. `unknown`: it did not answer, and may have done it. `refused`: it cannot be used (`StoreError`).
 */
export const storeOutcomes = ['ok', 'conflict', 'unavailable', 'unknown', 'refused'] as const

export type StoreOutcome = (typeof storeOutcomes)[number]

/** Told of each operation that ended, once. */
export interface StoreMeter {
  observe(operation: StoreOperation, outcome: StoreOutcome, seconds: number): void
}

/** `store`, with each operation on it told to `meter`: whichever store it is, it is measured here and nowhere else. */
export function measuredStore(
  store: MetadataStore,
  clock: Pick<Clock, 'monotonic'>,
  meter: StoreMeter,
): MetadataStore {
  /** Hands on the very promise that the store gave: who is measured goes no other way than who is not. */
  const measured = <T>(
    operation: StoreOperation,
    begin: () => Promise<T>,
    outcomeOf: (value: T) => StoreOutcome = () => 'ok',
  ): Promise<T> => {
    const startedMs = clock.monotonic()
    const tell = (outcome: StoreOutcome): void =>
      meter.observe(operation, outcome, (clock.monotonic() - startedMs) / 1000)
    const result = begin()
    result.then(
      value => tell(outcomeOf(value)),
      (error: unknown) => tell(error instanceof StoreUnavailable ? 'unavailable' : 'refused'),
    )
    return result
  }
  const canBeRebuilt = store.rebuild !== undefined
  return {
    get snapshotIntervalMax() {
      return store.snapshotIntervalMax
    },
    get unsnapshottedMax() {
      return store.unsnapshottedMax
    },
    get room() {
      return store.room
    },
    get payloadBytesMax() {
      return store.payloadBytesMax
    },
    readAll: () => measured('read', () => store.readAll()),
    append: (cursor, epoch, payload) =>
      measured('append', () => store.append(cursor, epoch, payload), outcomeOfAppend),
    writeSnapshot: (cursor, epoch, payload) =>
      measured('snapshot', () => store.writeSnapshot(cursor, epoch, payload), outcomeOfSnapshot),
    ...(canBeRebuilt && { rebuild: log => measured('rebuild', () => store.rebuild!(log)) }),
    lease: measuredLease(store.lease, measured),
    close: () => store.close(),
  } satisfies MetadataStore
}

type Measure = <T>(
  operation: StoreOperation,
  begin: () => Promise<T>,
  outcomeOf?: (value: T) => StoreOutcome,
) => Promise<T>

function measuredLease(lease: Lease, measured: Measure): Lease {
  return {
    observe: () => measured('lease-observe', () => lease.observe()),
    acquire: options => measured('lease-acquire', () => lease.acquire(options), outcomeOfHolding),
    renew: () => measured('lease-renew', () => lease.renew(), outcomeOfHolding),
    release: () => measured('lease-release', () => lease.release()),
  }
}

/** After silence nobody knows whether the record is there: the same append is repeated until that is certain. */
function outcomeOfAppend({ kind }: AppendOutcome): StoreOutcome {
  if (kind === 'committed') return 'ok'
  return kind === 'lost' ? 'conflict' : 'unknown'
}

function outcomeOfSnapshot({ kind }: SnapshotOutcome): StoreOutcome {
  if (kind === 'written') return 'ok'
  return kind === 'lost' ? 'conflict' : kind
}

function outcomeOfHolding(isHeld: boolean): StoreOutcome {
  return isHeld ? 'ok' : 'conflict'
}
