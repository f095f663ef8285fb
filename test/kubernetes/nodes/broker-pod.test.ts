import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { metadata } from '../../../src/broker/wire/messages/index.ts'
import { batchOf, fill, mebibyte, readAll } from '../../data-path/load.ts'
import { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually, measuredAgain } from '../../helpers/eventually.ts'
import { metricsOf, sumOf } from '../../helpers/metrics.ts'
import { evict } from '../../helpers/page-cache.ts'
import { freePort } from '../control-plane/ports.ts'
import { storageClass } from '../node/disk.ts'
import { productRepository, productVersion } from '../node/product-image.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'
import { openTunnel } from './tunnel.ts'

/** A broker in a pod as restricted as an operator's, and no operator: what it finds there by itself. */
const namespace = 'broker-pod'
const image = `${productRepository}:${productVersion}`

async function kubectl(...args: readonly string[]): Promise<string> {
  return (await sharedCluster().plane.kubectl(['-n', namespace, ...args])).stdout
}

async function apply(...items: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  const args = ['-n', namespace, 'apply', '--server-side', '-f', '-']
  await sharedCluster().plane.kubectl(args, { input })
}

interface Pod {
  readonly spec: { readonly nodeName: string }
  readonly status: {
    readonly phase: string
    readonly podIP: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly {
      readonly state: {
        readonly terminated?: { readonly exitCode: number; readonly message?: string }
      }
    }[]
  }
}

const podNamed = async (name: string) =>
  JSON.parse(await kubectl('get', 'pod', name, '-o', 'json')) as Pod

function pod(name: string, settings: Readonly<Record<string, string>>, spec: object = {}): object {
  const given = { 'termination.log.file': '/dev/termination-log', ...settings }
  const main = {
    name: 'main',
    image,
    imagePullPolicy: 'IfNotPresent',
    args: [
      'broker',
      ...Object.entries(given).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    ],
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    },
    readinessProbe: { httpGet: { path: '/readyz', port: 9404 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'data', mountPath: '/var/lib/logcluster' }],
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 5,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10001,
        fsGroup: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [main],
      volumes: [{ name: 'data', emptyDir: {} }],
      ...spec,
    },
  }
}

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: storageClass,
    resources: { requests: { storage: '1Gi' } },
  },
}

/** One that its clients dial by `port`, in the pod and through a tunnel. */
let port: number
let ip: string

describeOnNodes('a broker in a pod', () => {
  beforeAll(async () => {
    port = await freePort('127.0.0.1')
    await sharedCluster().plane.kubectl(['create', 'namespace', namespace])
    const settings = {
      listeners: `INTERNAL://0.0.0.0:${port}`,
      'advertised.listeners': `INTERNAL://broker.nowhere.example:${port}`,
      'advertised.listeners.loopback.enable': 'true',
      'http.address': '0.0.0.0:9404',
      'log.dirs': '/var/lib/logcluster/data',
    }
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    await apply(claim, pod('broker', settings, { volumes }))
    const ready = await eventually(
      'a broker that is ready',
      () => podNamed('broker'),
      ({ status }) =>
        status.conditions?.some(each => each.type === 'Ready' && each.status === 'True') ?? false,
    )
    ip = ready.status.podIP
  })

  test('finds cachestat denied, and takes mincore in its place', async () => {
    const status = JSON.parse(
      await kubectl(
        'get',
        '--raw',
        `/api/v1/namespaces/${namespace}/pods/broker:9404/proxy/v1/status`,
      ),
    ) as Record<string, unknown>
    expect(status).toMatchObject({
      isReady: true,
      pageCacheSource: 'mincore',
      offlinePartitions: [],
    })
    const samples = await metricsOf({ http: `${ip}:9404` })
    expect(sumOf(samples, 'logcluster_page_cache_source_info', { source: 'mincore' })).toBe(1)
  })

  test('tells the true hit ratio all the same', async () => {
    const from = { topic: 'history', partition: 0 }
    const count = 64
    using client = await BrokerClient.connect(port, { host: ip, timeoutMs: 30_000 })
    await client.createTopics([{ name: from.topic }])
    await fill(client, from, batchOf(mebibyte), count)
    const samples = () => metricsOf({ http: `${ip}:9404` })
    await eventually(
      'everything is durable',
      async () => sumOf(await samples(), 'logcluster_unflushed_bytes'),
      bytes => bytes === 0,
    )
    const counted = async () => {
      const found = await samples()
      const of = (name: string) => sumOf(found, name, { topic: from.topic }) || 0
      return {
        sent: of('logcluster_page_cache_sent_bytes_total'),
        hit: of('logcluster_page_cache_hit_bytes_total'),
      }
    }
    const ratio = async (): Promise<number> => {
      const before = await counted()
      const bytes = await readAll(client, from, count, mebibyte)
      const isCounted = ({ sent }: { sent: number }) => sent >= before.sent + bytes
      const after = await eventually('all is counted', counted, isCounted)
      return (after.hit - before.hit) / bytes
    }
    expect(
      await measuredAgain('hit ratio of what is there', ratio, it => it >= 0.99),
    ).toBeLessThanOrEqual(1)
    const volume = (
      JSON.parse(await kubectl('get', 'pvc', 'data', '-o', 'json')) as {
        spec: { volumeName: string }
      }
    ).spec.volumeName
    const { nodeName } = (await podNamed('broker')).spec
    const disk = sharedCluster()
      .node(nodeName)
      .disks.find(each => each.volume === volume)!
    const cold = async (): Promise<number> => {
      await evict(join(disk.path, 'data'))
      return ratio()
    }
    expect(
      await measuredAgain('hit ratio of what is not', cold, it => it <= 0.05),
    ).toBeGreaterThanOrEqual(0)
  })

  test('tells who comes by kubectl port-forward to come that way again', async () => {
    using _ = await openTunnel({ namespace, to: 'pod/broker', ports: [port, port] })
    using first = await BrokerClient.connect(port, { timeoutMs: 30_000 })
    const wish = {
      topics: [],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    const { brokers } = await first.wire.request(metadata, wish)
    expect(brokers).toMatchObject([{ host: 'localhost', port }])
    using again = await BrokerClient.connect(brokers[0]!.port, { host: brokers[0]!.host })
    await again.createTopics([{ name: 'tunnelled' }])
    const produced = await again.produce({ topic: 'tunnelled', partition: 0 }, batchOf(1024))
    expect(produced.errorCode).toBe(0)
    using direct = await BrokerClient.connect(port, { host: ip })
    const told = await direct.wire.request(metadata, wish)
    expect(told.brokers).toMatchObject([{ host: 'broker.nowhere.example', port }])
  })

  test('that refuses to start says so where kubelet finds it', async () => {
    await apply(pod('refuses', { 'num.partition': '3' }))
    const { status } = await eventually(
      'the end of the pod',
      () => podNamed('refuses'),
      found => found.status.phase === 'Failed',
    )
    const ended = status.containerStatuses?.[0]?.state.terminated
    expect(ended?.exitCode).toBe(78)
    expect(JSON.parse(ended?.message ?? '')).toMatchObject({
      reason: 'ConfigurationInvalid',
      message: expect.stringContaining('did you mean num.partitions?') as string,
    })
  })
})
