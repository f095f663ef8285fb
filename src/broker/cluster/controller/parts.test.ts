import { describe, expect, test } from 'vitest'
import { ControllerWorld } from '../../../../test/metadata/controller-world.ts'
import type { MetadataImage, PartitionImage } from '../../metadata/image.ts'
import { brokersOf, insyncNeededBy, isActive } from '../../metadata/replicas.ts'
import { applied } from './partition-changes.ts'

const topics = ['t', 'u', 'v']
/** Of each topic: what changes of all of them does not fit into one append, and what changes of one does. */
const partitionCount = 60
const payloadBytesMax = 24_000

function manyPartitions(): ControllerWorld {
  const world = new ControllerWorld({ payloadBytesMax })
  for (const id of [1, 2, 3]) world.start(id)
  const replicas = Array.from({ length: partitionCount }, () => [1, 2, 3])
  for (const name of topics) world.create(name, replicas)
  return world
}

type Edit = readonly [name: string, value: string | null]

function configure(
  world: ControllerWorld,
  brokerId: number | null,
  edits: readonly Edit[],
  validateOnly = false,
) {
  const change = {
    resource: { type: 'broker', brokerId },
    edits: edits.map(([name, value]) =>
      value === null
        ? ({ operation: 'delete', name } as const)
        : ({ operation: 'set', name, value } as const),
    ),
    isWhole: false,
  } as const
  return world.ask({ type: 'alterConfigs', changes: [change], validateOnly })
}

function partitionsOf(image: MetadataImage): PartitionImage[] {
  return topics.flatMap(name => image.topicByName(name)!.partitions)
}

/** Whoever is eligible, though so many are in sync that records are committed without him (R8). */
function falselyEligible(image: MetadataImage): PartitionImage[] {
  return topics.flatMap(name => {
    const topic = image.topicByName(name)!
    return topic.partitions.filter(
      each => each.elr.length > 0 && each.isr.length >= insyncNeededBy(image, topic, each),
    )
  })
}

function isLedBy(id: number): (partition: PartitionImage) => boolean {
  return ({ leader }) => leader === id
}

/** The appends of a config for all that a controller makes of it. */
function appendsOf(prepare: (world: ControllerWorld) => void, change: typeof lower) {
  const world = manyPartitions()
  prepare(world)
  const before = world.batches.length
  const { image } = world
  expect(change(world)).toMatchObject({ results: [{ error: 'NONE' }] })
  const appends = world.batches.slice(before)
  expect(appends.length).toBeGreaterThanOrEqual(topics.length)
  return { world, image, appends }
}

/** The controller comes to its end after each of the appends, and another one takes over. */
function* takeOvers(prepare: (world: ControllerWorld) => void, change: typeof lower) {
  const { appends } = appendsOf(prepare, change)
  for (let count = 0; count <= appends.length; count++) {
    const world = manyPartitions()
    prepare(world)
    world.appendOnly(appends.slice(0, count).flat())
    world.takeOver()
    yield { world, isDone: count === appends.length }
  }
}

const lower = (world: ControllerWorld) => configure(world, null, [['min.insync.replicas', '1']])

/** Two of three left: the last of them is eligible, since no two are in sync any more. */
function alone(world: ControllerWorld): void {
  for (const id of [2, 3]) world.fence(id)
  for (const each of partitionsOf(world.image)) {
    expect([brokersOf(world.image, each.isr), brokersOf(world.image, each.elr)]).toEqual([[1], [3]])
  }
}

