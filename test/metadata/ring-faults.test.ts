import { describe, expect, test } from 'vitest'
import type { KubernetesObject } from '../../src/kubernetes/named-objects.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import { append, appendAll, SimulatedRing, texts } from './simulated-ring.ts'

const small = { slotCount: 8, chunkCount: 4, chunkBytesMax: 40 }

function countTo(count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(at))
}

describe('an append to the ring', () => {
  test.each(['applied', 'dropped'] as const)(
    'whose answer is lost (%s) is resolved by a look, and there once',
    async fault => {
      const ring = new SimulatedRing()
      const store = ring.store()
      const cursor = await appendAll(store, ['a'])
      ring.api.updateFaults.push(fault)
      expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'committed' })
      expect(texts(await store.readAll())).toEqual(['a', 'b'])
    },
  )

  test('gets over a foreign annotation (409), and leaves it there', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a'])
    let touches = 0
    ring.api.onRequest = ({ verb, name }) => {
      if (verb === 'update' && touches++ < 2) ring.api.annotate('ConfigMap', name)
    }
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'committed' })
    expect(touches).toBe(3)
    const { metadata } = ring.api.object('ConfigMap', 'orders-md-01')!
    expect(metadata).toMatchObject({ annotations: {}, labels: { ours: 'yes' } })
  })

  test('whose slot others touch all the time is put off, and never lost', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a'])
    ring.api.onRequest = ({ verb, name }) => {
      if (verb === 'update') ring.api.annotate('ConfigMap', name)
    }
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({
      kind: 'unavailable',
      reason: 'others touch the slot all the time',
    })
    ring.api.onRequest = () => {}
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'committed' })
  })

  test('that is told to wait (429) says for how long, and wrote nothing', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a'])
    ring.api.updateFaults.push({ type: 'busy', retryAfterMs: 3_000 })
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 3_000,
    })
    ring.api.getFaults.push({ type: 'busy', retryAfterMs: 7_000 })
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ retryAfterMs: 7_000 })
    expect(texts(await ring.store().readAll())).toEqual(['a'])
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'committed' })
  })

  test('in an outage is unavailable, as reading is, and is taken when it is over; people are told both once', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a'])
    ring.api.isReachable = false
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'unavailable' })
    }
    await expect(ring.store().readAll()).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await expect(store.lease.acquire({ force: false })).rejects.toMatchObject({
      name: 'StoreUnavailable',
    })
    ring.api.isReachable = true
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'committed' })
    expect(ring.warnings.filter(text => text.includes('answers again')).length).toBe(1)
    expect(ring.warnings.filter(text => text.includes('topics cannot be changed')).length).toBe(2)
  })

  test('of unknown fate that a whole round has gone over can never be known, and says so', async () => {
    const ring = new SimulatedRing(small)
    const store = ring.store()
    const cursor = await appendAll(store, ['a'])
    ring.makeAmbiguous('applied')
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'unavailable' })
    const other = ring.store({ brokerId: 1 })
    let { cursor: theirs } = await other.readAll()
    for (let count = 0; count < 2 * small.slotCount; count++) {
      theirs = await append(other, theirs, `x${count}`, 2)
      if (count % 3 !== 0) continue
      const written = await other.writeSnapshot(theirs, 2, utf8('s'))
      if (written.kind === 'written') theirs = written.cursor
    }
    await expect(store.append(cursor, 1, utf8('b'))).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'failed',
      message: expect.stringMatching(/may be part of the log or not/),
    })
  })

  test('never overwrites what comes after the newest snapshot; a snapshot makes room', async () => {
    const ring = new SimulatedRing(small)
    const store = ring.store()
    const cursor = await appendAll(store, countTo(small.slotCount))
    expect(await store.append(cursor, 1, utf8('x'))).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(/no room for record 9 before the next snapshot/),
    })
    expect(texts(await store.readAll())).toEqual(countTo(small.slotCount))
    expect(await store.writeSnapshot(cursor, 1, utf8('all'))).toMatchObject({ kind: 'written' })
    const { cursor: later } = await store.readAll()
    await append(store, later, 'x')
    expect(texts(await store.readAll())).toEqual(['all', 'x'])
  })
})

