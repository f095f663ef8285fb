import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'
import { Prng } from '../lib/prng.ts'
import { ApiError } from './kubernetes/api-error.ts'
import type { ListScope } from './kubernetes/api.ts'
import { NodeWatches } from './node-watches.ts'

const forbidden = new ApiError('refused', { code: 403, reason: 'Forbidden', message: 'no' })

function world({ mayLook = true } = {}) {
  const asked: string[] = []
  const told: string[] = []
  const end = new AbortController()
  const clock = new SimClock()
  const rights = { mayLook }
  const node = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: '1' },
  })
  const api = {
    get: async (_: unknown, { name }: { name: string }) => {
      asked.push(`get ${name}`)
      if (!rights.mayLook) throw forbidden
      return node(name)
    },
    // It brings nothing, ever.
    async *watch(_: unknown, { fieldSelector }: ListScope, from: { resourceVersion: string }) {
      asked.push(`watch ${fieldSelector} ${from.resourceVersion}`)
      await new Promise(() => {})
      yield* []
    },
  }
  const nodes = new NodeWatches({
    api: api as never,
    clock,
    random: simRandom(new Prng(1)),
    tell: cluster => void told.push(cluster),
    onFailure: reason => void asked.push(`failed: ${reason}`),
    fatal: error => {
      throw error
    },
    signal: end.signal,
  })
  return { nodes, asked, told, clock, rights }
}

/** What is due now is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

test('a node is watched by its name, once for all clusters, and all of them are told', async () => {
  const { nodes, asked, told } = world()
  expect(nodes.follow('a/x', new Set(['n1'])).size).toBe(0)
  nodes.follow('b/y', new Set(['n1']))
  await settled()
  expect(asked).toEqual(['get n1', 'get n1', 'watch metadata.name=n1 0'])
  expect(told).toEqual(['a/x', 'b/y'])
  expect([...nodes.follow('a/x', new Set(['n1'])).keys()]).toEqual(['n1'])
})

test('one that no cluster asks for any more is forgotten', async () => {
  const { nodes, asked } = world()
  nodes.follow('a/x', new Set(['n1']))
  nodes.follow('b/y', new Set(['n1']))
  await settled()
  nodes.follow('a/x', new Set())
  expect(nodes.follow('b/y', new Set(['n1'])).size).toBe(1)
  nodes.follow('b/y', new Set(['n2']))
  await settled()
  expect(nodes.follow('a/x', new Set(['n1'])).size).toBe(0)
  await settled()
  expect(asked.filter(each => each === 'watch metadata.name=n1 0')).toHaveLength(2)
})

test('who has no right to look is told of no cordon, asks rarely, and warns of nothing', async () => {
  const { nodes, asked, clock, rights } = world({ mayLook: false })
  nodes.follow('a/x', new Set(['n1']))
  await settled()
  clock.advance(299_000)
  await settled()
  expect(asked).toEqual(['get n1'])
  rights.mayLook = true
  clock.advance(2_000)
  await settled()
  expect(nodes.follow('a/x', new Set(['n1'])).size).toBe(1)
})
