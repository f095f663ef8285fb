import { expect, test } from 'vitest'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import type { Pod } from '../../src/operator/kubernetes/objects.ts'
import { isReady } from '../../src/operator/plan/pod-health.ts'
import { minimal, World } from './world.ts'

// The CRD refuses more than one broker until partitions are replicated; the plan is one over sets already.

function three(memory: string) {
  const [pool] = minimal.pools
  return { ...minimal, pools: [{ ...pool!, brokers: 3, resources: { requests: { memory } } }] }
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
