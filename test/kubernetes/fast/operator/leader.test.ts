import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigMap } from '../../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { startControlPlane } from '../../cluster.ts'
import { HoldingProxy } from './holding-proxy.ts'
import { installCrds } from '../../crds.ts'

let plane: Awaited<ReturnType<typeof startControlPlane>>
const children = new Set<ChildProcess>()

beforeAll(async () => {
  plane = await startControlPlane()
  await installCrds(plane)
})

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await plane?.[Symbol.asyncDispose]()
})

/** An operator in a process of its own, as a user of its own, behind a proxy that can keep a request back. */
async function operator(namespace: string, instance: string) {
  const user = `${instance}-in-${namespace}`
  const proxy = await HoldingProxy.open(plane.kubeconfigOf(`/O=system:masters/CN=${user}`))
  const driver = join(import.meta.dirname, 'leader-driver.ts')
  const child = spawn(process.execPath, [driver, proxy.url, namespace, instance], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const ended = once(child, 'exit').then(([code]) => {
    children.delete(child)
    return code as number | null
  })
  const said: string[] = []
  createInterface({ input: child.stdout! }).on('line', line => said.push(line))
  return {
    user,
    proxy,
    child,
    ended,
    said: (message: string) =>
      eventually(
        `${instance} says ${message}`,
        () => said,
        lines => lines.some(line => line.includes(`"msg":"${message}"`)),
      ),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      await proxy[Symbol.asyncDispose]()
    },
  }
}

async function applied(namespace: string, object: object): Promise<void> {
  await plane.kubectl(['-n', namespace, 'apply', '-f', '-'], { input: JSON.stringify(object) })
}

function configMap(namespace: string, name: string, data: Record<string, string>): Promise<void> {
  return applied(namespace, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })
}

async function read(namespace: string, name: string): Promise<ConfigMap> {
  const asked = ['-n', namespace, 'get', 'configmap', name, '-o', 'json']
  return JSON.parse((await plane.kubectl(asked)).stdout) as ConfigMap
}

function logCluster(namespace: string, name: string): Promise<void> {
  const volumes = [{ name: 'data', size: '1Gi' }]
  return applied(namespace, {
    apiVersion: 'logcluster.dev/v1beta1',
    kind: 'LogCluster',
    metadata: { name },
    spec: { version: '0.1.0', pools: [{ name: 'main', brokers: 1, storage: { volumes } }] },
  })
}

/** `verb name code` of what a user asked of ConfigMaps that changes them. */
function writes(user: string): string[] {
  return plane.audit
    .since()
    .filter(it => it.user.username === user && it.objectRef?.resource === 'configmaps')
    .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    .map(it => `${it.verb} ${it.objectRef?.name ?? ''} ${it.responseStatus?.code}`)
    .toSorted()
}

function leaseWrites(): string[] {
  return plane.audit
    .since()
    .filter(({ verb, objectRef }) => objectRef?.resource === 'leases' && verb === 'update')
    .filter(({ responseStatus }) => responseStatus?.code === 200)
    .map(({ user }) => user.username)
}

/** The stop of the issue: twice as long as a Lease lasts. */
const stopMs = 30_000

