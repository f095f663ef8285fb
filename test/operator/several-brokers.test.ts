import { describe, expect, test } from 'vitest'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import type { ConfigMap, Draft, Pod, Service } from '../../src/operator/kubernetes/objects.ts'
import { isReady } from '../../src/operator/plan/pod-health.ts'
import { created, minimal, reasons, World } from './world.ts'

function of(brokers: number, memory = '1Gi') {
  const [pool] = minimal.pools
  return { ...minimal, pools: [{ ...pool!, brokers, resources: { requests: { memory } } }] }
}

const three = (memory: string) => of(3, memory)

/** The file of a broker, as its pod has it. */
function properties(world: World, broker: string): string {
  const pod = world.get<Pod>('Pod', `${broker}-0`)
  const name = pod.spec?.volumes?.find(each => each.configMap !== undefined)?.configMap?.name
  return world.get<ConfigMap>('ConfigMap', name!).data!['broker.properties']!
}

test('three brokers have ids, disks and identities of their own', async () => {
  const world = new World()
  world.apply(three('1Gi'))
  await world.converge()
  expect(world.cluster.status.columns).toEqual({ brokers: '3/3', status: 'Running' })
  const brokers = world.api.all<LogBroker>('LogBroker')
  expect(brokers.map(({ spec }) => spec.brokerId).toSorted((a, b) => a - b)).toEqual([0, 1, 2])
  expect(new Set(brokers.map(({ status }) => status.directoryId)).size).toBe(3)
  expect(world.disks.formats).toHaveLength(3)
})

test('they are restarted one after another, each once, and never while another does not serve', async () => {
  const world = new World()
  world.apply(three('1Gi'))
  await world.converge()
  const down: number[] = []
  world.api.onWrite = (moment, _, what) => {
    if (moment === 'before' && what.startsWith('delete Pod orders-main-')) {
      down.push(world.api.all<Pod>('Pod').filter(pod => !isReady(pod)).length)
    }
  }
  world.apply(three('2Gi'))
  await world.converge()
  expect(down).toEqual([0, 0, 0])
  expect(world.nodes.starts).toHaveLength(6)
  expect(world.condition('Stable')).toBe('True Stable')
})

test('one that does not start is repaired first', async () => {
  const world = new World()
  world.nodes.missingImages.add('registry.example/logcluster:nope')
  world.apply({ ...three('1Gi'), version: 'nope' })
  await world.converge()
  expect(world.cluster.status.columns?.brokers).toBe('0/3')
  world.apply(three('1Gi'))
  await world.converge()
  expect(world.cluster.status.columns).toEqual({ brokers: '3/3', status: 'Running' })
})

test('they know how many they are, and where each is found by the others', async () => {
  const world = await created(of(3))
  expect(properties(world, 'orders-main-1')).toContain(
    'cluster.size=3\ndefault.replication.factor=3\n' +
      'private.advertised.listener=orders-main-1-0.orders-brokers.streaming.svc:9091\n',
  )
})

test('a setting of the user stands for what they would be told', async () => {
  const world = await created({ ...of(3), config: { 'default.replication.factor': 2 } })
  const text = properties(world, 'orders-main-0')
  expect(text.match(/^default.replication.factor=.*$/gm)).toEqual(['default.replication.factor=2'])
})

test('one becomes three: new disks are permitted, and the first restarts once, when the others serve', async () => {
  const world = await created(of(1))
  expect(properties(world, 'orders-main-0')).not.toMatch(/cluster.size|private.advertised/)
  const down: number[] = []
  world.api.onWrite = (moment, _, what) => {
    if (moment === 'before' && /^delete Pod orders-main-\d-0$/.test(what)) {
      const brokers = world.api.all<Pod>('Pod').filter(pod => !/-check-/.test(pod.metadata.name))
      down.push(brokers.filter(pod => !isReady(pod)).length)
    }
  }
  world.apply(of(3))
  await world.converge()
  expect(world.cluster.status.columns).toEqual({ brokers: '3/3', status: 'Running' })
  expect(world.disks.formats).toHaveLength(3)
  expect(down).toEqual([0])
  expect(world.nodes.starts.toSorted()).toEqual([
    'orders-main-0-0',
    'orders-main-0-0',
    'orders-main-1-0',
    'orders-main-2-0',
  ])
  expect(properties(world, 'orders-main-0')).toContain('default.replication.factor=3\n')
})

test('three become five without a restart', async () => {
  const world = await created(of(3))
  world.apply(of(5))
  await world.converge()
  expect(world.cluster.status.columns).toEqual({ brokers: '5/5', status: 'Running' })
  expect(world.nodes.starts).toHaveLength(5)
  expect(world.condition('Stable')).toBe('True Stable')
})

