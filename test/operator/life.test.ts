import { describe, expect, test } from 'vitest'
import type { Draft, PersistentVolume } from '../../src/operator/kubernetes/objects.ts'
import { at, broker, created, minimal, pool, reasons, World } from './world.ts'

describe('creation', () => {
  test('a cluster is created, serves, and is then left alone', async () => {
    const world = await created()
    expect(world.condition('Ready')).toBe('True Serving')
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.cluster.status).toMatchObject({
      columns: { brokers: '1/1', status: 'Running' },
      version: '0.1.0',
      listeners: [{ name: 'internal', bootstrap: 'orders-bootstrap.streaming.svc:9092' }],
    })
    expect(world.identity).toMatchObject({ incarnation: '1', mayFormat: 'false' })
    expect(world.disks.formats).toEqual(['pv-1'])
    const writes = world.api.writes.length
    for (let pass = 0; pass < 20; pass++) {
      await world.pass()
      world.clock.advance(1000)
    }
    expect(world.api.writes.slice(writes)).toEqual([])
    expect(world.nodes.starts).toEqual([`${broker}-0`])
    expect(reasons(world)).toEqual(['ClusterCreated', 'BrokerCreated', 'DiskRecorded', 'Ready'])
  })

  test('each object that is written is logged by its name, and why', async () => {
    const world = await created()
    world.apply({ ...minimal, version: '0.2.0', config: { 'log.retention.hours': 1 } })
    await world.converge()
    const logged = new Set(world.logged.map(({ what }) => what))
    const written = world.api.writes
      .filter(write => !write.startsWith('apply status'))
      .map(write => write.replace(/^\S+ /, '').replace('Secret orders-private', 'Secret of orders'))
    expect(written.length).toBeGreaterThan(20)
    expect(written.filter(what => !logged.has(what))).toEqual([])
    expect(world.logged.filter(({ because }) => !because)).toEqual([])
  })

  test('metadata and permissions are made before the id is written, and never after', async () => {
    const world = await created()
    const birth = world.api.writes.indexOf('apply status LogCluster orders')
    const made = world.api.writes.findLastIndex(write =>
      /^create .*-(md-\d+|identity|controller)$/.test(write),
    )
    expect(made).toBeLessThan(birth)
    world.api.remove('ConfigMap', { ...at, name: 'orders-md-01' })
    world.api.remove('ConfigMap', { ...at, name: `${broker}-identity` })
    await world.converge()
    expect(world.has('ConfigMap', 'orders-md-01')).toBe(false)
    expect(world.identity).toMatchObject({ mayFormat: 'false' })
    expect(world.identity['directoryId']).not.toBe('')
  })

  test('an image and a version that were resolved once stay, whatever the operator has become', async () => {
    const { version: _, image: __, ...rest } = minimal
    const world = await created(rest)
    expect(world.cluster.status).toMatchObject({
      version: '0.1.0',
      image: 'localhost/logcluster:0.1.0',
    })
    world.restartOperator({ defaultImage: 'localhost/other:0.9.0' })
    await world.converge()
    expect(world.pod.spec?.containers[0]?.image).toBe('localhost/logcluster:0.1.0')
    expect(world.nodes.starts).toHaveLength(1)
  })

  test('a volume that was bound is set to Retain, and tells whose it is without its claim', async () => {
    const world = await created()
    const volume = world.api.find<PersistentVolume>('PersistentVolume', { name: 'pv-1' })
    expect(volume?.spec?.persistentVolumeReclaimPolicy).toBe('Retain')
    expect(volume?.metadata).toMatchObject({
      labels: { 'logcluster.dev/cluster': 'orders', 'logcluster.dev/broker': 'orders-main-0' },
      annotations: {
        'logcluster.dev/cluster-id': world.cluster.status.clusterId,
        'logcluster.dev/broker-id': '0',
        'logcluster.dev/incarnation': '1',
        'logcluster.dev/reclaim-policy': 'Delete',
      },
    })
    expect(Object.keys(volume!.metadata.labels!)).toHaveLength(2)
  })

  test('clients outside are told the port of the node, and the open door is warned of', async () => {
    const world = new World()
    world.nodes.nodePort = 31_094
    world.apply({
      ...minimal,
      listeners: [
        { name: 'internal', port: 9092 },
        { name: 'outside', port: 9094, expose: { type: 'NodePort' } },
      ],
    })
    await world.converge()
    expect(world.condition('Ready')).toBe('True Serving')
    const env = world.pod.spec?.containers[0]?.env
    expect(env?.find(({ name }) => name === 'LOGCLUSTER_ADVERTISED_LISTENERS')?.value).toBe(
      'INTERNAL://orders-main-0-0.orders-brokers.streaming.svc:9092,OUTSIDE://$(HOST_IP):31094',
    )
    expect(world.cluster.status.listeners?.[1]).toEqual({
      name: 'outside',
      bootstrap: '10.99.0.1:31094',
    })
    expect(reasons(world)).toContain('OpenNodePort')
    world.apply(minimal)
    await world.converge()
    expect(world.has('Service', 'orders-outside-bootstrap')).toBe(false)
    expect(world.has('Service', `${broker}-outside`)).toBe(false)
  })
})

