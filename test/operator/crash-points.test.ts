import { expect, test } from 'vitest'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type { Pod } from '../../src/operator/kubernetes/objects.ts'
import { isReady } from '../../src/operator/plan/pod-health.ts'
import { ApiError } from '../../src/operator/kubernetes/api-error.ts'
import { at, broker, Crash, minimal, World } from './world.ts'

/** A way of a cluster that is walked with a crash at each of its writes. */
interface Story {
  readonly name: string
  /** What is so before the first write that counts. */
  readonly before?: (world: World) => Promise<void>
  readonly act: (world: World) => void | Promise<void>
  readonly after: (world: World) => void
  /**
   * Long ones, of several brokers: an end before a write is one after the write before it, and a conflict is seen in the
   * others. Whenever the operator ends, all is in the end as if it had not, and nothing was done more often; and never was
   * more than one broker down.
   */
  readonly isLong?: true
  /** All brokers stop, or begin, together. */
  readonly isOfAll?: true
  /** Nobody serves in the end. */
  readonly isAsleep?: true
}

const image = (version: string): LogClusterSpecInput => ({ ...minimal, version })

const [pool] = minimal.pools
const three = (memory: string): LogClusterSpecInput => ({
  ...minimal,
  pools: [{ ...pool!, brokers: 3, resources: { requests: { memory } } }],
})

