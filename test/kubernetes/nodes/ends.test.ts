import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { installChart } from './installed.ts'
import { Orders, pod } from './orders.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const orders = new Orders('ends')
const gone = new Orders('gone')

describeOnNodes('what is deleted', () => {
  beforeAll(async () => {
    await installChart()
    await orders.make()
  })

  afterAll(async () => {
    await orders.remove()
    await gone.remove()
  })

  test('a LogCluster that is deleted and applied again adopts its volumes, with every record', async () => {
    await orders.truthfully(90_000, async () => {
      const { clusterId } = (await orders.cluster()).status
      const identity = await orders.identity()
      await orders.kubectl('delete', 'lc', 'orders', '--timeout=60s')
      await orders.kubectl('wait', '--for=delete', `pod/${pod}`, '--timeout=60s')
      await orders.apply()
      await orders.until('Stable', 'True Stable')
      expect((await orders.cluster()).status.clusterId).toBe(clusterId)
      expect(await orders.identity()).toEqual(identity)
      expect(await orders.events()).toContain('VolumesAdopted')
    })
  })

  test('one whose metadata is lost too has it again from its disk', async () => {
    await orders.truthfully(90_000, async () => {
      const { clusterId } = (await orders.cluster()).status
      await orders.kubectl('delete', 'lc', 'orders', '--timeout=60s')
      await orders.kubectl('wait', '--for=delete', `pod/${pod}`, '--timeout=60s')
      const ofMetadata = 'logcluster.dev/cluster=orders,app.kubernetes.io/component=metadata'
      await orders.kubectl('delete', 'configmaps,leases', '-l', ofMetadata)
      await orders.kubectl('delete', 'configmap', 'orders-main-0-identity')
      await orders.apply()
      await orders.until('Stable', 'True Stable')
      expect((await orders.cluster()).status.clusterId).toBe(clusterId)
      expect(await orders.identity()).toMatchObject({ incarnation: '1', mayFormat: 'false' })
    })
  })

  test('a claim that is deleted by hand under a broker is told, and nothing takes its place', async () => {
    await orders.truthfully(120_000, async truth => {
      const uid = await orders.podUid()
      await orders.kubectl('delete', 'pvc', 'data-orders-main-0-1', '--wait=false')
      await orders.until('StorageHealthy', 'False ClaimDeleted')
      expect(await orders.condition('Ready')).toBe('True Serving')
      expect(await orders.podUid()).toBe(uid)
      await orders.kubectl('delete', 'pod', pod)
      await orders.until('StorageHealthy', 'False ClaimMissing')
      expect(await orders.kubectl('get', 'pvc', '-o', 'name')).toBe('')
      truth.giveUp()
      await orders.patchBroker({ replace: { incarnation: 1, dataLoss: 'Accept' } })
      await orders.until('Stable', 'True Stable')
      expect(await orders.identity()).toMatchObject({ incarnation: '2', mayFormat: 'false' })
    })
  })

  test('a namespace that is deleted while its cluster is being made goes, and its volume stays', async () => {
    const { plane } = sharedCluster()
    await plane.kubectl(['create', 'namespace', gone.namespace])
    await gone.apply()
    await eventually(
      'the pod',
      () => gone.kubectl('get', 'pods', '-o', 'name'),
      found => found !== '',
    )
    await gone.deleteNamespace()
    await orders.until('Stable', 'True Stable')
  })
})