describe('the ring', () => {
  test('that went back in time is not written to, and is read as it is', async () => {
    for (const [before, after] of [
      [3, 2],
      [3, 1],
      [3, small.slotCount - 3],
    ] as const) {
      const ring = new SimulatedRing(small)
      const store = ring.store()
      await appendAll(store, countTo(before))
      const restore = ring.api.save()
      const cursor = await appendAll(store, countTo(after))
      restore()
      const writes = ring.api.writeCount
      for (const attempt of [
        () => store.append(cursor, 1, utf8('x')),
        () => store.writeSnapshot(cursor, 1, utf8('x')),
      ]) {
        await expect(attempt()).rejects.toMatchObject({
          name: 'StoreError',
          reason: 'behind',
          message: expect.stringMatching(
            /went back in time.*Nothing was changed.*runbook LogClusterMetadataQ/s,
          ),
        })
      }
      expect(ring.api.writeCount).toBe(writes)
      expect(texts(await store.readAll())).toEqual(countTo(before))
    }
  })

  test('of which one slot went back in time is not written to', async () => {
    const ring = new SimulatedRing(small)
    const store = ring.store()
    const old = ring.api.object('ConfigMap', 'orders-md-02')!
    let cursor = await appendAll(store, countTo(small.slotCount))
    const written = await store.writeSnapshot(cursor, 1, utf8('all'))
    if (written.kind !== 'written') throw new Error(written.kind)
    cursor = await append(store, written.cursor, 'x')
    ring.api.touch('ConfigMap', 'orders-md-02', () => old)
    await expect(store.append(cursor, 1, utf8('y'))).rejects.toMatchObject({
      reason: 'behind',
      message: expect.stringMatching(/md-02: it holds record -5, and held 3 before/),
    })
  })

  test('that was restored and written on is not written to by who knows the other end', async () => {
    const ring = new SimulatedRing(small)
    const store = ring.store()
    await appendAll(store, ['a'])
    const restore = ring.api.save()
    const cursor = await appendAll(store, ['b'])
    restore()
    await appendAll(ring.store({ brokerId: 1 }), ['c'])
    await expect(store.append(cursor, 1, utf8('x'))).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(/record 2 is another one/),
    })
  })

  test.each([
    ['the last record', 'orders-md-02'],
    ['the next slot', 'orders-md-03'],
  ])('without %s takes nothing, and makes nothing', async (_, name) => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a', 'b', 'c'])
    ring.api.delete('ConfigMap', name)
    const missing = {
      name: 'StoreError',
      reason: 'damaged',
      message: expect.stringMatching(new RegExp(`${name.slice(6)}: it does not exist.*deleted it`)),
    }
    await expect(store.append(cursor, 1, utf8('x'))).rejects.toMatchObject(missing)
    await expect(store.readAll()).rejects.toMatchObject(missing)
    expect(ring.api.object('ConfigMap', name)).toBe(undefined)
  })

  test('with a slot that was made anew by others is damaged', async () => {
    const ring = new SimulatedRing()
    const fresh = ring.api.object('ConfigMap', 'orders-md-01')!
    const store = ring.store()
    await appendAll(store, ['a', 'b', 'c'])
    ring.api.touch('ConfigMap', 'orders-md-01', () => fresh)
    await expect(store.readAll()).rejects.toMatchObject({ reason: 'damaged' })
  })

  const edits: readonly [string, string, Edit, RegExp][] = [
    ['no head', 'md-01', data => ({ ...data, head: undefined }), /it has no data.head/],
    [
      'another head',
      'md-01',
      data => ({ ...data, head: data['head']!.replace('"epoch":1', '"epoch":2') }),
      /data.checksum/,
    ],
    [
      'the record of another slot',
      'md-01',
      (_, ring) => ring.api.object('ConfigMap', 'orders-md-00')!['data'] as Data,
      /does not have the hash|whose place it is not|is not as long/,
    ],
  ]
  test.each(edits)(
    'with %s is damaged: what, where, and what to do',
    async (_, name, edit, text) => {
      const ring = new SimulatedRing()
      const store = ring.store()
      await appendAll(store, ['a', 'b'])
      ring.api.touch('ConfigMap', `orders-${name}`, object => {
        return { ...object, data: edit(object['data'] as Data, ring) }
      })
      const error: unknown = await store.readAll().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'StoreError', reason: 'damaged' })
      expect((error as Error).message).toMatch(text)
      expect((error as Error).message).toMatch(new RegExp(`${name}.*Do not edit`))
    },
  )

  test('with a record of another end of the log is damaged', async () => {
    const [ring, other] = [new SimulatedRing(), new SimulatedRing()]
    await appendAll(ring.store(), ['a', 'b', 'x'])
    await appendAll(other.store(), ['a', 'c', 'y'])
    const theirs = other.api.object('ConfigMap', 'orders-md-02')!
    ring.api.touch('ConfigMap', 'orders-md-02', () => theirs)
    await expect(ring.store().readAll()).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(/md-02: record 3 does not follow record 2 that is there/),
    })
  })

  test('with another payload, or an older chunk, is damaged', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const fresh = ring.api.object('ConfigMap', 'orders-snap-a-00')!
    const cursor = await appendAll(store, ['a', 'b'])
    await store.writeSnapshot(cursor, 1, utf8('ab'))
    const chunk = ring.api.object('ConfigMap', 'orders-snap-a-00')!
    ring.api.touch('ConfigMap', 'orders-snap-a-00', () => fresh)
    await expect(store.readAll()).rejects.toMatchObject({
      message: expect.stringMatching(/snap-a-00: it is not the part of snapshot 3 that it was/),
    })
    ring.api.touch('ConfigMap', 'orders-snap-a-00', () => chunk)
    const { binaryData } = ring.api.object('ConfigMap', 'orders-md-00')!
    ring.api.touch('ConfigMap', 'orders-md-01', object => ({ ...object, binaryData }))
    await expect(store.readAll()).rejects.toMatchObject({
      message: expect.stringMatching(/md-01: its content does not have the hash that it tells/),
    })
  })

  test('with the whole record of another slot is damaged', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a', 'b', 'c'])
    const first = ring.api.object('ConfigMap', 'orders-md-00')!
    ring.api.touch('ConfigMap', 'orders-md-03', object => ({ ...first, metadata: object.metadata }))
    await expect(store.append(cursor, 1, utf8('x'))).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(/md-03: it holds record 1, whose place it is not/),
    })
  })

  test('with a chunk that is not the part of the snapshot is damaged', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a'])
    await store.writeSnapshot(cursor, 1, utf8('a'))
    const foreign = ring.api.object('ConfigMap', 'orders-snap-a-01')!
    ring.api.touch('ConfigMap', 'orders-snap-a-00', object => ({
      ...foreign,
      metadata: object.metadata,
    }))
    await expect(store.readAll()).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(/snap-a-00: it is chunk 1 of side a/),
    })
  })

  test('of another cluster is refused by name', async () => {
    const ring = new SimulatedRing()
    await expect(
      ring.store({ clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ' }).readAll(),
    ).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(/of cluster 8Jb3kPz1QmSx5rT0vW2yAg.*Correct cluster.id/),
    })
  })
})