describe('of two operators', () => {
  test('a leader that is stopped between its decision and its write does nothing twice', async () => {
    const namespace = 'stopped'
    await plane.kubectl(['create', 'namespace', namespace])
    for (const wish of ['delete', 'create', 'permit', 'look']) {
      await configMap(namespace, wish, { do: wish === 'look' ? 'delete' : wish })
    }
    await configMap(namespace, 'delete-victim', { is: 'old' })
    await configMap(namespace, 'look-victim', { is: 'old' })
    await configMap(namespace, 'permit-identity', { mayFormat: 'never yet' })
    await using a = await operator(namespace, 'a')
    await a.said('Leads')
    await using b = await operator(namespace, 'b')
    await b.said('Caches are filled')
    const path = (name: string) => `/configmaps/${name}`
    const held = [
      a.proxy.hold(
        'request',
        (method, url) => method === 'DELETE' && url.endsWith(path('delete-victim')),
      ),
      a.proxy.hold('request', (method, url) => method === 'POST' && url.includes('/configmaps?')),
      a.proxy.hold(
        'request',
        (method, url) => method === 'PATCH' && url.includes(path('permit-identity')),
      ),
      // Its look is answered, but the answer reaches it when it is no leader any more.
      a.proxy.hold(
        'answer',
        (method, url) => method === 'GET' && url.endsWith(path('look-victim')),
      ),
    ]
    for (const name of ['delete', 'create', 'permit', 'look']) await logCluster(namespace, name)
    for (const { come } of held) await come
    a.child.kill('SIGSTOP')
    const stopped = sleep(stopMs)
    await b.said('Leads')
    await eventually(
      'b has done it all',
      () => writes(b.user),
      all => all.length === 4,
    )
    // What follows from it, by others: a new one of the same name, the permission withdrawn.
    const renewed = ['delete-victim', 'look-victim']
    for (const name of renewed) await configMap(namespace, name, { is: 'old' })
    const uids = await Promise.all(
      renewed.map(async name => (await read(namespace, name)).metadata.uid),
    )
    await configMap(namespace, 'permit-identity', { mayFormat: 'false' })
    await stopped
    for (const one of held) one.release()
    await eventually(
      'the requests have arrived',
      () => writes(a.user),
      all => all.length === 3,
    )
    a.child.kill('SIGCONT')
    expect(await a.ended).toBe(1)
    expect(writes(a.user)).toEqual([
      'create create-made 409',
      'delete delete-victim 409',
      'patch permit-identity 409',
    ])
    expect(writes(b.user)).toEqual([
      'create create-made 201',
      'delete delete-victim 200',
      'delete look-victim 200',
      'patch permit-identity 200',
    ])
    const after = await Promise.all(
      renewed.map(async name => (await read(namespace, name)).metadata.uid),
    )
    expect(after).toEqual(uids)
    expect((await read(namespace, 'permit-identity')).data).toMatchObject({
      mayFormat: 'false',
      by: 'b',
    })
    expect((await read(namespace, 'create-made')).data).toEqual({ by: 'b' })
  })

  test('the second takes over at once from one that is told to end, which acts no more by then', async () => {
    const namespace = 'ended'
    await plane.kubectl(['create', 'namespace', namespace])
    await configMap(namespace, 'slow', { do: 'create' })
    await using a = await operator(namespace, 'a')
    await a.said('Leads')
    await using b = await operator(namespace, 'b')
    await b.said('Caches are filled')
    const held = a.proxy.hold(
      'request',
      (method, url) => method === 'POST' && url.includes('/configmaps?'),
    )
    await logCluster(namespace, 'slow')
    await held.come
    a.child.kill('SIGTERM')
    held.release()
    expect(await a.ended).toBe(0)
    await b.said('Leads')
    expect(writes(a.user)).toEqual(['create slow-made 201'])
    const holders = leaseWrites().filter(user => user.endsWith('ended'))
    expect(holders.lastIndexOf(a.user)).toBe(holders.indexOf(b.user) - 1)
  })

  test('the second waits for one that is gone without a word until its Lease is over', async () => {
    const namespace = 'killed'
    await plane.kubectl(['create', 'namespace', namespace])
    await using a = await operator(namespace, 'a')
    await a.said('Leads')
    await using b = await operator(namespace, 'b')
    await b.said('Caches are filled')
    a.child.kill('SIGKILL')
    await a.ended
    await b.said('Leads')
    const asked = ['-n', namespace, 'get', 'lease', 'leader', '-o', 'json']
    const { spec } = JSON.parse((await plane.kubectl(asked)).stdout) as {
      spec: { holderIdentity: string; leaseTransitions: number; acquireTime: string }
    }
    expect(spec.holderIdentity).toMatch(/^b_/)
    expect(spec.leaseTransitions).toBe(1)
  })
})
