import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdStore } from '../../src/broker/metadata/etcd/etcd-store.ts'
import type { KeyValues } from '../../src/etcd/key-values.ts'
import { realClock as clock } from '../../src/env/real/clock.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Etcd, whyNoEtcd } from '../helpers/etcd.ts'
import { testMetadataStore } from '../metadata/store-conformance.ts'

const why = whyNoEtcd()
const title = why === null ? 'the etcd store on a real etcd' : `the etcd store: ${why}`

describe.skipIf(why !== null && process.env['CI'] !== 'true')(title, () => {
  let etcd: Etcd
  const opened: KeyValues[] = []
  let prefixes = 0

  beforeAll(async () => {
    etcd = await Etcd.start()
  })
  afterAll(async () => {
    for (const keyValues of opened) keyValues.close()
    await etcd.end()
  })

  const storeOf = (prefix: string, brokerId: number): EtcdStore => {
    const keyValues = etcd.connect()
    opened.push(keyValues)
    const incarnationId = `process ${brokerId}`
    return new EtcdStore({
      keyValues,
      clock,
      prefix,
      brokerId,
      incarnationId,
      snapshotIntervalMax: 200,
    })
  }

  testMetadataStore(
    () => {
      const prefix = `/logcluster/test-${prefixes++}/`
      return {
        open: () => Promise.resolve(storeOf(prefix, 0)),
        beside: () => Promise.resolve(storeOf(prefix, 1)),
      }
    },
    { runCount: 10 },
  )

  test('an append whose answer does not come is committed by repetition, once', async () => {
    const store = storeOf('/logcluster/paused/', 0)
    const { cursor } = await store.readAll()
    await etcd.pause()
    expect(await store.append(cursor, 1, utf8('a'))).toMatchObject({ kind: 'unavailable' })
    etcd.goOn()
    expect(await store.append(cursor, 1, utf8('a'))).toMatchObject({ kind: 'committed' })
    expect((await store.readAll()).tail).toHaveLength(1)
  })

  test('what was committed is there after kill -9, and a large snapshot is whole', async () => {
    const store = storeOf('/logcluster/killed/', 0)
    const first = await store.append((await store.readAll()).cursor, 1, utf8('x'.repeat(1_000_000)))
    if (first.kind !== 'committed') throw new Error(first.kind)
    const state = utf8('y'.repeat(3_000_000))
    expect((await store.writeSnapshot(first.cursor, 1, state)).kind).toBe('written')
    await etcd.kill()
    await expect(store.readAll()).rejects.toThrow(/POST http/)
    await etcd.start()
    const log = await store.readAll()
    expect(log.snapshot?.payload).toEqual(state)
    expect([log.tail.length, log.cursor]).toEqual([0, first.cursor])
  })

  test('a lease is one holder at a time, and can be taken by force', async () => {
    const [one, other] = [storeOf('/logcluster/lease/', 0), storeOf('/logcluster/lease/', 1)]
    expect(await one.lease.acquire({ force: false })).toBe(true)
    expect(await other.lease.acquire({ force: false })).toBe(false)
    expect(await other.lease.observe()).toEqual({
      isHeld: true,
      isMine: false,
      holder: { brokerId: 0 },
    })
    expect(await other.lease.acquire({ force: true })).toBe(true)
    expect(await one.lease.renew()).toBe(false)
    await other.lease.release()
    expect(await one.lease.acquire({ force: false })).toBe(true)
    await one.close()
    await other.close()
  })
})