describe('a change', () => {
  test('of the template restarts once', async () => {
    const world = await created()
    world.apply(pool({ resources: { requests: { memory: '2Gi' } } }))
    await world.converge()
    expect(world.nodes.starts).toHaveLength(2)
    expect(world.pod.spec?.containers[0]?.resources?.requests?.['memory']).toBe('2Gi')
    expect(reasons(world)).toContain('BrokerRestarted')
  })

  test('of dynamic settings restarts nobody; keys of the spec win, others stay, removed ones are reset', async () => {
    const world = await created({ ...minimal, config: { 'log.retention.hours': 2 } })
    expect(Object.fromEntries(world.disks.configs)).toEqual({ 'log.retention.ms': '7200000' })
    world.disks.configs.set('log.retention.ms', '1')
    world.disks.configs.set('message.max.bytes', '5000')
    await world.converge()
    expect(Object.fromEntries(world.disks.configs)).toEqual({
      'log.retention.ms': '7200000',
      'message.max.bytes': '5000',
    })
    world.apply(minimal)
    await world.converge()
    expect(Object.fromEntries(world.disks.configs)).toEqual({ 'message.max.bytes': '5000' })
    expect(world.nodes.starts).toHaveLength(1)
    expect(
      world.api.all('ConfigMap').filter(each => /-config-/.test(each.metadata.name)),
    ).toHaveLength(1)
  })

  test('of an unknown setting is a condition that names the nearest, and touches nothing', async () => {
    const world = await created()
    const writes = world.api.writes.length
    world.apply({ ...minimal, version: '0.2.0', config: { 'log.retention.hour': 2 } })
    await world.converge()
    expect(world.condition('ConfigApplied')).toBe('False InvalidConfig')
    expect(world.message('ConfigApplied')).toContain('did you mean log.retention.hours?')
    expect(reasons(world)).toContain('InvalidConfig')
    expect(world.condition('Ready')).toBe('True Serving')
    const touched = world.api.writes
      .slice(writes)
      .filter(write => !write.startsWith('apply status'))
    expect(touched).toEqual([])
  })

  test('of a setting that is the operator’s is refused', async () => {
    const world = await created({ ...minimal, config: { 'node.id': 7 } })
    expect(world.message('ConfigApplied')).toBe(
      'spec.config: node.id is set by the operator: leave it out',
    )
    expect(world.has('StatefulSet', broker)).toBe(false)
  })

  test('of restartedAt restarts once per value, and its removal does not', async () => {
    const world = await created()
    const restartedAt = '2027-01-01T00:00:00Z'
    for (const value of [restartedAt, restartedAt, undefined, restartedAt]) {
      const { restartedAt: _, ...rest } = { ...minimal, restartedAt: value }
      world.apply(value === undefined ? rest : { ...rest, restartedAt: value })
      await world.converge()
    }
    expect(world.nodes.starts).toHaveLength(2)
    expect(world.logBroker.status.restartedAt).toBe(restartedAt)
  })

  test('of restartedAt to a time before the broker began restarts nobody', async () => {
    const world = await created()
    world.apply({ ...minimal, restartedAt: '2020-01-01T00:00:00Z' })
    await world.converge()
    expect(world.nodes.starts).toHaveLength(1)
  })

  test('of what only a newer operator renders restarts nobody', async () => {
    const world = await created()
    const { statefulSet } = world
    const template = structuredClone(statefulSet.spec!.template)
    const [container] = template.spec!.containers
    const older = { ...container!, env: container!.env!.slice(1) }
    world.api.put({
      ...statefulSet,
      spec: {
        ...statefulSet.spec!,
        template: { ...template, spec: { ...template.spec!, containers: [older] } },
      },
    } as unknown as Draft)
    await world.converge()
    expect(world.statefulSet.spec?.template.spec?.containers[0]?.env).toHaveLength(2)
    expect(world.nodes.starts).toHaveLength(1)
  })
})

