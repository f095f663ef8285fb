import { describe, expect, test } from 'vitest'
import { StubKubectl } from '../../../test/helpers/stub-kubectl.ts'
import { drain, rebalance, replace, restart } from './change.ts'
import { planText } from './plan.ts'
import { reportFiles } from './report.ts'
import { statusText } from './status.ts'

const nowMs = Date.parse('2026-11-27T20:00:00Z')
const inStreaming = ['--namespace=streaming']

const cluster = {
  kind: 'LogCluster',
  metadata: {
    name: 'orders',
    namespace: 'streaming',
    creationTimestamp: '2026-11-25T17:00:00Z',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"password":"hunter2"}' },
    managedFields: [{ manager: 'kubectl' }],
  },
  spec: {
    pools: [{ template: { pod: { spec: { env: [{ name: 'PASSWORD', value: 'hunter2' }] } } } }],
  },
  status: {
    version: '0.1.0',
    columns: { brokers: '1/1', status: 'Running' },
    listeners: [{ name: 'internal', bootstrap: 'orders-bootstrap.streaming.svc:9092' }],
    conditions: [
      condition('Ready', 'True', 'Serving', 'Clients are served.'),
      condition('Degraded', 'True', 'DiskNearlyFull', 'Grow the volume of orders-main-0.'),
      condition('Paused', 'False', 'Active', ''),
    ],
  },
}

function condition(type: string, status: string, reason: string, message: string): object {
  return { type, status, reason, message, lastTransitionTime: '2026-11-25T17:00:05Z' }
}

function brokerOf(name: string, of: string, brokerId: number): object {
  return {
    kind: 'LogBroker',
    metadata: { name, namespace: 'streaming', creationTimestamp: '2026-11-25T17:00:00Z' },
    spec: { clusterRef: { name: of }, pool: 'main', slot: brokerId, brokerId },
    status: {
      incarnation: 2,
      node: 'node-1',
      version: '0.1.0',
      startedAt: '2026-11-27T18:00:00Z',
      volume: { claim: `data-${name}-2` },
      conditions: [condition('Ready', 'True', 'Serving', '')],
    },
  }
}

const answers = {
  'get logcluster orders': cluster,
  'get logclusters': { items: [cluster] },
  'get logbrokers': {
    items: [brokerOf('orders-main-0', 'orders', 0), brokerOf('other-main-0', 'other', 0)],
  },
  'get logbroker orders-main-0': brokerOf('orders-main-0', 'orders', 0),
  'patch ': '',
  'get --raw /api/v1/namespaces/streaming/pods/orders-main-0-0:9404/proxy/v1/status': {
    brokerId: 0,
    startedAtMs: nowMs - 7_260_000,
    version: '0.1.0',
    isReady: true,
    notReadyReason: null,
    quarantineReason: null,
    isMetadataWaiting: true,
    strayCount: 1,
    partitionCount: 12,
    offlinePartitions: [{ topic: 'payments', partitionIndex: 3, reason: 'Its folder is gone.' }],
    pageCacheSource: 'mincore',
    laggingGroups: [
      { group: 'billing', lagRecords: 7 },
      { group: 'audit', lagRecords: 1200 },
    ],
  },
}

describe('status', () => {
  test('shows what the operator says beside what the broker says, and then what is not as it should be', async () => {
    const kubectl = new StubKubectl(answers)
    const wish = { name: 'orders', scope: inStreaming, nowMs }
    expect(await statusText(kubectl, wish)).toBe(
      [
        'NAMESPACE   CLUSTER   READY   BROKERS   VERSION   STATUS    AGE',
        'streaming   orders    True    1/1       0.1.0     Running   2d3h',
        '',
        'BROKER          ID   READY   NODE     VERSION   UP     PARTITIONS   OFFLINE   STRAY   PAGE CACHE',
        'orders-main-0   0    True    node-1   0.1.0     2h1m   12           1         1       mincore',
        '',
        'LISTENER   BOOTSTRAP',
        'internal   orders-bootstrap.streaming.svc:9092',
        '',
        'GROUP     RECORDS BEHIND',
        'audit     1200',
        'billing   7',
        '',
        'orders: Degraded=True DiskNearlyFull: Grow the volume of orders-main-0.',
        'orders-main-0 waits for the metadata store in Kubernetes.',
        'orders-main-0: payments-3 is offline: Its folder is gone.',
      ].join('\n'),
    )
  })

  test('tells of a broker that does not answer, and of all the rest', async () => {
    const {
      'get --raw /api/v1/namespaces/streaming/pods/orders-main-0-0:9404/proxy/v1/status': _,
      ...silent
    } = answers
    const text = await statusText(new StubKubectl(silent), { name: null, scope: [], nowMs })
    expect(text).toContain('orders-main-0   0    Unknown   node-1   0.1.0     -')
    expect(text).toContain('\norders-main-0 does not answer: Error from server (Forbidden)')
  })

  test('says so where there is nothing', async () => {
    const nothing = new StubKubectl({ 'get logclusters': { items: [] } })
    expect(await statusText(nothing, { name: null, scope: [], nowMs })).toBe(
      'There is no LogCluster here; -A looks into all namespaces.',
    )
  })
})

