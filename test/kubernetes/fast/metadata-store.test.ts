import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesStore } from '../../../src/broker/metadata/kubernetes/kubernetes-store.ts'
import type { Cursor, StoredLog } from '../../../src/broker/metadata/store.ts'
import { sleep } from '../../../src/env/clock.ts'
import { realClock } from '../../../src/env/real/clock.ts'
import type { NamedObjects, NoReply } from '../../../src/kubernetes/named-objects.ts'
import { fromUtf8, utf8 } from '../../../src/lib/bytes.ts'
import { eventually } from '../../helpers/eventually.ts'
import { testMetadataStore, type StorePlace } from '../../metadata/store-conformance.ts'
import { startControlPlane } from '../cluster.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { RealRing } from '../ring.ts'

const namespace = 'rings'
let plane: ControlPlane & AsyncDisposable
let count = 0
const rings: RealRing[] = []

beforeAll(async () => {
  plane = await startControlPlane()
  await plane.kubectl(['create', 'namespace', namespace])
})

afterAll(async () => {
  for (const ring of rings) ring.close()
  await plane[Symbol.asyncDispose]()
})

async function makeRing(options: Parameters<typeof RealRing.make>[3] = {}): Promise<RealRing> {
  const ring = await RealRing.make(plane, namespace, `ring${count++}`, options)
  rings.push(ring)
  return ring
}

async function append(store: KubernetesStore, cursor: Cursor, text: string): Promise<Cursor> {
  const outcome = await store.append(cursor, 1, utf8(text))
  if (outcome.kind !== 'committed') throw new Error(`append: ${JSON.stringify(outcome)}`)
  return outcome.cursor
}

async function appendAll(store: KubernetesStore, payloads: readonly string[]): Promise<Cursor> {
  let { cursor } = await store.readAll()
  for (const payload of payloads) cursor = await append(store, cursor, payload)
  return cursor
}

function texts({ snapshot, tail }: StoredLog): string[] {
  return [snapshot, ...tail].flatMap(each => (each === null ? [] : [fromUtf8(each.payload)]))
}

describe('the Kubernetes store at a real API server', () => {
  // A ring of its own for each test costs a second, and reading one 64 requests.
  testMetadataStore(realPlace, { runCount: 4 })
})

function realPlace(): StorePlace {
  let made: Promise<RealRing> | null = null
  let lossy: LossyObjects | null = null
  const ring = (): Promise<RealRing> => (made ??= makeRing())
  return {
    async open() {
      lossy = new LossyObjects((await ring()).objects())
      return (await ring()).store({ objects: lossy })
    },
    beside: async () => (await ring()).store({ brokerId: 1 }),
    makeAmbiguous: outcome => lossy!.loseNext(outcome),
  }
}

/** A network that swallows the next update, or its answer, and the looks that follow. */
class LossyObjects implements NamedObjects {
  readonly #inner: NamedObjects
  #next: 'applied' | 'dropped' | null = null
  #silentGets = 0

  constructor(inner: NamedObjects) {
    this.#inner = inner
  }

  loseNext(outcome: 'applied' | 'dropped'): void {
    this.#next = outcome
  }