describe('a config that changes more partitions than one append holds', () => {
  test('R8: that asks for fewer in sync comes after the partitions: nobody is eligible who need not have all, at no crash point', () => {
    const { world, image, appends } = appendsOf(alone, lower)
    let after = image
    for (const append of appends) {
      after = applied(after, append)
      expect(falselyEligible(after)).toEqual([])
    }
    expect(appends.at(-1)!.at(-1)!.type).toBe('brokerConfigsChanged')
    expect(partitionsOf(world.image).filter(({ elr }) => elr.length > 0)).toEqual([])
    for (const { world: next, isDone } of takeOvers(alone, lower)) {
      expect(falselyEligible(next.image)).toEqual([])
      expect(next.image.brokerConfigs(null).has('min.insync.replicas')).toBe(isDone)
      // Nobody leads who may lack what the leader alone committed.
      next.fence(1)
      next.heartbeat(3)
      const led = partitionsOf(next.image).filter(isLedBy(3))
      if (isDone) expect(led).toEqual([])
      // And it is done when it is asked for again.
      next.heartbeat(1)
      expect(lower(next)).toMatchObject({ results: [{ error: 'NONE' }] })
      expect(falselyEligible(next.image)).toEqual([])
    }
  })

  test('by which somebody may lead who could not comes first, and the next controller has him lead', () => {
    const allow = (world: ControllerWorld) =>
      configure(world, null, [['unclean.leader.election.enable', 'true']])
    const waiting = (world: ControllerWorld): void => {
      for (const id of [3, 2, 1]) world.fence(id)
      world.heartbeat(3)
      expect(partitionsOf(world.image).every(isLedBy(-1))).toBe(true)
    }
    const { appends } = appendsOf(waiting, allow)
    expect(appends[0]![0]!.type).toBe('brokerConfigsChanged')
    for (const { world } of [...takeOvers(waiting, allow)].slice(1)) {
      expect(partitionsOf(world.image).every(isLedBy(3))).toBe(true)
    }
  })

  test('that drains a broker comes first, and the next controller goes on', () => {
    const drain = (world: ControllerWorld) =>
      configure(world, 1, [['leadership.drain.enable', 'true']])
    for (const { world } of [...takeOvers(() => {}, drain)].slice(1)) {
      expect(partitionsOf(world.image).some(isLedBy(1))).toBe(false)
      expect(configure(world, 1, [['leadership.drain.enable', null]])).toMatchObject({
        results: [{ error: 'NONE' }],
      })
      expect(partitionsOf(world.image).every(isLedBy(1))).toBe(true)
    }
  })

  test('that thaws a cluster comes first, and the next controller takes out who is away', () => {
    const thaw = (world: ControllerWorld) =>
      configure(world, null, [['hibernation.freeze.enable', null]])
    const frozen = (world: ControllerWorld): void => {
      configure(world, null, [['hibernation.freeze.enable', 'true']])
      world.fence(1)
      const [first] = partitionsOf(world.image)
      expect(brokersOf(world.image, first!.isr)).toEqual([1, 2, 3])
    }
    for (const { world, isDone } of [...takeOvers(frozen, thaw)].slice(1)) {
      const isAway = (id: string): boolean => !isActive(world.image.brokerOfDirectory(id))
      const held = partitionsOf(world.image).filter(({ isr }) => isr.some(isAway))
      expect([held, isDone || partitionsOf(world.image).every(isLedBy(2))]).toEqual([[], true])
    }
  })

  test('is refused where it is two of these at once', () => {
    const world = manyPartitions()
    alone(world)
    const both: Edit[] = [
      ['min.insync.replicas', '1'],
      ['unclean.leader.election.enable', 'true'],
    ]
    expect(configure(world, null, both)).toMatchObject({ error: 'INVALID_REQUEST' })
    expect(configure(world, null, both, true)).toMatchObject({ error: 'INVALID_REQUEST' })
    expect(configure(world, null, both.slice(0, 1), true)).toMatchObject({
      results: [{ error: 'NONE' }],
    })
    expect(world.image.brokerConfigs(null).size).toBe(0)
    expect(lower(world)).toMatchObject({ results: [{ error: 'NONE' }] })
    expect(configure(world, null, both.slice(1))).toMatchObject({ results: [{ error: 'NONE' }] })
  })
})

test('a topic that does not fit into one append is refused where it is validated only too', () => {
  const world = manyPartitions()
  const ask = (partitions: number, validateOnly: boolean) => {
    const counts = { partitionCount: partitions, replicationFactor: 3, assignments: [] }
    const draft = { name: 'x', ...counts, configs: [], topicId: world.uuid(), placementStart: 0 }
    return world.ask({ type: 'createTopics', drafts: [draft], validateOnly })
  }
  expect(ask(10 * partitionCount, true)).toMatchObject({ error: 'INVALID_REQUEST' })
  expect(ask(10 * partitionCount, false)).toMatchObject({ error: 'INVALID_REQUEST' })
  expect(ask(partitionCount, true)).toMatchObject({ results: [{ error: 'NONE', id: null }] })
  expect(world.image.topicByName('x')).toBe(undefined)
  expect(ask(partitionCount, false)).toMatchObject({ results: [{ error: 'NONE' }] })
})