test('a place whose objects were all deleted is no new one while no other disk is recorded', async () => {
  const world = await created(of(1))
  world.api.onWrite = () => {}
  const at = { namespace: 'streaming' }
  world.api.remove('ConfigMap', { ...at, name: 'orders-main-0-identity' })
  world.api.remove('LogBroker', { ...at, name: 'orders-main-0' })
  world.api.remove('PersistentVolumeClaim', { ...at, name: 'data-orders-main-0-1' })
  await world.converge()
  expect(world.identity).toMatchObject({ mayFormat: 'false' })
  expect(world.disks.formats).toHaveLength(1)
})

test('a LogBroker without its identity is one that had a disk: it gets no permission', async () => {
  const world = await created(of(3))
  world.api.remove('ConfigMap', { namespace: 'streaming', name: 'orders-main-1-identity' })
  await world.converge()
  const identity = world.get<ConfigMap>('ConfigMap', 'orders-main-1-identity')
  expect(identity.data).toMatchObject({ mayFormat: 'false' })
  expect(world.disks.formats).toHaveLength(3)
})

test('their Lease is made again where somebody deleted it', async () => {
  const world = await created(of(3))
  world.api.remove('Lease', { namespace: 'streaming', name: 'orders-controller' })
  world.clock.advance(30_000)
  await world.converge()
  expect(world.has('Lease', 'orders-controller')).toBe(true)
})

test('several pools are one cluster, with ids and disks of their own', async () => {
  const world = new World()
  const [pool] = minimal.pools
  world.apply({
    ...minimal,
    pools: [
      { ...pool!, brokers: 2 },
      { ...pool!, name: 'big', brokers: 1 },
    ],
  })
  await world.converge()
  const ids = world.api
    .all<LogBroker>('LogBroker')
    .map(({ metadata, spec }) => [metadata.name, spec.brokerId])
  expect(Object.fromEntries(ids)).toEqual({
    'orders-main-0': 0,
    'orders-main-1': 1,
    'orders-big-0': 2,
  })
  // A pool that comes first later takes nobody's number.
  world.apply({
    ...minimal,
    pools: [
      { ...pool!, name: 'first', brokers: 1 },
      { ...pool!, brokers: 2 },
      { ...pool!, name: 'big', brokers: 1 },
    ],
  })
  await world.converge()
  expect(world.get<LogBroker>('LogBroker', 'orders-first-0').spec.brokerId).toBe(3)
  expect(world.cluster.status.columns).toEqual({ brokers: '4/4', status: 'Running' })
  expect(reasons(world)).not.toContain('BrokerRestarted')
})

describe('brokers keep apart', () => {
  const affinity = (world: World) =>
    world.get<Pod>('Pod', 'orders-main-0-0').spec?.affinity?.podAntiAffinity

  test('from three on by host without exception, and by zone where that is possible', async () => {
    const found = affinity(await created(of(3)))
    const labelSelector = {
      matchLabels: { 'logcluster.dev/cluster': 'orders', 'app.kubernetes.io/component': 'broker' },
    }
    expect(found).toEqual({
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector },
      ],
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: { topologyKey: 'topology.kubernetes.io/zone', labelSelector },
        },
      ],
    })
  })

  test('with two where that is possible, and one alone from nobody', async () => {
    expect(affinity(await created(of(2)))).not.toHaveProperty(
      'requiredDuringSchedulingIgnoredDuringExecution',
    )
    expect(affinity(await created(of(1)))).toBe(undefined)
  })

  test('as spec.placement says, beside what the user gave', async () => {
    const given = {
      topologyKey: 'rack',
      labelSelector: { matchLabels: { app: 'noisy' } },
    }
    const spec = of(3)
    const affinityOf = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [given] },
    }
    const world = await created({
      ...spec,
      placement: { host: 'None', zone: 'Required' },
      pools: [{ ...spec.pools[0]!, template: { pod: { spec: { affinity: affinityOf } } } }],
    })
    const terms = affinity(world)?.requiredDuringSchedulingIgnoredDuringExecution
    expect(terms?.map(({ topologyKey }) => topologyKey)).toEqual([
      'rack',
      'topology.kubernetes.io/zone',
    ])
    expect(affinity(world)).not.toHaveProperty('preferredDuringSchedulingIgnoredDuringExecution')
  })
})