  get: NamedObjects['get'] = (kind, name) => {
    if (this.#silentGets === 0) return this.#inner.get(kind, name)
    this.#silentGets--
    return Promise.resolve(silence)
  }

  update: NamedObjects['update'] = async (kind, object) => {
    const outcome = this.#next
    this.#next = null
    if (outcome === null) return this.#inner.update(kind, object)
    if (outcome === 'applied') await this.#inner.update(kind, object)
    this.#silentGets = 2
    return silence
  }

  close(): void {
    this.#inner.close()
  }
}

const silence: NoReply = {
  type: 'unavailable',
  isUnknown: true,
  reason: 'the network swallowed it',
  retryAfterMs: null,
}

describe('the ring at a real API server', () => {
  test('gets over an annotation (409), and leaves it there', async () => {
    const ring = await makeRing()
    const objects = ring.objects()
    let touches = 0
    const store = ring.store({
      objects: {
        ...bound(objects),
        update: async (kind, object) => {
          const { name } = object.metadata
          if (touches++ === 0) {
            await plane.kubectl(['annotate', '-n', namespace, 'configmap', name, 'note=seen'])
          }
          return objects.update(kind, object)
        },
      },
    })
    const cursor = await appendAll(store, ['a'])
    expect(touches).toBe(2)
    const kept = await objects.get('ConfigMap', `${ring.cluster}-md-00`)
    expect(kept).toMatchObject({
      object: {
        metadata: {
          annotations: { note: 'seen' },
          labels: { 'app.kubernetes.io/name': 'logcluster' },
        },
      },
    })
    await append(store, cursor, 'b')
    expect(texts(await store.readAll())).toEqual(['a', 'b'])
  })

  test('says that it does not answer while it is cut off, and goes on after', async () => {
    const { link } = await plane.openLink()
    await using _ = link
    const ring = await makeRing({ url: link.url })
    const store = ring.store()
    let cursor = await appendAll(store, ['a'])
    link.refuse()
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'unavailable' })
    await expect(ring.store().readAll()).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await expect(store.lease.acquire({ force: false })).rejects.toMatchObject({
      name: 'StoreUnavailable',
    })
    link.restore()
    cursor = await again(store, cursor, 'b')
    link.silence()
    expect(await store.append(cursor, 1, utf8('c'))).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(/no answer within 2000 ms/),
    })
    link.restore()
    await again(store, cursor, 'c')
    expect(texts(await store.readAll())).toEqual(['a', 'b', 'c'])
  })

  test('with a lost answer to a PUT that was written commits it once', async () => {
    const { link } = await plane.openLink()
    await using _ = link
    const ring = await makeRing({ url: link.url })
    const objects = ring.objects()
    const direct = await makeDirect(ring)
    const store = ring.store({
      objects: {
        ...bound(objects),
        update: async (kind, object) => {
          const reply = objects.update(kind, object)
          // The request is on its way; what comes back is cut off as soon as the other side has it.
          await eventually('the write', async () => {
            const found = await direct.get(kind, object.metadata.name)
            return found.type === 'found' && JSON.stringify(found.object).includes('"writer\\":0')
          })
          link.refuse()
          return (await reply).type === 'stored' ? silence : reply
        },
      },
    })
    const { cursor } = await store.readAll()
    expect(await store.append(cursor, 1, utf8('a'))).toMatchObject({ kind: 'unavailable' })
    link.restore()
    await again(store, cursor, 'a')
    expect(texts(await store.readAll())).toEqual(['a'])
  })

  test('waits as long as an overloaded API server says (429)', async () => {
    await using busy = await startControlPlane({
      apiServerArgs: [
        '--max-requests-inflight=1',
        '--max-mutating-requests-inflight=1',
        '--enable-priority-and-fairness=false',
      ],
    })
    await busy.kubectl(['create', 'namespace', namespace])
    const ring = await RealRing.make(busy, namespace, 'busy')
    rings.push(ring)
    const objects = ring.objects()
    const refused = async () => {
      const asked = Array.from({ length: 200 }, () => objects.get('ConfigMap', 'busy-md-00'))
      return (await Promise.all(asked)).filter(reply => reply.type === 'unavailable')
    }
    // It may be done with each before the next one has come.
    const told = await eventually('two at a time', refused, found => found.length > 0)
    for (const reply of told) {
      expect(reply).toMatchObject({ isUnknown: false, reason: expect.stringMatching(/429/) })
      expect(reply.retryAfterMs).toBeGreaterThanOrEqual(1_000)
    }
    const store = ring.store()
    const cursor = { nextSequence: 1, lastHash: '0'.repeat(64) }
    await again(store, cursor, 'a')
  })

  test('holds what was acknowledged, whichever write the process died after', async () => {
    let isComplete = false
    for (let kill = 1; !isComplete; kill++) {
      const ring = await makeRing()
      const acknowledged: string[] = []
      const { promise: death, resolve: die } = Promise.withResolvers<void>()
      const objects = mortal(ring.objects(), kill, die)
      const work = workload(ring.store({ objects }), acknowledged)
      await Promise.race([work.then(() => (isComplete = true)), death])
      const store = ring.store()
      const log = await store.readAll()
      const found = texts(log).join('')
      expect(found.startsWith(acknowledged.join(''))).toBe(true)
      expect(found.length).toBeLessThanOrEqual(acknowledged.length + 1)
      await append(store, log.cursor, 'x')
      expect(texts(await store.readAll()).join('')).toBe(`${found}x`)
    }
  })

  test.each(['md-02', 'md-03'])('without slot %s takes nothing and makes nothing', async name => {
    const ring = await makeRing()
    const store = ring.store()
    const cursor = await appendAll(store, ['a', 'b', 'c'])
    await plane.kubectl(['delete', '-n', namespace, 'configmap', `${ring.cluster}-${name}`])
    const damaged = { reason: 'damaged', message: expect.stringMatching(/it does not exist/) }
    await expect(store.append(cursor, 1, utf8('x'))).rejects.toMatchObject(damaged)
    await expect(ring.store().readAll()).rejects.toMatchObject(damaged)
    expect(await ring.objects().get('ConfigMap', `${ring.cluster}-${name}`)).toEqual({
      type: 'missing',
    })
  })

  test('made anew for a cluster with data is filled from a copy', async () => {
    const lost = (await makeRing()).store()
    const cursor = await appendAll(lost, ['a', 'b'])
    await lost.writeSnapshot(cursor, 1, utf8('ab'))
    const { cursor: after } = await lost.readAll()
    await append(lost, after, 'c')
    const copy = await lost.readAll()
    const ring = await makeRing({ from: 'disks' })
    await expect(ring.store().readAll()).rejects.toMatchObject({ reason: 'awaitsCopy' })
    const store = ring.store()
    await store.rebuild(copy)
    // What came before the copy's snapshot is not in it, and so not in the ring.
    const { snapshot, tail, cursor: end } = copy
    expect(await store.readAll()).toMatchObject({ snapshot, tail, cursor: end })
    await append(store, copy.cursor, 'd')
  })

  test('has a Lease that the next holder takes when it is not renewed', async () => {
    const ring = await makeRing()
    const [one, other] = [ring.store(), ring.store({ brokerId: 1 })]
    expect(await one.lease.acquire({ force: false })).toBe(true)
    expect(await one.lease.renew()).toBe(true)
    expect(await other.lease.acquire({ force: false })).toBe(false)
    expect(await other.lease.observe()).toMatchObject({ isHeld: true, isMine: false })
    await one.lease.release()
    expect(await other.lease.acquire({ force: false })).toBe(true)
    await other.lease.release()
  })

  test('restored from an older etcd is not written to', async () => {
    await using own = await startControlPlane()
    await own.kubectl(['create', 'namespace', namespace])
    const ring = await RealRing.make(own, namespace, 'restored')
    rings.push(ring)
    const store = ring.store()
    await appendAll(store, ['a'])
    const backup = await own.snapshotEtcd()
    const cursor = await appendAll(store, ['b', 'c'])
    await own.restoreEtcd(backup)
    await expect(again(store, cursor, 'x')).rejects.toMatchObject({ reason: 'behind' })
    expect(texts(await ring.store().readAll())).toEqual(['a'])
  })
})

