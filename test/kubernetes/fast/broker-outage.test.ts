import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { TestBroker } from '../../helpers/broker.ts'
import { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually } from '../../helpers/eventually.ts'
import { WireGroup } from '../../helpers/wire-groups.ts'
import { startControlPlane } from '../cluster.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { clusterId, RealRing } from '../ring.ts'

const namespace = 'outages'
const batch = encodeBatch({ records: [{ key: null, value: utf8('value') }] })
const orders = { topic: 'orders', partition: 0 }
let plane: ControlPlane & AsyncDisposable
const brokers: TestBroker[] = []
let groupCount = 0

beforeAll(async () => {
  plane = await startControlPlane()
  await plane.kubectl(['create', 'namespace', namespace])
})

afterAll(async () => {
  for (const broker of brokers) await broker[Symbol.asyncDispose]()
  await plane[Symbol.asyncDispose]()
})

/** A broker process whose metadata lie in the real API, with a broker's rights, and its disk recorded by us. */
async function recordedBroker(cluster: string): Promise<TestBroker> {
  const ring = await RealRing.make(plane, namespace, cluster)
  ring.close()
  const name = `${cluster}-main-0-identity`
  await permitIdentity(cluster, name)
  const { url, tokenFile, authorityFile } = await plane.serviceAccount(
    namespace,
    `${cluster}-broker`,
    plane.url,
  )
  const broker = new TestBroker({
    settings: {
      'node.id': '0',
      'cluster.id': clusterId,
      'metadata.store': 'kubernetes',
      'kubernetes.namespace': namespace,
      'kubernetes.cluster.name': cluster,
      'kubernetes.api.url': url,
      'kubernetes.token.file': tokenFile,
      'kubernetes.ca.file': authorityFile,
      'identity.config.map': name,
      'group.initial.rebalance.delay.ms': '0',
      'offsets.topic.num.partitions': '1',
    },
  })
  brokers.push(broker)
  const started = broker.start()
  const file = join(broker.dataDir, 'meta.properties')
  const properties = await eventually(
    'the disk',
    () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
    text => text.includes('recorded=false'),
  )
  const directoryId = /^directory\.id=(.*)$/m.exec(properties)![1]!
  const data = { directoryId, mayFormat: 'false' }
  const patch = ['patch', 'configmap', name, '-n', namespace, '-p', JSON.stringify({ data })]
  await plane.kubectl(patch)
  await started
  return broker
}

async function permitIdentity(cluster: string, name: string): Promise<void> {
  const roleGroup = 'rbac.authorization.k8s.io'
  const data = { clusterId, brokerId: '0', incarnation: '1', directoryId: '', mayFormat: 'true' }
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs: ['get'] },
  ]
  const items = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
    { apiVersion: `${roleGroup}/v1`, kind: 'Role', metadata: { name }, rules },
    {
      apiVersion: `${roleGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: roleGroup, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name: `${cluster}-broker`, namespace }],
    },
  ]
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  await plane.kubectl(['create', '-n', namespace, '-f', '-'], { input: list })
}

/** What every client needs, at a new connection: to write, to read, to commit, and an id of a producer. */
async function isServed(broker: TestBroker, topic = orders): Promise<number> {
  using client = await BrokerClient.connect(broker.port)
  expect(await client.produce(topic, batch)).toMatchObject({ errorCode: 0 })
  expect((await client.fetch(topic, 0)).records.length).toBeGreaterThan(0)
  const group = new WireGroup(client, `group-${groupCount++}`)
  await eventually(
    'the coordinator',
    () => group.find(),
    error => error === 'NONE',
  )
  await group.enter()
  const { errorCode, producerId } = await client.initProducerId()
  expect(errorCode).toBe(0)
  return Number(producerId)
}

async function create(broker: TestBroker, name: string) {
  using client = await BrokerClient.connect(broker.port)
  return (await client.createTopics([{ name }])).topics[0]!
}

test('a broker serves without an API server, starts without one, and goes on when it is back', async () => {
  const broker = await recordedBroker('away')
  expect((await create(broker, 'orders')).errorCode).toBe(0)
  const ids = [await isServed(broker)]
  await plane.apiServer.kill()
  ids.push(await isServed(broker))
  await broker.kill()
  await broker.start()
  const { pid } = broker
  ids.push(await isServed(broker), await isServed(broker))
  expect((await create(broker, 'late')).errorMessage).toMatch(
    /Nothing can be changed: .*does not answer/,
  )
  expect(await broker.metric('logcluster_metadata_waiting')).toBe(1)
  await plane.apiServer.start()
  await eventually(
    'the API',
    () => broker.metric('logcluster_metadata_waiting'),
    waiting => waiting === 0,
  )
  expect((await create(broker, 'late')).errorCode).toBe(0)
  ids.push(await isServed(broker))
  expect(new Set(ids).size).toBe(ids.length)
  expect(broker.pid).toBe(pid)
})

test('etcd as it was before: data is served, nothing is appended, deleted or given out twice, until it is restored', async () => {
  const broker = await recordedBroker('rolled')
  expect((await create(broker, 'orders')).errorCode).toBe(0)
  const before = await plane.snapshotEtcd()
  expect((await create(broker, 'late')).errorCode).toBe(0)
  const late = { topic: 'late', partition: 0 }
  const ids = [await isServed(broker), await isServed(broker, late)]
  const whole = await plane.snapshotEtcd()
  await plane.restoreEtcd(before)
  const ends = await slots()
  // Only who writes finds out at once; who starts does too.
  await eventually(
    'the quarantine',
    async () => {
      await create(broker, 'later')
      return broker.metric('logcluster_metadata_quarantined')
    },
    quarantined => quarantined === 1,
  )
  ids.push(await isServed(broker), await isServed(broker, late))
  await broker.kill()
  await broker.start()
  expect(await broker.metric('logcluster_metadata_quarantined')).toBe(1)
  ids.push(await isServed(broker), await isServed(broker, late))
  expect((await create(broker, 'later')).errorMessage).toMatch(/went back in time/)
  expect(await broker.metric('logcluster_stray_logs')).toBe(0)
  expect(await slots()).toBe(ends)

  await plane.restoreEtcd(whole)
  await eventually(
    'the end',
    () => broker.metric('logcluster_metadata_quarantined'),
    quarantined => quarantined === 0,
  )
  expect((await create(broker, 'later')).errorCode).toBe(0)
  ids.push(await isServed(broker), await isServed(broker, late))
  expect(new Set(ids).size).toBe(ids.length)
})

/** What all slots of the ring hold. */
async function slots(): Promise<string> {
  const names = Array.from({ length: 64 }, (_, at) => `rolled-md-${String(at).padStart(2, '0')}`)
  const heads = '{range .items[*]}{.data.head}{"\\n"}{end}'
  const output = ['-o', `jsonpath=${heads}`]
  const { stdout } = await plane.kubectl(['get', 'configmap', '-n', namespace, ...names, ...output])
  return stdout
}
