import { beforeAll, expect, test } from 'vitest'
import type { LogBroker } from '../../../src/operator/crd/broker.ts'
import type { LogCluster } from '../../../src/operator/crd/cluster.ts'
import type { Pod } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { TruthChecker, truthful } from '../truth-checker.ts'
import { example, installChart, operatorNamespace } from './installed.ts'
import { describeOnNodes, sharedAccess, sharedCluster } from './shared.ts'

const namespace = 'life'
const pod = 'orders-main-0-0'

async function kubectl(...args: readonly string[]): Promise<string> {
  return (await sharedCluster().plane.kubectl(['-n', namespace, ...args])).stdout
}

async function read<Object>(kind: string, name: string): Promise<Object> {
  return JSON.parse(await kubectl('get', kind, name, '-o', 'json')) as Object
}

async function patch(kind: string, name: string, fields: object): Promise<void> {
  await kubectl('patch', kind, name, '--type=merge', '-p', JSON.stringify(fields))
}

/** `True Serving`: status and reason of a condition, for the spec that is there now. */
async function condition(type: string): Promise<string> {
  const { metadata, status } = await read<LogCluster>('logcluster', 'orders')
  const found = status.conditions?.find(each => each.type === type)
  return found?.observedGeneration === metadata.generation ? `${found.status} ${found.reason}` : ''
}

function until(type: string, wanted: string): Promise<string> {
  return eventually(
    `${type} ${wanted}`,
    () => condition(type),
    found => found === wanted,
  )
}

async function podUid(): Promise<string> {
  return (await read<Pod>('pod', pod)).metadata.uid
}

/** The operator is away for the time of `act`. */
async function withoutOperator(act: () => Promise<void>): Promise<void> {
  const { plane } = sharedCluster()
  const scale = (replicas: number) =>
    plane.kubectl([
      ...['-n', operatorNamespace, 'scale', 'deployment/logcluster'],
      `--replicas=${replicas}`,
    ])
  await scale(0)
  await plane.kubectl([
    ...['-n', operatorNamespace, 'wait', '--for=delete', 'pod', '--all', '--timeout=60s'],
  ])
  await act()
  await scale(1)
}

describeOnNodes('the life of a broker', () => {
  beforeAll(async () => {
    await installChart()
    await sharedCluster().plane.kubectl(['create', 'namespace', namespace])
    await kubectl('apply', '-f', example('minimal.yaml'))
    await until('Stable', 'True Stable')
  })

  test('settings that brokers take while they run restart nobody, others restart once, after a check', async () => {
    const { plane, names } = sharedAccess()
    const truth = new TruthChecker({ plane, names, namespace, name: 'orders' })
    const first = await podUid()
    await patch('lc', 'orders', { spec: { config: { 'log.retention.hours': 5 } } })
    await until('Stable', 'True Stable')
    expect(await podUid()).toBe(first)
    const { status } = await read<LogBroker>('logbroker', 'orders-main-0')
    expect(status.appliedConfig).toEqual({ 'log.retention.ms': '18000000' })
    await patch('lc', 'orders', { spec: { config: { 'log.level': 'debug' } } })
    await until('Stable', 'True Stable')
    expect(await podUid()).not.toBe(first)
    expect(await kubectl('get', 'pods', '-o', 'name')).toBe(`pod/${pod}\n`)
    truthful(await truth.stop(), { longestWaitMsMax: 60_000 })
  })

  test('an image that is not there leaves the running broker alone, and says so', async () => {
    const before = await podUid()
    await patch('lc', 'orders', { spec: { version: 'nowhere' } })
    await until('Degraded', 'True CheckFailed')
    expect(await condition('Ready')).toBe('True Serving')
    expect(await podUid()).toBe(before)
    await patch('lc', 'orders', { spec: { version: null } })
    await patch('lc', 'orders', { spec: { version: '0.1.0' } })
    await until('Stable', 'True Stable')
    expect(await podUid()).toBe(before)
  })

  test('a disk that was emptied while no operator ran is refused, never formatted, and replaced by name', async () => {
    const { status } = await read<LogBroker>('logbroker', 'orders-main-0')
    const volume = status.volume?.persistentVolume
    const disk = sharedCluster()
      .nodes.flatMap(({ disks }) => disks)
      .find(each => each.volume === volume)!
    await withoutOperator(async () => {
      disk.empty()
      await kubectl('delete', 'pod', pod, '--grace-period=0', '--force')
      await eventually(
        'a broker that refused to start',
        async () => (await read<Pod>('pod', pod).catch(() => null))?.status?.containerStatuses?.[0],
        seen => (seen?.restartCount ?? 0) > 0,
      )
    })
    await until('Ready', 'False DiskEmpty')
    const identity = async () =>
      (await read<{ data: object }>('configmap', 'orders-main-0-identity')).data
    expect(await identity()).toMatchObject({ incarnation: '1', mayFormat: 'false' })
    await patch('lb', 'orders-main-0', {
      spec: { replace: { incarnation: 1, dataLoss: 'Accept' } },
    })
    await until('Stable', 'True Stable')
    expect(await identity()).toMatchObject({ incarnation: '2', mayFormat: 'false' })
    expect(await kubectl('get', 'pvc', '-o', 'name')).toContain('data-orders-main-0-1')
  })
})
