import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../../../src/env/real/clock.ts'
import { realRandom } from '../../../../src/env/real/random.ts'
import { Informer } from '../../../../src/operator/kubernetes/informer.ts'
import type { ConfigMap, Draft } from '../../../../src/operator/kubernetes/objects.ts'
import { resources } from '../../../../src/operator/kubernetes/resources.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { startControlPlane } from '../../cluster.ts'
import { apiClient, type ApiClient } from './api-client.ts'

let plane: Awaited<ReturnType<typeof startControlPlane>>
/** Straight to the API server, whatever becomes of the informer's way there. */
let admin: ApiClient

beforeAll(async () => {
  plane = await startControlPlane()
  admin = apiClient(plane.kubeconfig)
})

afterAll(async () => {
  await admin?.[Symbol.asyncDispose]()
  await plane?.[Symbol.asyncDispose]()
})

const namespace = 'default'

function apply(name: string, value: string, labels: Record<string, string> = { is: 'watched' }) {
  return admin.api.apply(resources.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, labels },
    data: { value },
  } as Draft)
}

async function remove(name: string): Promise<void> {
  const stored = await admin.api.get(resources.configMaps, { namespace, name })
  await admin.api.delete(resources.configMaps, stored!.metadata)
}

/** An informer behind a link that can be cut, and all that it has told: `+name=value`, `~name=value`, `-name`. */
async function watching(label: string) {
  const { link, kubeconfig } = await plane.openLink()
  const client = apiClient(kubeconfig)
  const told: string[] = []
  const failures: string[] = []
  const informer = new Informer<ConfigMap>({
    api: client.api,
    clock: realClock,
    random: realRandom,
    resource: resources.configMaps,
    scope: { namespace, labelSelector: `is=${label}` },
    indexOf: () => null,
    onChange: ({ before, after }) => {
      const object = (after ?? before)!
      const sign = before === null ? '+' : after === null ? '-' : '~'
      told.push(`${sign}${object.metadata.name}=${object.data?.['value']}`)
    },
    onFailure: reason => failures.push(reason),
    signal: client.end.signal,
  })
  const ended = informer.run()
  await informer.synced
  return {
    informer,
    link,
    told,
    failures,
    requests: client.requests,
    async [Symbol.asyncDispose]() {
      client.end.abort()
      await client[Symbol.asyncDispose]()
      await ended
      await link.close()
    },
  }
}

function lists({ requests }: { readonly requests: readonly string[] }): number {
  return requests.filter(request => request === 'list 200').length
}

/** The next that is told, up to `last`. */
async function toldUpTo(told: string[], last: string): Promise<string[]> {
  await eventually(
    `${last} is told`,
    () => told,
    all => all.includes(last),
  )
  return told.splice(0)
}