describe('restart', () => {
  test('writes the time into the spec of the cluster, and nothing else', async () => {
    const kubectl = new StubKubectl(answers)
    await restart(kubectl, { name: 'orders', broker: null, scope: inStreaming, nowMs })
    expect(kubectl.patches).toEqual([
      {
        target: 'logcluster orders --namespace=streaming',
        change: { spec: { restartedAt: '2026-11-27T20:00:00Z' } },
      },
    ])
  })

  test('writes it into one LogBroker where one is named', async () => {
    const kubectl = new StubKubectl(answers)
    await restart(kubectl, { name: 'orders', broker: 'orders-main-0', scope: inStreaming, nowMs })
    expect(kubectl.patches.map(({ target }) => target)).toEqual([
      'logbroker orders-main-0 --namespace=streaming',
    ])
  })

  test('restarts what has just started, though the clock here is behind', async () => {
    const kubectl = new StubKubectl(answers)
    const behind = Date.parse('2026-11-27T17:59:00Z')
    await restart(kubectl, { name: 'orders', broker: null, scope: inStreaming, nowMs: behind })
    expect(kubectl.patches[0]!.change).toEqual({ spec: { restartedAt: '2026-11-27T18:00:01Z' } })
  })

  test('says that nothing happens while the cluster is paused', async () => {
    const paused = { ...cluster, spec: { ...cluster.spec, reconciliation: 'Paused' } }
    const kubectl = new StubKubectl({ ...answers, 'get logcluster orders': paused })
    const wish = { name: 'orders', broker: null, scope: inStreaming, nowMs }
    expect(await restart(kubectl, wish)).toContain('streaming/orders is paused')
    expect(await restart(new StubKubectl(answers), wish)).not.toContain('paused')
  })

  test('names the brokers that there are where another cluster’s is named', async () => {
    const wish = { name: 'orders', broker: 'other-main-0', scope: inStreaming, nowMs }
    await expect(restart(new StubKubectl(answers), wish)).rejects.toThrow(
      'LogCluster orders has no broker other-main-0: it has orders-main-0',
    )
  })
})

describe('replace', () => {
  test.each([
    [false, 'Refuse'],
    [true, 'Accept'],
  ])(
    'names the incarnation that there is now; with acceptance %s it writes %s',
    async (acceptsDataLoss, dataLoss) => {
      const kubectl = new StubKubectl(answers)
      const told = await replace(kubectl, { name: 'orders-main-0', acceptsDataLoss, scope: [] })
      expect(kubectl.patches).toEqual([
        {
          target: 'logbroker orders-main-0 --namespace=streaming',
          change: { spec: { replace: { incarnation: 2, dataLoss } } },
        },
      ])
      expect(told).toContain('incarnation 2 (claim data-orders-main-0-2)')
    },
  )

  test('changes nothing of a broker that never had a disk', async () => {
    const { metadata, spec } = brokerOf('orders-main-0', 'orders', 0) as Record<string, object>
    const kubectl = new StubKubectl({
      'get logbroker': { metadata, spec, status: {} },
      'patch ': '',
    })
    const wish = { name: 'orders-main-0', acceptsDataLoss: true, scope: [] }
    await expect(replace(kubectl, wish)).rejects.toThrow('has no disk yet')
    expect(kubectl.patches).toEqual([])
  })
})

describe('drain', () => {
  test.each([
    [true, 'Drained'],
    [false, 'Normal'],
  ])('writes into one LogBroker whether it is to lead: %s, %s', async (isWanted, leadership) => {
    const kubectl = new StubKubectl(answers)
    const told = await drain(kubectl, { name: 'orders-main-0', isWanted, scope: inStreaming })
    expect(kubectl.patches).toEqual([
      {
        target: 'logbroker orders-main-0 --namespace=streaming',
        change: { spec: { leadership } },
      },
    ])
    expect(told).toContain('streaming/orders-main-0')
  })
})

describe('rebalance', () => {
  test('writes into the LogCluster how replicas move, and nothing that was not asked for', async () => {
    const kubectl = new StubKubectl(answers)
    const wish = { name: 'orders', scope: inStreaming }
    const told = await rebalance(kubectl, { ...wish, state: 'Paused', throttle: null })
    expect(told).toContain('streaming/orders: no replica begins to move')
    await rebalance(kubectl, { ...wish, state: 'Active', throttle: '50Mi' })
    await rebalance(kubectl, { ...wish, state: null, throttle: 'none' })
    const changes: unknown[] = kubectl.patches.map(({ change }) => change)
    expect(changes).toEqual([
      { spec: { rebalance: { state: 'Paused' } } },
      { spec: { rebalance: { state: 'Active', throttle: '50Mi' } } },
      { spec: { rebalance: { throttle: null } } },
    ])
    expect(kubectl.patches[0]!.target).toBe('logcluster orders --namespace=streaming')
  })
})