const stories: readonly Story[] = [
  {
    name: 'creation',
    act: world => world.apply(minimal),
    after: world => {
      expect(world.nodes.starts).toEqual([`${broker}-0`])
      expect(world.disks.formats).toEqual(['pv-1'])
    },
  },
  {
    name: 'another image, which is tried first',
    before: created,
    act: world => world.apply(image('0.2.0')),
    after: world => {
      expect(world.pod.spec?.containers[0]?.image).toBe('registry.example/logcluster:0.2.0')
      expect(world.nodes.starts).toEqual([`${broker}-0`, `${broker}-0`])
      expect(world.disks.formats).toEqual(['pv-1'])
      expect(world.api.all('Pod')).toHaveLength(1)
    },
  },
  {
    name: 'dynamic settings that come and go',
    before: async world => {
      world.apply({ ...minimal, config: { 'log.retention.hours': 1, 'message.max.bytes': 8000 } })
      await world.converge()
    },
    act: world => world.apply({ ...minimal, config: { 'message.max.bytes': 9000 } }),
    after: world => {
      expect(Object.fromEntries(world.disks.configs)).toEqual({ 'message.max.bytes': '9000' })
      expect(world.logBroker.status.appliedConfig).toEqual({ 'message.max.bytes': '9000' })
      expect(world.nodes.starts).toHaveLength(1)
    },
  },
  {
    name: 'a disk that is replaced',
    before: created,
    act: world => {
      const { logBroker } = world
      const replace = { incarnation: 1, dataLoss: 'Accept' as const }
      world.api.put({ ...logBroker, spec: { ...logBroker.spec, replace } } as typeof logBroker)
    },
    after: world => {
      expect(world.identity).toMatchObject({ incarnation: '2', mayFormat: 'false' })
      expect(world.disks.formats).toEqual(['pv-1', 'pv-2'])
      expect(world.has('PersistentVolumeClaim', `data-${broker}-1`)).toBe(true)
      expect(world.logBroker.status.retiredVolumes).toMatchObject([{ incarnation: 1 }])
    },
  },
  {
    name: 'the disk of one of three brokers that is lost with its node',
    isLong: true,
    before: async world => {
      const [pool] = minimal.pools
      world.withNodes(4).apply({ ...minimal, pools: [{ ...pool!, brokers: 3 }] })
      await world.converge()
    },
    act: world => world.nodes.deleteNode(world.pod.spec!.nodeName!),
    after: world => {
      expect(world.identity).toMatchObject({ incarnation: '2', mayFormat: 'false' })
      expect(world.disks.formats).toEqual(['pv-1', 'pv-2', 'pv-3', 'pv-4'])
      expect([...world.brokers.retired]).toHaveLength(1)
      expect(world.logBroker.status.retiredVolumes).toMatchObject([{ reason: 'NodeGone' }])
      expect(world.logBroker.status.diskLost).toBeUndefined()
      // The others were left alone.
      expect(world.nodes.starts.filter(name => name !== `${broker}-0`)).toHaveLength(2)
    },
  },
  {
    name: 'a disk of one of three brokers that is replaced by wish',
    isLong: true,
    before: async world => {
      world.withNodes(4).apply(three('1Gi'))
      await world.converge()
    },
    act: world => {
      const { logBroker } = world
      const replace = { incarnation: 1, dataLoss: 'Refuse' as const }
      world.api.put({ ...logBroker, spec: { ...logBroker.spec, replace } } as typeof logBroker)
    },
    after: world => {
      expect(world.identity).toMatchObject({ incarnation: '2', mayFormat: 'false' })
      expect(world.disks.formats).toHaveLength(4)
      expect([...world.brokers.retired]).toHaveLength(1)
      expect(world.logBroker.status.retiredVolumes).toMatchObject([{ incarnation: 1 }])
    },
  },
  {
    name: 'a drain of the node of one of three brokers, which comes back',
    isLong: true,
    before: async world => {
      world.withNodes(3).apply(three('1Gi'))
      await world.converge()
    },
    act: async world => {
      const node = world.pod.spec!.nodeName!
      world.nodes.cordon(node)
      await world.converge()
      expect(world.disks.cluster.leads(0)).toBe(0)
      // As an eviction ends.
      world.api.remove('Pod', world.pod.metadata)
      await world.converge()
      expect(world.condition('Ready')).toBe('True ServingWithout')
      world.nodes.cordon(node, false)
    },
    after: world => {
      expect(world.nodes.starts).toHaveLength(4)
      expect(world.disks.formats).toHaveLength(3)
      expect(world.disks.cluster.drained).toEqual([])
      expect([0, 1, 2].map(id => world.disks.cluster.leads(id))).toEqual([1, 1, 1])
    },
  },
  {
    name: 'a roll of three brokers',
    isLong: true,
    before: async world => {
      world.apply(three('1Gi'))
      await world.converge()
    },
    act: world => world.apply(three('2Gi')),
    after: world => {
      const name = (id: number): string => `orders-main-${id}-0`
      expect(world.nodes.starts).toEqual([0, 1, 2, 0, 1, 2].map(name))
      expect(world.disks.cluster.drained).toEqual([])
      expect([0, 1, 2].map(id => world.disks.cluster.leads(id))).toEqual([1, 1, 1])
    },
  },
  {
    name: 'the hibernation of three brokers',
    isLong: true,
    before: async world => {
      world.apply(three('1Gi'))
      await world.converge()
    },
    act: world => world.apply({ ...three('1Gi'), state: 'Hibernated' }),
    isOfAll: true,
    isAsleep: true,
    after: world => {
      expect(world.api.all('Pod')).toHaveLength(0)
      expect(world.disks.configs.get('hibernation.freeze.enable')).toBe('true')
      expect(world.disks.formats).toHaveLength(3)
    },
  },
  {
    name: 'the wake of three brokers',
    isLong: true,
    before: async world => {
      world.apply({ ...three('1Gi'), state: 'Hibernated' })
      await world.converge()
      world.disks.configs.set('hibernation.freeze.enable', 'true')
    },
    isOfAll: true,
    act: world => world.apply(three('1Gi')),
    after: world => {
      expect(world.api.all('Pod')).toHaveLength(3)
      expect(world.disks.configs.has('hibernation.freeze.enable')).toBe(false)
    },
  },
  {
    name: 'the last of four brokers that leaves',
    isLong: true,
    before: async world => {
      const [pool] = minimal.pools
      world.apply({ ...minimal, pools: [{ ...pool!, brokers: 4 }] })
      await world.converge()
      world.disks.cluster.places = [0, 1, 2, 3].map(index => {
        return { topic: 't', index, replicas: [index, (index + 1) % 4], isMoving: false }
      })
    },
    act: world => {
      const [pool] = minimal.pools
      world.apply({ ...minimal, pools: [{ ...pool!, brokers: 3 }] })
    },
    after: world => {
      expect(world.disks.cluster.held(3)).toBe(0)
      expect(world.api.all('LogBroker')).toHaveLength(3)
      expect(world.api.all('StatefulSet')).toHaveLength(3)
      expect(world.api.all('PersistentVolumeClaim')).toHaveLength(4)
      expect(new Set(world.brokers.forgotten)).toEqual(new Set([3]))
      expect(world.nodes.starts).toHaveLength(4)
    },
  },
  {
    name: 'adoption of kept claims',
    before: async world => {
      await created(world)
      world.api.remove('LogCluster', world.cluster.metadata)
      await world.converge().catch(() => {})
      expect(world.has('StatefulSet', broker)).toBe(false)
      for (const slot of ['00', '01']) {
        world.api.remove('ConfigMap', { namespace: 'streaming', name: `orders-md-${slot}` })
      }
      world.api.remove('ConfigMap', { namespace: 'streaming', name: `${broker}-identity` })
    },
    act: world => world.apply(minimal),
    after: world => {
      expect(world.disks.formats).toEqual(['pv-1'])
      expect(world.identity).toMatchObject({ mayFormat: 'false', incarnation: '1' })
      expect(world.get('ConfigMap', 'orders-md-00')).toMatchObject({ data: { from: 'disks' } })
    },
  },
]

