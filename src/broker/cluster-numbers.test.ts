import { expect, test } from 'vitest'
import { type ControllerWorld, threeBrokers } from '../../test/metadata/controller-world.ts'
import { BrokersWorld } from '../../test/helpers/brokers-world.ts'
import { ClusterCounts } from './cluster-numbers.ts'
import { directoryOf } from '../../test/metadata/brokers.ts'
import type { ImageListener } from './cluster/peer-service.ts'

/** The counts of broker `brokerId`, as it follows `world`, where broker 1 is the controller. */
function countsOf(
  world: ControllerWorld,
  brokerId: number,
): { counts: ClusterCounts; follow: () => void } {
  let listener: ImageListener = () => {}
  let known = world.records.length
  const isOffice = brokerId === 1
  const cluster = {
    brokerId,
    controllerId: 1,
    get image() {
      return world.image
    },
    office: isOffice ? ({ mayAppend: true } as never) : null,
    onImage: (given: ImageListener) => {
      listener = given
      return () => {}
    },
  }
  const counts = new ClusterCounts(cluster)
  const follow = (): void => {
    listener(world.image, world.records.slice(known))
    known = world.records.length
  }
  return { counts, follow }
}

test('elections are counted by the controller, and by no broker that only hears of them', () => {
  const world = threeBrokers()
  const [controller, other] = [countsOf(world, 1), countsOf(world, 2)]
  world.setConfig('unclean.leader.election.enable', 'true')
  const steps = [() => world.fence(1), () => world.fence(2), () => world.fence(3)]
  for (const act of [...steps, () => world.heartbeat(1)]) {
    act()
    for (const { follow } of [controller, other]) follow()
  }
  const elected = Object.fromEntries(controller.counts.numbers.elections)
  expect(elected).toEqual({ clean: 2, preferred: 0, elr: 0, recovered: 0, unclean: 1 })
  expect([...controller.counts.numbers.possibleLosses]).toEqual([['t', 1]])
  const heard = [...other.counts.numbers.elections].map(([, count]) => count)
  expect(heard).toEqual([0, 0, 0, 0, 0])
})

test('a claim of its own is a term in office, another is not', () => {
  const world = threeBrokers()
  const [controller, other] = [countsOf(world, 1), countsOf(world, 2)]
  expect([controller.counts.numbers.terms, other.counts.numbers.terms]).toEqual([0, 0])
  world.takeOver()
  for (const { follow } of [controller, other]) follow()
  expect([controller.counts.numbers.terms, other.counts.numbers.terms]).toEqual([1, 0])
})

test('the controller tells the state of the cluster, as it is now', () => {
  const world = threeBrokers()
  const { counts } = countsOf(world, 1)
  world.create('u', [
    [2, 1],
    [3, 2],
  ])
  expect(counts.numbers.state).toMatchObject({
    endSequence: world.image.sequence,
    topics: 2,
    partitions: 3,
    leaderless: 0,
    notPreferred: 0,
    reassigning: 0,
    isQuarantined: false,
  })
  world.fence(2)
  expect(counts.numbers.state).toMatchObject({ leaderless: 0, notPreferred: 1 })
  expect(counts.numbers.state!.brokers.filter(({ isFenced }) => isFenced)).toMatchObject([
    { id: 2 },
  ])
  expect(countsOf(world, 2).counts.numbers.state).toBeNull()
})

test('a controller counts and tells from its claim on, however long its own logs take', async () => {
  const world = new BrokersWorld()
  const [first] = await world.startAll()
  const assignments = [{ partition: 0, brokers: [1, 2] }]
  const counted = { partitionCount: -1, replicationFactor: -1, assignments, configs: [] }
  const creating = first!.createTopics([{ name: 't', ...counted }], false)
  await world.until(() => first!.image.topicByName('t') !== undefined)
  await creating
  for (const id of [0, 1, 2]) world.node(id).kill()
  await world.clock.run(20_000)
  let counts: ClusterCounts | null = null
  const recovered = Promise.withResolvers<void>()
  const starting = world.node(0).start({
    begun: cluster => (counts = new ClusterCounts(cluster)),
    facts: async ({ peerService }) => {
      world.node(0).service = peerService
      await recovered.promise
      return { directoryId: directoryOf(0), startClass: 'A', damaged: [] }
    },
  })
  const told = () => counts!.numbers
  await world.until(() => counts !== null && told().isController)
  await world.clock.run(20_000)
  await world.start(1)
  const elected = () => [...told().elections].reduce((sum, [, count]) => sum + count, 0)
  await world.until(() => elected() > 0)
  expect(world.node(0).cluster).toBeNull()
  expect(told()).toMatchObject({ isController: true, controllerId: 0, terms: 1 })
  expect(told().state).toMatchObject({ topics: 1, leaderless: 0 })
  recovered.resolve()
  await world.until(() => world.node(0).cluster !== null)
  await starting
  expect(told()).toMatchObject({ isController: true, terms: 1 })
})