type Data = Readonly<Record<string, string>>
type Edit = (data: Data, ring: SimulatedRing) => Readonly<Record<string, string | undefined>>

describe('a snapshot in the ring', () => {
  test('in use is not destroyed by a controller that slept, was overtaken, and goes on', async () => {
    const ring = new SimulatedRing(small)
    const sleeper = ring.store()
    const cursor = await appendAll(sleeper, ['a', 'b'])
    const payload = utf8('a snapshot that takes more than one chunk of forty bytes: 0123456789')
    // It has looked at the ring, and sleeps before it looks at the first chunk.
    const { promise: awake, resolve: wake } = Promise.withResolvers<void>()
    const asleep = ring.api.client()
    const { promise: asleepNow, resolve: sleep } = Promise.withResolvers<void>()
    const objects: typeof asleep = {
      ...asleep,
      get: async (kind, name) => {
        if (name.includes('snap')) {
          sleep()
          await awake
        }
        return asleep.get(kind, name)
      },
    }
    const written = ring.store({ objects }).writeSnapshot(cursor, 1, utf8('old'.repeat(20)))
    await asleepNow
    const successor = ring.store({ brokerId: 1 })
    const claimed = await append(successor, (await successor.readAll()).cursor, 'claim', 2)
    expect(await successor.writeSnapshot(claimed, 2, payload)).toMatchObject({ kind: 'written' })
    wake()
    expect(await written).toEqual({ kind: 'lost' })
    expect(texts(await ring.store().readAll())).toEqual([fromUtf8(payload)])
  })

  test('whose commit is lost in the network is repeated until it is known, and is there once', async () => {
    for (const outcome of ['applied', 'dropped'] as const) {
      const ring = new SimulatedRing(small)
      const store = ring.store()
      const cursor = await appendAll(store, ['a'])
      ring.api.onRequest = ({ verb, name }) => {
        if (verb !== 'get' || name !== 'orders-md-01') return
        ring.api.onRequest = ({ verb: then }) => {
          if (then === 'update') ring.api.onRequest = () => {}
        }
      }
      const parts = 1
      ring.api.updateFaults.push(
        ...Array.from({ length: parts }, () => 'applied' as const),
        outcome,
      )
      let result = await store.writeSnapshot(cursor, 1, utf8('a'))
      while (result.kind === 'unknown') result = await store.writeSnapshot(cursor, 1, utf8('a'))
      expect(result).toMatchObject({ kind: 'written' })
      expect((await store.readAll()).snapshot).toMatchObject({ payload: utf8('a') })
    }
  })

  test('that is larger than the chunks is not written, and says so', async () => {
    const ring = new SimulatedRing(small)
    const store = ring.store()
    const cursor = await appendAll(store, ['a'])
    const noise = Uint8Array.from({ length: 400 }, (_, at) => (at * 7919 * at) % 256)
    const writes = ring.api.writeCount
    expect(await store.writeSnapshot(cursor, 1, noise)).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(/takes \d+ bytes, and 160 fit/),
    })
    expect(ring.api.writeCount).toBe(writes)
  })
})

test('a PUT that changes nothing is not written, and has the version that was there', async () => {
  const { api } = new SimulatedRing()
  const client = api.client()
  const found = await client.get('ConfigMap', 'orders-md-00')
  if (found.type !== 'found') throw new Error(found.type)
  const again = await client.update('ConfigMap', found.object)
  expect(again).toEqual({ type: 'stored', object: found.object })
  const touched: KubernetesObject = { ...found.object, data: {} }
  expect(await client.update('ConfigMap', touched)).toMatchObject({ type: 'stored' })
  expect(await client.update('ConfigMap', touched)).toEqual({ type: 'conflict' })
})
