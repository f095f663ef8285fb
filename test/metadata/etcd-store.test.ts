import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { SimEtcd } from '../../sim/etcd.ts'
import { EtcdStore } from '../../src/broker/metadata/etcd/etcd-store.ts'
import type { Cursor } from '../../src/broker/metadata/store.ts'
import { utf8 } from '../../src/lib/bytes.ts'

function storeAt(etcd: SimEtcd, brokerId: number): EtcdStore {
  const incarnationId = `process ${brokerId}`
  const prefix = '/logcluster/test/'
  return new EtcdStore({
    keyValues: etcd.connect(),
    clock: new SimClock(),
    prefix,
    brokerId,
    incarnationId,
  })
}

async function append(store: EtcdStore, cursor: Cursor, text: string): Promise<Cursor> {
  const outcome = await store.append(cursor, 2, utf8(text))
  if (outcome.kind !== 'committed') throw new Error(outcome.kind)
  return outcome.cursor
}

/** Goes on from wherever the log ends, and leaves nothing but a snapshot of it. */
async function overtake(store: EtcdStore, recordCount = 2): Promise<void> {
  let { cursor } = await store.readAll()
  for (let at = 0; at < recordCount; at++) cursor = await append(store, cursor, 'theirs')
  expect(await store.writeSnapshot(cursor, 2, utf8('all'))).toMatchObject({ kind: 'written' })
}

test.each(['applied', 'dropped'] as const)(
  'nobody can tell what became of an append that was %s without an answer, and trimmed meanwhile',
  async outcome => {
    const etcd = new SimEtcd()
    const [store, other] = [storeAt(etcd, 0), storeAt(etcd, 1)]
    const cursor = await append(store, (await store.readAll()).cursor, 'a')
    etcd.faults.push(outcome)
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'unavailable' })
    await overtake(other)
    await expect(store.append(cursor, 1, utf8('b'))).rejects.toMatchObject({
      reason: 'failed',
      message: expect.stringMatching(/record 2.*the next start reads/),
    })
  },
)

test('an append that was answered, or never sent, is lost where others went on and trimmed', async () => {
  const etcd = new SimEtcd()
  const [store, other] = [storeAt(etcd, 0), storeAt(etcd, 1)]
  const cursor = await append(store, (await store.readAll()).cursor, 'a')
  etcd.faults.push('dropped')
  expect(await store.append(cursor, 2, utf8('b'))).toMatchObject({ kind: 'unavailable' })
  const after = await append(store, cursor, 'b')
  await overtake(other)
  expect(await store.append(after, 1, utf8('c'))).toEqual({ kind: 'lost' })
  expect(await storeAt(etcd, 2).append(cursor, 1, utf8('x'))).toEqual({ kind: 'lost' })
})

test('an append without an answer is lost where the log ends in another record at its place', async () => {
  const etcd = new SimEtcd()
  const [store, other] = [storeAt(etcd, 0), storeAt(etcd, 1)]
  const { cursor } = await store.readAll()
  etcd.faults.push('dropped')
  expect(await store.append(cursor, 1, utf8('a'))).toMatchObject({ kind: 'unavailable' })
  await overtake(other, 1)
  expect(await store.append(cursor, 1, utf8('a'))).toEqual({ kind: 'lost' })
})
