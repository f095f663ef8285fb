import { describe, expect, test } from 'vitest'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type {
  Draft,
  PersistentVolume,
  PersistentVolumeClaim,
  Stored,
} from '../../src/operator/kubernetes/objects.ts'
import { at, broker, created, minimal, pool, reasons, smallRing, World } from './world.ts'

const claim = `data-${broker}-1`

describe('the end', () => {
  test('volumes and metadata are kept, and adopted by the same YAML', async () => {
    const world = await created()
    const { clusterId } = world.cluster.status
    world.api.remove('LogCluster', at)
    await world.pass()
    world.nodes.tick()
    expect(world.has('StatefulSet', broker)).toBe(false)
    expect(world.has('PersistentVolumeClaim', claim)).toBe(true)
    expect(world.has('ConfigMap', 'orders-md-00')).toBe(true)
    world.apply(minimal)
    await world.converge()
    expect(world.cluster.status.clusterId).toBe(clusterId)
    expect(world.condition('Stable')).toBe('True Stable')
    expect(reasons(world)).toContain('VolumesAdopted')
    expect(world.disks.formats).toHaveLength(1)
  })

  test('with whenDeleted: Delete nothing is left, and nothing hangs', async () => {
    const storage = { ...minimal.pools[0]!.storage, retention: { whenDeleted: 'Delete' as const } }
    const world = await created(pool({ storage }))
    expect(world.cluster.metadata.finalizers).toEqual(['logcluster.dev/volumes'])
    world.api.remove('LogCluster', at)
    for (let round = 0; round < 12; round++) {
      await world.pass()
      world.nodes.tick()
    }
    expect(world.has('LogCluster', at.name)).toBe(false)
    expect(world.api.all('PersistentVolumeClaim')).toEqual([])
    expect(world.api.all('ConfigMap')).toEqual([])
    const volume = world.api.find<PersistentVolume>('PersistentVolume', { name: 'pv-1' })
    expect(volume?.spec?.persistentVolumeReclaimPolicy).toBe('Delete')
  })

  test('that waits tells for what, and asks nobody to give back what goes', async () => {
    const storage = { ...minimal.pools[0]!.storage, retention: { whenDeleted: 'Delete' as const } }
    const world = await created({ ...pool({ storage }), reconciliation: 'Active' })
    const hold = (kind: string, name: string, finalizers: string[]): void => {
      const live = world.get<Stored>(kind, name)
      world.api.put({ ...live, metadata: { ...live.metadata, finalizers } })
    }
    const conditions = (): (string | undefined)[] =>
      ['Ready', 'Progressing', 'Degraded', 'StorageHealthy', 'ConfigApplied', 'Paused'].map(type =>
        world.condition(type),
      )
    const deleting = [
      'False Deleting',
      'True Deleting',
      'False Well',
      'Unknown Deleting',
      'Unknown Deleting',
      'False Deleting',
    ]
    hold('Pod', `${broker}-0`, ['example.com/drain'])
    hold('PersistentVolumeClaim', claim, ['example.com/backup'])
    world.apply({ ...pool({ storage }), reconciliation: 'Paused' })
    world.api.remove('LogCluster', at)
    for (let round = 0; round < 3; round++) await world.pass()
    expect(conditions()).toEqual(deleting)
    expect(world.message('Progressing')).toBe(
      `The cluster is being deleted, and waits for Pod ${broker}-0 to be gone. Its node n1 has to say that it ended: where that node does not come back, delete the Node. Whoever set its finalizers holds it: example.com/drain.`,
    )
    hold('Pod', `${broker}-0`, [])
    for (let round = 0; round < 3; round++) await world.pass()
    expect(conditions()).toEqual(deleting)
    expect(world.message('Progressing')).toBe(
      `The cluster is being deleted, and waits for PersistentVolumeClaim ${claim} to be gone. Whoever set its finalizers holds it: example.com/backup.`,
    )
    expect(world.logBroker.status.conditions!.map(({ reason }) => reason)).toEqual(
      world.logBroker.status.conditions!.map(() => 'Deleting'),
    )
    expect(world.cluster.status.columns?.status).toBe('Deleting')
    expect(reasons(world)).not.toContain('ClaimMissing')
    hold('PersistentVolumeClaim', claim, [])
    for (let round = 0; round < 5; round++) await world.pass()
    expect(world.has('LogCluster', at.name)).toBe(false)
  })

  test('with whenDeleted: Delete of one pool the volumes of others are kept, and of brokers and pools that left', async () => {
    const { volumes } = minimal.pools[0]!.storage
    const retention = { whenDeleted: 'Delete' as const }
    const scratch = { name: 'scratch', storage: { volumes, retention } }
    const old = { name: 'old', storage: { volumes, retention } }
    const main = { name: 'main', brokers: 2, storage: { volumes } }
    const world = new World().withNodes(4)
    world.apply({ ...minimal, pools: [main, scratch, old] })
    await world.converge()
    world.disks.cluster.places = []
    const pools = [{ ...main, brokers: 1 }, scratch]
    world.apply({ ...minimal, pools })
    await world.converge()
    world.api.remove('LogCluster', at)
    for (let round = 0; round < 12; round++) {
      await world.pass()
      world.nodes.tick()
    }
    expect(world.has('LogCluster', at.name)).toBe(false)
    const claims = world.api.all<PersistentVolumeClaim>('PersistentVolumeClaim')
    expect(claims.map(({ metadata }) => metadata.name)).toEqual([
      'data-orders-main-0-1',
      'data-orders-main-1-1',
      'data-orders-old-0-1',
    ])
    const policies = world.api.all<PersistentVolume>('PersistentVolume').map(each => {
      const owner = each.metadata.labels?.['logcluster.dev/broker']
      return [owner, each.spec?.persistentVolumeReclaimPolicy]
    })
    expect(Object.fromEntries(policies)).toEqual({
      'orders-main-0': 'Retain',
      'orders-main-1': 'Retain',
      'orders-scratch-0': 'Delete',
      'orders-old-0': 'Retain',
    })
    expect(world.has('ConfigMap', 'orders-md-00')).toBe(true)
    expect(world.has('ConfigMap', `${broker}-identity`)).toBe(true)
  })

  test('claims of another cluster that were put there are not deleted with this one', async () => {
    const storage = { ...minimal.pools[0]!.storage, retention: { whenDeleted: 'Delete' as const } }
    const world = await created(pool({ storage }))
    const live = world.get<PersistentVolumeClaim>('PersistentVolumeClaim', claim)
    const annotations = { ...live.metadata.annotations, 'logcluster.dev/cluster-id': 'another' }
    const metadata = { ...live.metadata, name: 'data-orders-main-7-1', annotations }
    world.api.put({ ...live, metadata } as unknown as Draft)
    world.api.remove('LogCluster', at)
    for (let round = 0; round < 12; round++) {
      await world.pass()
      world.nodes.tick()
    }
    expect(world.has('LogCluster', at.name)).toBe(false)
    const claims = world.api.all('PersistentVolumeClaim')
    expect(claims.map(({ metadata: { name } }) => name)).toEqual(['data-orders-main-7-1'])
  })

  test('claims of another cluster block, with a sentence', async () => {
    const world = await created()
    world.api.remove('LogCluster', at)
    world.apply({ ...minimal, clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    await world.converge()
    expect(world.condition('Ready')).toBe('False ClusterIdsDiffer')
    expect(world.condition('Degraded')).toBe('True ClusterIdsDiffer')
    expect(world.message('Ready')).toContain(claim)
    expect(world.has('StatefulSet', broker)).toBe(false)
  })

  test('metadata of another cluster without its volumes blocks', async () => {
    const world = await created()
    world.api.remove('LogCluster', at)
    world.api.remove('PersistentVolumeClaim', { ...at, name: claim })
    world.nodes.tick()
    world.nodes.tick()
    world.apply(minimal)
    await world.converge()
    expect(world.condition('Ready')).toBe('False MetadataOfAnotherCluster')
    expect(world.disks.formats).toHaveLength(1)
    const { configMaps, leases } = smallRing('streaming', 'orders').names
    for (const name of configMaps) world.api.remove('ConfigMap', { ...at, name })
    for (const name of leases) world.api.remove('Lease', { ...at, name })
    await world.converge()
    expect(world.condition('Ready')).toBe('False MetadataOfAnotherCluster')
    world.api.remove('ConfigMap', { ...at, name: `${broker}-identity` })
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.disks.formats).toHaveLength(2)
  })

  test('a given id is no permission to format', async () => {
    const world = await created({ ...minimal, clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    expect(world.disks.formats).toEqual([])
    expect(world.condition('Ready')).toBe('False DiskEmpty')
  })
})

describe('a disk', () => {
  test('whose claim was deleted by hand is never replaced by an empty one', async () => {
    const world = await created()
    world.api.remove('PersistentVolumeClaim', { ...at, name: claim })
    await world.converge()
    expect(world.condition('StorageHealthy')).toBe('False ClaimDeleted')
    expect(world.condition('Ready')).toBe('True Serving')
    world.api.remove('Pod', { ...at, name: `${broker}-0` })
    await world.converge()
    expect(world.condition('StorageHealthy')).toBe('False ClaimMissing')
    expect(world.message('StorageHealthy')).toContain(`kubectl logcluster replace ${broker}`)
    expect(world.message('StorageHealthy')).toContain(
      'app.kubernetes.io/managed-by: "logcluster-operator", logcluster.dev/cluster: "orders", ' +
        `logcluster.dev/broker: "${broker}", logcluster.dev/incarnation: "1"`,
    )
    expect(world.api.all('PersistentVolumeClaim')).toEqual([])
    expect(world.disks.formats).toHaveLength(1)
  })

  test('that was emptied while no operator ran is refused, and replaced by name', async () => {
    const world = await created()
    world.disks.contents.set('pv-1', null)
    world.api.remove('Pod', { ...at, name: `${broker}-0` })
    await world.converge()
    expect(world.condition('Ready')).toBe('False DiskEmpty')
    const told = world.events.find(({ reason }) => reason === 'DiskEmpty')
    expect(told).toMatchObject({ type: 'Warning', note: expect.stringContaining('disk is empty') })
    expect(world.disks.formats).toHaveLength(1)
    const replace = { incarnation: 1, dataLoss: 'Refuse' as const }
    const { logBroker } = world
    world.api.put({ ...logBroker, spec: { ...logBroker.spec, replace } } as typeof logBroker)
    await world.converge()
    expect(world.message('Degraded')).toContain('spec.replace.dataLoss: Accept')
    expect(world.identity).toMatchObject({ incarnation: '1' })
    const accepted = { ...replace, dataLoss: 'Accept' as const }
    world.api.put({
      ...world.logBroker,
      spec: { ...logBroker.spec, replace: accepted },
    } as typeof logBroker)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.identity).toMatchObject({ incarnation: '2', mayFormat: 'false' })
    expect(reasons(world)).toContain('DiskReplaced')
  })

  test.for(['Retain', 'Delete'] as const)(
    'that was replaced is kept or goes with its claim, as whenReplaced says: %s',
    async whenReplaced => {
      const storage = { ...minimal.pools[0]!.storage, retention: { whenReplaced } }
      const world = await created(pool({ storage }))
      const { logBroker } = world
      const replace = { incarnation: 1, dataLoss: 'Accept' as const }
      world.api.put({ ...logBroker, spec: { ...logBroker.spec, replace } } as typeof logBroker)
      await world.converge()
      expect(world.condition('Stable')).toBe('True Stable')
      expect(world.has('PersistentVolumeClaim', claim)).toBe(whenReplaced === 'Retain')
      const policies = world.api
        .all<PersistentVolume>('PersistentVolume')
        .map(({ spec }) => spec?.persistentVolumeReclaimPolicy)
      expect(policies).toEqual([whenReplaced, 'Retain'])
    },
  )

  test('is expanded by its claim, and a larger one is accepted', async () => {
    const world = await created()
    const size = (text: string): LogClusterSpecInput =>
      pool({ storage: { volumes: [{ name: 'data', size: text }] } })
    world.apply(size('2Gi'))
    await world.converge()
    const requested = (): string | undefined =>
      world.get<PersistentVolumeClaim>('PersistentVolumeClaim', claim).spec?.resources?.requests?.[
        'storage'
      ]
    expect(requested()).toBe('2Gi')
    world.apply(size('1Gi'))
    await world.converge()
    expect(requested()).toBe('2Gi')
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.nodes.starts).toHaveLength(1)
  })

  test('that the operator has no right to look at is served from, and the sentence says what is left to do', async () => {
    const world = new World()
    for (const kind of ['PersistentVolume', 'Node', 'StorageClass']) world.api.forbidden.add(kind)
    world.apply(pool({ storage: volume('1Gi', 'any') }))
    addClass(world, 'any', true)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.condition('StorageHealthy')).toBe('True BoundUnprotected')
    expect(world.message('StorageHealthy')).toContain('persistentVolumeReclaimPolicy to Retain')
  })

  test('whose StorageClass is not there waits, and says so', async () => {
    const world = await created(pool({ storage: volume('1Gi', 'nope') }))
    expect(world.condition('StorageHealthy')).toBe('False StorageClassMissing')
    expect(world.message('Degraded')).toContain('There is no StorageClass nope')
    expect(reasons(world)).toContain('StorageClassMissing')
    addClass(world, 'nope', false)
    world.clock.advance(60_000)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('whose StorageClass is not there is another one where the cluster is made anew with another', async () => {
    const world = await created(pool({ storage: volume('1Gi', 'nope') }))
    addClass(world, 'there', false)
    world.api.remove('LogCluster', at)
    world.apply(pool({ storage: volume('1Gi', 'there') }))
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    const { spec } = world.get<PersistentVolumeClaim>('PersistentVolumeClaim', claim)
    expect(spec?.storageClassName).toBe('there')
    expect(world.disks.formats).toHaveLength(1)
  })

  test('whose StorageClass allows no expansion is not asked to grow, and says so', async () => {
    const world = new World()
    addClass(world, 'fixed', false)
    world.apply(pool({ storage: volume('1Gi', 'fixed') }))
    await world.converge()
    world.apply(pool({ storage: volume('2Gi', 'fixed') }))
    const writes = world.api.writes.length
    await world.converge()
    expect(world.condition('StorageHealthy')).toBe('False ExpansionRefused')
    expect(world.condition('Ready')).toBe('True Serving')
    expect(world.api.writes.slice(writes).filter(write => write.startsWith('patch'))).toEqual([])
  })
})

function volume(size: string, storageClassName: string) {
  return { volumes: [{ name: 'data', size, storageClassName }] }
}

function addClass(world: World, name: string, allowVolumeExpansion: boolean): void {
  const kind = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name } }
  world.api.put({ ...kind, allowVolumeExpansion } as Draft)
}