async function created(world: World): Promise<void> {
  world.apply(minimal)
  await world.converge()
}

async function begun(story: Story): Promise<World> {
  const world = new World()
  await story.before?.(world)
  // Who is restarted at once would never be seen to be down.
  if (story.isLong === true) world.nodes.startTicks = 3
  return world
}

/** How many writes the story takes where nothing happens, and what it comes to. */
async function undisturbed(story: Story): Promise<{ count: number; end: End }> {
  const world = await begun(story)
  const before = world.api.sent
  await story.act(world)
  await world.converge()
  return { count: world.api.sent - before, end: endOf(world, story) }
}

type End = ReturnType<typeof endOf>

/** All that is there, but for when and in which order it came about, and what was done for it. */
function endOf({ api, nodes, disks, brokers }: World, { isOfAll }: Story) {
  const objects = api.everything().map(object => {
    const { kind, metadata, ...rest } = object as unknown as Record<string, unknown> & {
      readonly metadata: { readonly name: string }
    }
    const text = JSON.stringify(rest).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|10\.0\.0\.\d+/g, '')
    return `${String(kind)} ${metadata.name} ${text}`
  })
  const { starts } = nodes
  const { formats, cluster } = disks
  const { retired, moves, forgotten } = brokers
  // Of those that stop together some may be a moment ahead of the others, who take over from them.
  const elections = isOfAll === true ? [] : cluster.elections
  const done = { starts, formats, elections, retired: [...retired], moves, forgotten }
  return structuredClone({ objects, ...done })
}

/** Of several, at most one at a time. */
function expectOneDown(world: World): void {
  const sets = world.api.all('StatefulSet').map(({ metadata }) => metadata.name)
  const down = sets.filter(name => {
    const pod = world.api.find<Pod>('Pod', { namespace: at.namespace, name: `${name}-0` })
    return !isReady(pod)
  })
  expect(down.length).toBeLessThanOrEqual(1)
}

/** What happens at a write: the operator ends, or somebody else was faster. */
const mishaps = [
  {
    moment: 'before',
    name: 'the operator ends before any of its writes',
    error: () => new Crash(),
  },
  { moment: 'after', name: 'the operator ends after any of its writes', error: () => new Crash() },
  { moment: 'before', name: 'any of its writes is a conflict', error: conflict },
] as const

function conflict(): ApiError {
  return new ApiError('refused', { code: 409, reason: 'Conflict', message: 'another is there' })
}

for (const story of stories) {
  for (const { moment, name, error } of story.isLong === true ? mishaps.slice(0, 1) : mishaps) {
    test(`${story.name}: ${name}, and it is gone on with`, async () => {
      const { count, end } = await undisturbed(story)
      expect(count).toBeGreaterThan(1)
      for (let point = 1; point <= count; point++) {
        const world = await begun(story)
        const from = world.api.sent
        let isEnded = false
        world.api.onWrite = (now, number) => {
          if (isEnded || now !== moment || number !== from + point) return
          isEnded = true
          throw error()
        }
        if (story.isLong === true && story.isOfAll !== true) {
          world.onRound = () => expectOneDown(world)
        }
        await story.act(world)
        await world.converge()
        // A write that was refused has no moment after it.
        if (moment === 'before') expect(isEnded, `crash point ${point}`).toBe(true)
        const stable = story.isAsleep === true ? 'False Unstable' : 'True Stable'
        expect(world.condition('Stable'), `crash point ${point}`).toBe(stable)
        story.after(world)
        if (story.isLong === true) expect(endOf(world, story), `crash point ${point}`).toEqual(end)
      }
    })
  }
}