describe('clients are told', () => {
  const told = (world: World, name: string) =>
    world
      .get<Pod>('Pod', `${name}-0`)
      .spec?.containers[0]?.env?.find(each => each.name === 'LOGCLUSTER_ADVERTISED_LISTENERS')
      ?.value

  test('each broker at a Service of its own, whose address is in its status', async () => {
    const world = await created({
      ...of(2),
      listeners: [{ name: 'inside', port: 9092, expose: { type: 'ClusterIP' } }],
    })
    const name = 'orders-main-1-inside'
    expect(told(world, 'orders-main-1')).toBe(`INSIDE://${name}.streaming.svc:9092`)
    expect(world.get<Service>('Service', name).spec).toEqual({
      type: 'ClusterIP',
      publishNotReadyAddresses: true,
      selector: {
        'logcluster.dev/cluster': 'orders',
        'app.kubernetes.io/component': 'broker',
        'logcluster.dev/broker': 'orders-main-1',
      },
      ports: [{ name: 'inside', port: 9092, targetPort: 'inside' }],
    })
    expect(world.get<LogBroker>('LogBroker', 'orders-main-1').status.addresses).toEqual([
      { listener: 'inside', host: `${name}.streaming.svc`, port: 9092 },
    ])
  })

  test('what the templates of the spec make of each broker', async () => {
    const world = new World()
    world.nodes.nodePort = 31_094
    world.apply({
      ...of(2),
      listeners: [
        {
          name: 'gateway',
          port: 9092,
          expose: {
            type: 'ClusterIP',
            advertised: { host: '{pool}-{slot}.kafka.example.com', port: '{9100+brokerId}' },
          },
        },
        {
          name: 'outside',
          port: 9094,
          expose: {
            type: 'NodePort',
            advertised: { host: '{broker}.example.com', port: '{nodePort}' },
          },
        },
      ],
    })
    await world.converge()
    expect(told(world, 'orders-main-1')).toBe(
      'GATEWAY://main-1.kafka.example.com:9101,OUTSIDE://orders-main-1.example.com:31094',
    )
    expect(world.get<LogBroker>('LogBroker', 'orders-main-0').status.addresses).toEqual([
      { listener: 'gateway', host: 'main-0.kafka.example.com', port: 9100 },
      { listener: 'outside', host: 'orders-main-0.example.com', port: 31_094 },
    ])
  })

  test('the node of a broker, as soon as that is known', async () => {
    const world = new World()
    world.nodes.nodePort = 31_094
    world.apply({
      ...of(2),
      listeners: [{ name: 'outside', port: 9094, expose: { type: 'NodePort' } }],
    })
    await world.converge()
    expect(world.get<LogBroker>('LogBroker', 'orders-main-1').status.addresses).toEqual([
      { listener: 'outside', host: '10.99.0.1', port: 31_094 },
    ])
    // Brokers find each other where no node's address is in the way.
    expect(properties(world, 'orders-main-1')).toContain(
      'private.advertised.listener=orders-main-1-0.orders-brokers.streaming.svc:9091\n',
    )
  })
})

describe('a rack', () => {
  const wanted = { ...of(2), rack: { nodeLabel: 'example.org/rack' } }
  const rackOf = (world: World) =>
    world.get<Pod>('Pod', 'orders-main-0-0').metadata.annotations?.['logcluster.dev/rack']

  function labelled(world: World, labels: Readonly<Record<string, string>>): void {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Told' }]
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels } }
    world.api.put({ ...node, status: { conditions } } as Draft)
  }

  test('is told to a pod once it has a node, and to the next pod from its birth', async () => {
    const world = new World()
    labelled(world, { 'example.org/rack': 'r7' })
    world.apply(wanted)
    await world.converge()
    expect(rackOf(world)).toBe('r7')
    expect(properties(world, 'orders-main-0')).toContain(
      'broker.rack.file=/etc/logcluster-facts/rack\n',
    )
    expect(world.pod.spec?.volumes).toContainEqual({
      name: 'facts',
      downwardAPI: {
        items: [
          {
            path: 'rack',
            fieldRef: { fieldPath: "metadata.annotations['logcluster.dev/rack']" },
          },
        ],
      },
    })
    expect(world.logBroker.status.rack).toBe('r7')
    // Without an operator too: the template has it, and nobody was restarted for that.
    expect(world.statefulSet.spec?.template.metadata?.annotations).toMatchObject({
      'logcluster.dev/rack': 'r7',
    })
    expect(world.nodes.starts).toHaveLength(2)
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('that the node does not tell is a condition that says what to do', async () => {
    const world = new World()
    world.apply(wanted)
    await world.converge()
    expect(world.condition('Degraded')).toBe('True RackUnknown')
    expect(world.message('Degraded')).toContain(
      'node n1 has no label example.org/rack. Label the node, or remove spec.rack.',
    )
    labelled(world, { 'example.org/rack': 'r8' })
    world.clock.advance(30_000)
    await world.converge()
    expect(rackOf(world)).toBe('r8')
    expect(world.condition('Degraded')).toBe('False Well')
  })

  test('that nobody wants leaves the pod as it was', async () => {
    const world = await created(of(2))
    expect(world.pod.spec?.volumes?.map(({ name }) => name)).not.toContain('facts')
    expect(world.logBroker.status).not.toHaveProperty('rack')
  })
})