describe('an informer of a real API server', () => {
  test('asks which version is that of now without a list', async () => {
    await using watch = await watching('watched')
    watch.told.length = 0
    await apply('newest', '1')
    await toldUpTo(watch.told, '+newest=1')
    const at = await admin.api.latest(resources.configMaps, { namespace })
    const { resourceVersion } = watch.informer.get({ namespace, name: 'newest' })!.metadata
    expect(BigInt(at)).toBeGreaterThanOrEqual(BigInt(resourceVersion))
    expect(lists(watch)).toBe(1)
    await remove('newest')
  })

  test('lists in pages, and without what it did not ask for', async () => {
    const names = Array.from({ length: 1100 }, (_, at) => `paged-${at}`)
    const batches = names.splice(0)
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        for (let name = batches.pop(); name !== undefined; name = batches.pop()) {
          await apply(name, 'x', { is: 'paged' })
        }
      }),
    )
    await using watch = await watching('paged')
    expect(watch.informer.size).toBe(1100)
    expect(lists(watch)).toBe(3)
    const one = watch.informer.get({ namespace, name: 'paged-7' })
    expect(one).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' })
    expect(one?.metadata.managedFields).toBeUndefined()
  })

  test('misses nothing where it is refused for a while, nor where its watch is cut', async () => {
    await using watch = await watching('watched')
    await apply('a', '1')
    expect(await toldUpTo(watch.told, '+a=1')).toEqual(['+a=1'])
    watch.link.refuse()
    await apply('a', '2')
    await apply('b', '1')
    await eventually(
      'it has tried in vain',
      () => watch.failures.length,
      count => count >= 2,
    )
    watch.link.restore()
    expect(await toldUpTo(watch.told, '+b=1')).toEqual(['~a=2', '+b=1'])
    expect(lists(watch)).toBe(2)
    const opened = (): number => watch.requests.filter(it => it === 'watch 200').length
    await eventually('it watches again', opened, count => count === 2)
    watch.link.cut()
    await remove('a')
    expect(await toldUpTo(watch.told, '-a=2')).toEqual(['-a=2'])
    expect(lists(watch)).toBe(3)
    await remove('b')
  })

  test('tells the differences where the API server was restarted and remembers less', async () => {
    await apply('kept', '1')
    await apply('changed', '1')
    await apply('gone', '1')
    await using watch = await watching('watched')
    watch.told.length = 0
    watch.link.refuse()
    await apply('changed', '2')
    await remove('gone')
    await apply('new', '1')
    await plane.apiServer.kill()
    await plane.apiServer.start()
    watch.link.restore()
    await eventually(
      'all is told',
      () => watch.told,
      all => all.length === 3,
    )
    expect(watch.told.toSorted()).toEqual(['+new=1', '-gone=1', '~changed=2'])
    await apply('kept', '2')
    await eventually(
      'it watches on',
      () => watch.told,
      all => all.at(-1) === '~kept=2',
    )
    for (const name of ['kept', 'changed', 'new']) await remove(name)
  })

  test('is told of an etcd that was restored to an older state', async () => {
    await apply('old', '1')
    const snapshot = await plane.snapshotEtcd()
    await using watch = await watching('watched')
    for (let round = 0; round < 20; round++) await apply('young', String(round))
    await toldUpTo(watch.told, '~young=19')
    await plane.restoreEtcd(snapshot)
    await apply('other', '1')
    await eventually(
      'it is as it was',
      () => watch.told.toSorted(),
      all => all.length === 2,
    )
    expect(watch.told.toSorted()).toEqual(['+other=1', '-young=19'])
    for (const name of ['old', 'other']) await remove(name)
  })

  test('is told of it too where its watch was cut when others had written as many versions as were lost', async () => {
    await apply('old', '1')
    const snapshot = await plane.snapshotEtcd()
    await using watch = await watching('watched')
    for (let round = 0; round < 20; round++) await apply('young', String(round))
    await toldUpTo(watch.told, '~young=19')
    const { resourceVersion: reached } = watch.informer.get({ namespace, name: 'young' })!.metadata
    watch.link.silence()
    await plane.restoreEtcd(snapshot)
    for (let latest = '0'; BigInt(latest) <= BigInt(reached);) {
      await apply('foreign', latest, { is: 'foreign' })
      latest = await admin.api.latest(resources.configMaps, { namespace })
    }
    watch.link.cut()
    watch.link.restore()
    await eventually(
      'it is as it was',
      () => watch.told,
      all => all.includes('-young=19'),
    )
    for (const name of ['old', 'foreign']) await remove(name)
  })

  test('is not told of foreign objects, however many there are', async () => {
    await using watch = await watching('watched')
    watch.told.length = 0
    for (let at = 0; at < 50; at++) await apply(`foreign-${at}`, 'x', { is: 'foreign' })
    await apply('last', '1')
    expect(await toldUpTo(watch.told, '+last=1')).toEqual(['+last=1'])
    expect(watch.informer.size).toBe(1)
    await remove('last')
  })
})
