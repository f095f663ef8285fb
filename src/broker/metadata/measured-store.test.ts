import { expect, test } from 'vitest'
import { measuredStore, type StoreOutcome } from './measured-store.ts'
import { type MetadataStore, StoreError, StoreUnavailable } from './store.ts'

const cursor = { nextSequence: 1, lastHash: 'none' }
const noBytes = new Uint8Array(0)
const limits = {
  snapshotIntervalMax: 1,
  unsnapshottedMax: 2,
  room: { usedBytes: 3, bytesMax: 4 },
  payloadBytesMax: 5,
}

/** A store of which every operation gives what `answer` does, a quarter of a second later. */
function measured(answer: () => unknown): { store: MetadataStore; told: unknown[] } {
  let nowMs = 0
  const told: unknown[] = []
  const give = async (): Promise<never> => {
    nowMs += 250
    return answer() as never
  }
  const lease = { observe: give, acquire: give, renew: give, release: give }
  const operations = { readAll: give, append: give, writeSnapshot: give, rebuild: give }
  const bare: MetadataStore = { ...limits, ...operations, lease, close: () => Promise.resolve() }
  const meter = { observe: (...facts: readonly unknown[]) => void told.push(facts) }
  return { store: measuredStore(bare, { monotonic: () => nowMs }, meter), told }
}

test('each operation is told once, with its time, whatever store it is', async () => {
  const { store, told } = measured(() => true)
  await store.readAll()
  await store.rebuild!({ snapshot: null, tail: [], cursor })
  await store.lease.observe()
  await store.lease.acquire({ force: false })
  await store.lease.renew()
  await store.lease.release()
  expect(told).toEqual(
    ['read', 'rebuild', 'lease-observe', 'lease-acquire', 'lease-renew', 'lease-release'].map(
      operation => [operation, 'ok', 0.25],
    ),
  )
  expect(store).toMatchObject(limits)
})

test.each<[string, unknown, StoreOutcome]>([
  ['committed', { kind: 'committed', cursor }, 'ok'],
  ['lost', { kind: 'lost' }, 'conflict'],
  ['not answered', { kind: 'unavailable' }, 'unknown'],
])('an append that is %s', async (_, outcome, name) => {
  const { store, told } = measured(() => outcome)
  expect(await store.append(cursor, 1, noBytes)).toBe(outcome)
  expect(told).toEqual([['append', name, 0.25]])
})

test.each<[string, unknown, StoreOutcome]>([
  ['written', { kind: 'written', cursor }, 'ok'],
  ['lost', { kind: 'lost' }, 'conflict'],
  ['not begun', { kind: 'unavailable' }, 'unavailable'],
  ['in use or not', { kind: 'unknown' }, 'unknown'],
])('a snapshot that is %s', async (_, outcome, name) => {
  const { store, told } = measured(() => outcome)
  expect(await store.writeSnapshot(cursor, 1, noBytes)).toBe(outcome)
  expect(told).toEqual([['snapshot', name, 0.25]])
})

test('a lease that another has is a conflict, and a store that fails is told from one that is silent', async () => {
  const { store, told } = measured(() => false)
  expect(await store.lease.renew()).toBe(false)
  expect(told).toEqual([['lease-renew', 'conflict', 0.25]])
  for (const [error, name] of [
    [new StoreUnavailable('silent'), 'unavailable'],
    [new StoreError('failed', 'broken'), 'refused'],
  ] as const) {
    const failing = measured(() => {
      throw error
    })
    await expect(failing.store.readAll()).rejects.toBe(error)
    expect(failing.told).toEqual([['read', name, 0.25]])
  }
})

test('a store that cannot be rebuilt still cannot', () => {
  const { store: whole } = measured(() => true)
  const bare: MetadataStore = { ...whole }
  delete bare.rebuild
  const meter = { observe: () => {} }
  expect(measuredStore(bare, { monotonic: () => 0 }, meter)).not.toHaveProperty('rebuild')
})
