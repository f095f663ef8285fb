import { describe, expect, test } from 'vitest'
import type { Draft } from '../../src/operator/kubernetes/objects.ts'
import { created, minimal, pool } from './world.ts'

describe('a change of the template', () => {
  const nothing = { key: 'a', operator: 'Exists', values: [] } as const
  const labelSelector = { matchLabels: {}, matchExpressions: [] }
  const term = { topologyKey: 'zone', labelSelector, namespaces: [] }
  test.for<[string, object]>([
    ['env', { env: [{ name: 'EMPTY', value: '' }] }],
    ['tolerations', { tolerations: [] }],
    ['a toleration', { tolerations: [{ key: 'a', operator: 'Exists', value: '' }] }],
    ['topologySpreadConstraints', { topologySpreadConstraints: [] }],
    ['priorityClassName', { priorityClassName: '' }],
    ['nodeSelector', { nodeSelector: {} }],
    [
      'affinity',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [nothing], matchFields: [] }],
            },
          },
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [term],
            preferredDuringSchedulingIgnoredDuringExecution: [],
          },
        },
      },
    ],
  ])(
    'that is empty, of which the API server keeps nothing, restarts once: %s',
    async ([, spec]) => {
      const world = await created()
      world.apply(pool({ template: { pod: { spec } } }))
      await world.converge()
      expect(world.nodes.starts).toHaveLength(2)
      expect(world.condition('Stable')).toBe('True Stable')
    },
  )

  test.for([
    [{ cpu: '0.35' }, { cpu: '350m' }],
    [
      { cpu: '0.7', memory: '0.5Gi' },
      { cpu: '700m', memory: '512Mi' },
    ],
    [
      { cpu: '1.4', memory: '2.3Gi' },
      { cpu: '1400m', memory: '2469606195200m' },
    ],
    [
      { cpu: '1e-1', memory: '1.5e9' },
      { cpu: '100m', memory: '1500M' },
    ],
  ])(
    'of an amount that the API server writes otherwise restarts once: %o',
    async ([requests, stored]) => {
      const world = await created()
      world.apply(pool({ resources: { requests } }))
      await world.converge()
      expect(world.nodes.starts).toHaveLength(2)
      expect(world.pod.spec?.containers[0]?.resources?.requests).toMatchObject(stored!)
      expect(world.condition('Stable')).toBe('True Stable')
    },
  )

  test('that a webhook changes on its way is told, and applied again after longer and longer', async () => {
    const world = await created()
    const applies = (): number => world.api.writes.filter(each => /^apply S.*-0$/.test(each)).length
    const before = applies()
    world.api.mutate = draft => {
      const text = JSON.stringify(draft).replaceAll('registry.example/logcluster:0.2.0', 'mirror/l')
      return draft.kind === 'StatefulSet' ? (JSON.parse(text) as Draft) : draft
    }
    world.apply({ ...minimal, version: '0.2.0' })
    for (let round = 0; round < 300; round++) {
      await world.pass()
      world.nodes.tick()
      world.clock.advance(1000)
    }
    // After 30, 60 and 120 seconds.
    expect(applies() - before).toBe(4)
    expect(world.condition('Degraded')).toBe('True ObjectAltered')
    expect(world.message('Degraded')).toContain(
      'StatefulSet orders-main-0: it was applied, and spec.template.spec.containers[0].image is "mirror/l" all the same, not "registry.example/logcluster:0.2.0"',
    )
    expect(world.condition('Ready')).toBe('True Serving')
    world.api.mutate = draft => draft
    world.clock.advance(240_000)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.pod.spec?.containers[0]?.image).toBe('registry.example/logcluster:0.2.0')
  })
})