/** Two records, a snapshot, one more record; each record is a letter. */
async function workload(store: KubernetesStore, acknowledged: string[]): Promise<void> {
  let { cursor } = await store.readAll()
  for (const text of ['a', 'b', 'c']) {
    if (text === 'c') {
      const written = await store.writeSnapshot(cursor, 1, utf8('ab'))
      if (written.kind !== 'written') throw new Error(written.kind)
      cursor = written.cursor
    }
    cursor = await append(store, cursor, text)
    acknowledged.push(text)
  }
}

/** Of a process that dies when so many updates are written. */
function mortal(objects: NamedObjects, updateCount: number, died: () => void): NamedObjects {
  let left = updateCount
  return {
    ...bound(objects),
    update: async (kind, object) => {
      const reply = await objects.update(kind, object)
      left--
      if (left > 0) return reply
      died()
      return new Promise(() => {})
    },
  }
}

/** As the controller does it: the same call until its outcome is certain. */
async function again(store: KubernetesStore, cursor: Cursor, text: string): Promise<Cursor> {
  for (;;) {
    const outcome = await store.append(cursor, 1, utf8(text))
    if (outcome.kind === 'committed') return outcome.cursor
    if (outcome.kind === 'lost') throw new Error('lost')
    await sleep(realClock, outcome.retryAfterMs ?? 50)
  }
}

function bound(objects: NamedObjects): NamedObjects {
  return {
    get: (kind, name) => objects.get(kind, name),
    update: (kind, object) => objects.update(kind, object),
    close: () => objects.close(),
  }
}

/** Past the link. */
async function makeDirect(ring: RealRing): Promise<NamedObjects> {
  const direct = await RealRing.access(plane, namespace, ring.cluster)
  rings.push(direct)
  return direct.objects()
}
