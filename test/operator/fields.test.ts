import { expect, test } from 'vitest'
import { logClusterSpec } from '../../src/operator/crd/cluster.ts'
import { templateHash } from '../../src/operator/desired/pod-template.ts'
import { brokerPod } from './desired-cases.ts'
import { specFields } from './spec-fields.ts'
import { broker, World } from './world.ts'

const fields = specFields()

/** What a broker's pod cannot show: the API refuses the change, or there is nothing else to change to. */
const others = fields.filter(({ pair, change }) => pair === null || change === 'immutable')
const changeable = fields.filter(field => !others.includes(field))

test('every field says what a change of it means, and most can be changed', () => {
  expect(fields.length).toBeGreaterThan(100)
  const words = ['none', 'dynamic', 'restart', 'immutable']
  expect(fields.filter(({ change }) => !words.includes(change)).map(({ path }) => path)).toEqual([])
  expect(others.map(({ path }) => path)).toEqual([
    'spec.clusterId',
    'spec.listeners[].expose.nodePort.addressType',
    'spec.pools[].name',
    'spec.pools[].storage.volumes[].name',
    'spec.pools[].storage.volumes[].storageClassName',
  ])
})

/** They restart, but not by another template: by the number of pods, and by a mark that is obeyed once. */
const bySomethingElse = ['spec.state', 'spec.restartedAt']

test.for(changeable)(
  '$path: the template of the pod changes if the broker must restart',
  ({ path, change, pair }) => {
    const [before, after] = pair!.map(spec =>
      templateHash(brokerPod({ spec: logClusterSpec.parse(spec) })),
    )
    const isOther = before !== after
    expect(isOther).toBe(change === 'restart' && !bySomethingElse.includes(path))
  },
)

/** What is passed through as a whole needs no world of its own for each of its parts. */
const lived = changeable.filter(
  ({ path }) => !/affinity|topologySpread|valueFrom|tolerations|pools\[\]\.brokers/.test(path),
)

test.for(lived)(
  '$path: brokers restart as its metadata says ($change)',
  async ({ path, change, pair }) => {
    const world = new World()
    world.nodes.nodePort = 31_094
    world.apply(pair![0])
    await world.converge()
    expect(world.condition('Ready')).toBe('True Serving')
    world.apply(pair![1])
    await world.converge()
    if (path === 'spec.state') {
      expect(world.has('Pod', `${broker}-0`)).toBe(false)
      return
    }
    expect(world.nodes.starts).toHaveLength(change === 'restart' ? 2 : 1)
    expect(world.condition('Ready')).toBe('True Serving')
    expect(world.condition('ConfigApplied')).toBe('True Applied')
    expect(world.disks.formats).toHaveLength(1)
  },
)