describe('what is new is tried before the running broker is touched', () => {
  test('a check that fails leaves the broker alone; a repaired spec goes on', async () => {
    const world = await created()
    world.nodes.check = { kind: 'fails', message: 'log.dirs cannot be written' }
    world.apply({ ...minimal, config: { 'log.level': 'debug' } })
    await world.converge()
    expect(world.nodes.starts).toHaveLength(1)
    expect(world.condition('Ready')).toBe('True Serving')
    expect(world.condition('Degraded')).toBe('True CheckFailed')
    expect(world.message('Degraded')).toContain('log.dirs cannot be written')
    expect(reasons(world)).toContain('CheckFailed')
    world.nodes.check = { kind: 'passes' }
    world.apply({ ...minimal, config: { 'log.level': 'warn' } })
    await world.converge()
    expect(world.nodes.starts).toHaveLength(2)
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.api.all('Pod')).toHaveLength(1)
  })

  test('a check that hangs holds the restart', async () => {
    const world = await created()
    world.nodes.check = { kind: 'hangs' }
    world.apply({ ...minimal, version: '0.2.0' })
    await world.converge()
    expect(world.condition('Progressing')).toBe('True Checking')
    expect(world.nodes.starts).toHaveLength(1)
  })

  test('a check that no node has room for is told, and the broker is the trial', async () => {
    const world = await created()
    world.nodes.check = { kind: 'unschedulable' }
    world.nodes.holdStatefulSets = true
    world.apply({ ...minimal, version: '0.2.0' })
    await world.converge()
    expect(world.condition('Degraded')).toBe('True CheckUnschedulable')
    world.nodes.holdStatefulSets = false
    await world.converge()
    expect(world.nodes.starts).toHaveLength(2)
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('the check has no claim, no token and no requests, and the node of the broker', async () => {
    const world = await created()
    world.nodes.check = { kind: 'hangs' }
    world.apply({ ...minimal, version: '0.2.0' })
    await world.converge()
    const [check] = world.api
      .all<typeof world.pod>('Pod')
      .filter(({ metadata }) => metadata.name.includes('-check-'))
    expect(JSON.stringify(check?.spec)).not.toContain('persistentVolumeClaim')
    expect(check?.spec).toMatchObject({
      automountServiceAccountToken: false,
      containers: [
        {
          resources: { requests: { cpu: '0', memory: '0' } },
          args: ['check', '--config', '/etc/logcluster/broker.properties'],
        },
      ],
    })
    expect(JSON.stringify(check?.spec?.affinity)).toContain('"n1"')
  })

  test('a broker that never ran is not checked, and is repaired by fixing the spec', async () => {
    const world = new World()
    world.nodes.missingImages.add('registry.example/logcluster:nope')
    world.apply({ ...minimal, version: 'nope' })
    await world.converge()
    expect(world.condition('Ready')).toBe('False ImagePullBackOff')
    world.apply(minimal)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.disks.formats).toHaveLength(1)
  })
})

describe('at rest by wish', () => {
  test('a paused cluster is told of, and not touched', async () => {
    const world = await created()
    const writes = world.api.writes.length
    world.apply({ ...minimal, reconciliation: 'Paused', version: '0.2.0' })
    await world.converge()
    expect(world.condition('Paused')).toBe('True Paused')
    expect(world.cluster.status.columns?.status).toBe('Paused')
    expect(new Set(world.api.writes.slice(writes).map(write => write.split(' ')[1]))).toEqual(
      new Set(['status']),
    )
  })

  test('a hibernated cluster has no pod, keeps its disk, and comes back', async () => {
    const world = await created()
    world.apply({ ...minimal, state: 'Hibernated' })
    await world.converge()
    expect(world.has('Pod', `${broker}-0`)).toBe(false)
    expect(world.condition('Ready')).toBe('False Hibernated')
    expect(world.cluster.status.columns?.status).toBe('Hibernated')
    world.apply(minimal)
    await world.converge()
    expect(world.condition('Ready')).toBe('True Serving')
    expect(world.disks.formats).toHaveLength(1)
  })
})

describe('what is said is so', () => {
  test('a broker that is silent is not said to serve, whatever kubelet says; its node is named once it is known to be down', async () => {
    const world = await created()
    world.nodes.isDead = true
    await world.converge()
    expect(world.condition('Ready')).toBe('Unknown BrokerUnreachable')
    world.nodes.tellNode(false)
    await world.converge()
    expect(world.condition('Ready')).toBe('False WaitingForNode')
    expect(world.message('Ready')).toContain('Waiting for node n1')
    expect(world.cluster.status.columns?.status).toBe('WaitingForNode')
    expect(world.condition('Progressing')).toBe('False WaitingForNode')
    world.nodes.tellNode(true)
    world.nodes.isDead = false
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.nodes.starts).toHaveLength(1)
  })

  test('one question that is lost changes nothing', async () => {
    const world = await created()
    const before = world.cluster.metadata.resourceVersion
    const kept = world.disks.hide()
    await world.pass()
    kept()
    await world.pass()
    expect(world.cluster.metadata.resourceVersion).toBe(before)
  })
})
