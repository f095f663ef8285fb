import { describe, expect, test } from 'vitest'
import type { KubernetesStore } from '../../src/broker/metadata/kubernetes/kubernetes-store.ts'
import type { StoredLog } from '../../src/broker/metadata/store.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { append, appendAll, SimulatedRing, texts } from './simulated-ring.ts'
import { expectChain } from './store-conformance.ts'

test('a process killed between any two writes leaves a log with everything that was acknowledged, and that goes on', async () => {
  let isComplete = false
  for (let kill = 1; !isComplete; kill++) {
    const ring = new SimulatedRing({ slotCount: 4, chunkCount: 3, chunkBytesMax: 40 })
    const acknowledged: string[] = []
    const { promise: death, resolve: die } = Promise.withResolvers<void>()
    const work = workload(ring.store({ objects: ring.api.client(kill, die) }), acknowledged)
    await Promise.race([work.then(() => (isComplete = true)), death])
    const store = ring.store()
    const log = await store.readAll()
    expectChain(log)
    const found = texts(log)
      .join('')
      .split(' ')
      .filter(text => text !== '')
    expect(found.slice(0, acknowledged.length)).toEqual(acknowledged)
    expect(found.length).toBeLessThanOrEqual(acknowledged.length + 1)
    const written = await store.writeSnapshot(log.cursor, 2, utf8(texts(log).join('')))
    expect(written.kind).toBe('written')
    await append(store, (await store.readAll()).cursor, 'after', 2)
    expect(texts(await store.readAll()).join('')).toBe(`${texts(log).join('')}after`)
    if (kill > 200) throw new Error('the workload never ends')
  }
})

async function workload(store: KubernetesStore, acknowledged: string[]): Promise<void> {
  let { cursor } = await store.readAll()
  for (let count = 0; count < 8; count++) {
    cursor = await append(store, cursor, `record-${count} `)
    acknowledged.push(`record-${count}`)
    if (count % 2 === 0) continue
    const written = await store.writeSnapshot(cursor, 1, utf8(`${acknowledged.join(' ')} `))
    if (written.kind !== 'written') throw new Error(written.kind)
    cursor = written.cursor
  }
}

describe('a ring that is made anew for a cluster with data', () => {
  async function lostRing(count: number): Promise<StoredLog> {
    const store = new SimulatedRing().store()
    let { cursor } = await store.readAll()
    for (let at = 1; at <= count; at++) {
      cursor = await append(store, cursor, `record ${at}`, 3)
      if (at % 40 !== 0) continue
      const written = await store.writeSnapshot(cursor, 3, utf8(`state ${at}`))
      if (written.kind === 'written') cursor = written.cursor
    }
    return store.readAll()
  }

  test.each([0, 1, 39, 41, 100])(
    'is filled from a copy of %i records, kills in between included',
    async count => {
      const copy = await lostRing(count)
      let isComplete = false
      for (let kill = 1; !isComplete; kill += 17) {
        const ring = new SimulatedRing(undefined, 'disks')
        await expect(ring.store().readAll()).rejects.toMatchObject({ reason: 'awaitsCopy' })
        const { cursor } = copy
        await expect(ring.store().append(cursor, 4, utf8('x'))).rejects.toMatchObject({
          reason: 'awaitsCopy',
        })
        void ring
          .store({ objects: ring.api.client(kill) })
          .rebuild(copy)
          .then(() => (isComplete = true))
        await ring.clock.settle()
        const store = ring.store()
        await store.rebuild(copy)
        // What was before the snapshot is in no copy.
        const { history: _, ...whole } = copy
        expect(await store.readAll()).toMatchObject(whole)
        const next = await append(store, copy.cursor, 'next', 4)
        expect((await store.readAll()).cursor).toEqual(next)
      }
    },
  )

  test('is not filled over another log', async () => {
    const copy = await lostRing(41)
    const ring = new SimulatedRing()
    await appendAll(ring.store(), ['a'])
    await expect(ring.store().rebuild(copy)).rejects.toMatchObject({ reason: 'unsuitable' })
    expect(texts(await ring.store().readAll())).toEqual(['a'])
  })
})