describe('plan', () => {
  const none = { count: 0, names: [] }
  const risk = { brokerId: 0, isFenced: false, isDrained: false, leads: 4, behind: none }
  const risks = {
    controllerId: 0,
    brokers: [
      { ...risk, underMin: { count: 1, names: ['orders-3'] }, offline: none, unavoidableCount: 2 },
    ],
  }
  const path = '/api/v1/namespaces/streaming/pods/orders-main-0-0:9404/proxy/v1/restart-risk'
  const asked = { name: 'orders', scope: inStreaming }

  test('shows what is to come, what it waits for, and what a restart would risk; and changes nothing', async () => {
    const message = '1 partitions have too few other replicas in sync, first orders-3'
    const entry = { broker: 'orders-main-0', action: 'Restart', state: 'Waiting', message }
    const planned = {
      ...cluster,
      status: { ...cluster.status, plan: [{ ...entry, partitions: ['orders-3'] }] },
    }
    const kubectl = new StubKubectl({
      ...answers,
      'get logcluster orders': planned,
      [`get --raw ${path}`]: risks,
    })
    expect(await planText(kubectl, asked)).toBe(
      [
        'BROKER          ACTION    STATE     WHY',
        `orders-main-0   Restart   Waiting   ${message}`,
        'in the way of orders-main-0: orders-3',
        '',
        'What a restart would risk now:',
        'BROKER          STATE     LEADS   BEHIND   UNDER MIN   OFFLINE   UNAVOIDABLE',
        'orders-main-0   in sync   4       0        1           0         2',
        'a restart of orders-main-0 would harm: orders-3',
      ].join('\n'),
    )
    expect(kubectl.patches).toEqual([])
  })

  test('says so where there is nothing to come, and where nobody answers', async () => {
    expect(await planText(new StubKubectl(answers), asked)).toBe(
      'The operator plans nothing for orders.\n\nNo broker answers that tells what a restart would risk.',
    )
  })
})

describe('report', () => {
  const env = { name: 'KEY', value: 'hunter2' }
  const all = {
    ...answers,
    'get pods': {
      items: [
        {
          kind: 'Pod',
          metadata: { name: 'orders-main-0-0', namespace: 'streaming' },
          spec: { containers: [{ env: [env, { name: 'POD_IP', valueFrom: { fieldRef: {} } }] }] },
        },
      ],
    },
    'get persistentvolumeclaims': {
      items: [
        { kind: 'PersistentVolumeClaim', metadata: { name: 'c' }, spec: { volumeName: 'pv-1' } },
      ],
    },
    'get persistentvolumes pv-1': { items: [] },
    'get configmaps': {
      items: [
        { kind: 'ConfigMap', metadata: { name: 'orders-main-0-config-1' } },
        {
          kind: 'ConfigMap',
          metadata: { name: 'orders-md-00', labels: { 'app.kubernetes.io/component': 'metadata' } },
        },
      ],
    },
    'get logtopics': {
      items: [
        { kind: 'LogTopic', metadata: { name: 'mine' }, spec: { clusterRef: { name: 'orders' } } },
        {
          kind: 'LogTopic',
          metadata: { name: 'foreign' },
          spec: { clusterRef: { name: 'other' } },
        },
      ],
    },
    'logs orders-main-0-0': '{"msg":"Broker ready"}\n',
    'get --raw': 'logcluster_up 1\n',
  }

  test('has no value of an environment variable, no earlier spec, and never asks for a Secret', async () => {
    const kubectl = new StubKubectl(all)
    const files = await reportFiles(kubectl, { name: 'orders', scope: inStreaming })
    const whole = files.map(({ text }) => text).join('\n')
    expect(whole).toContain('"PASSWORD"')
    expect(whole).toContain('"KEY"')
    expect(whole).toContain('"fieldRef"')
    expect(whole).not.toContain('hunter2')
    expect(whole).not.toContain('managedFields')
    expect(kubectl.calls.filter(call => /secret/i.test(call))).toEqual([])
    expect(kubectl.patches).toEqual([])
  })

  test('has what is the cluster’s and nothing of others, and says what could not be had', async () => {
    const files = await reportFiles(new StubKubectl(all), { name: 'orders', scope: inStreaming })
    const text = (path: string): string => files.find(file => file.path === path)?.text ?? ''
    expect(files.map(({ path }) => path)).toEqual([
      'logcluster.json',
      'logbrokers.json',
      'pods.json',
      'persistentvolumeclaims.json',
      'logtopics.json',
      'configmaps.json',
      'persistentvolumes.json',
      'orders-main-0-0/status.json',
      'orders-main-0-0/metrics.txt',
      'orders-main-0-0/log.txt',
      'orders-main-0-0/previous-log.txt',
      'errors.txt',
    ])
    expect(text('logtopics.json')).not.toContain('foreign')
    expect(text('configmaps.json')).not.toContain('orders-md-00')
    expect(text('errors.txt')).toMatch(/^services: Error from server \(Forbidden\)/m)
    expect(text('errors.txt')).toMatch(/^get events|^events/m)
  })
})
