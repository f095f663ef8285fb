import { expect, test } from 'vitest'
import { directoryOf } from '../../../test/metadata/brokers.ts'
import { type ControllerWorld, threeBrokers } from '../../../test/metadata/controller-world.ts'
import { electionsIn, mayHaveLost, electionKinds } from './election-kind.ts'

/** The kinds of what was elected while `act` went on. */
function electedBy(world: ControllerWorld, act: () => void): string[] {
  const before = world.image
  const known = world.records.length
  act()
  return electionsIn(before, world.records.slice(known)).map(
    ({ topic, kind }) => `${topic} ${kind}`,
  )
}

function elect(world: ControllerWorld, kind: 'preferred' | 'unclean'): void {
  const partitions = [{ topicId: world.topicId(), index: 0 }]
  world.ask({ type: 'electLeaders', kind, partitions })
}

test('a topic that is made, and a set that shrinks and grows, elect nobody', () => {
  const world = threeBrokers()
  expect(electedBy(world, () => world.create('new', [[1, 2, 3]]))).toEqual([])
  expect(electedBy(world, () => world.alter(world.wish([1, 2])))).toEqual([])
  expect(electedBy(world, () => world.alter(world.wish([1, 2, 3])))).toEqual([])
})

test('clean: another of those in sync, where the leader goes', () => {
  const world = threeBrokers()
  expect(electedBy(world, () => world.fence(1))).toEqual(['t clean'])
})

test('preferred: the first replica, where the leader could have gone on', () => {
  const world = threeBrokers()
  world.fence(1)
  world.heartbeat(1)
  world.alter(world.wish([2, 3, 1]))
  expect(electedBy(world, () => elect(world, 'preferred'))).toEqual(['t preferred'])
})

test('elr: one that was not in sync and has all that is committed (KIP-966)', () => {
  const world = threeBrokers()
  world.alter(world.wish([1]))
  expect(electedBy(world, () => world.fence(1))).toEqual(['t elr'])
})

test('elr: whoever of all that were in sync comes back first', () => {
  const world = threeBrokers()
  world.pass(7_000)
  expect(electedBy(world, () => world.heartbeat(1))).toEqual(['t elr'])
})

test('recovered: one that may have lost the end of its log, where it alone was last known', () => {
  const world = threeBrokers()
  world.create('single', [[2]])
  const acts = (): void => {
    world.fence(2)
    world.register(2, { startClass: 'C' })
    world.heartbeat(2)
  }
  expect(electedBy(world, acts)).toEqual(['single recovered'])
})

test('unclean: one that was not known to have anything', () => {
  const world = threeBrokers()
  for (const id of [3, 2, 1]) world.fence(id)
  world.start(3, { startClass: 'D', directoryId: directoryOf(3, 1) })
  expect(electedBy(world, () => elect(world, 'unclean'))).toEqual(['t unclean'])
})

test('a leader of no certain copy that comes back as it went does not count twice', () => {
  const world = threeBrokers()
  for (const id of [3, 2, 1]) world.fence(id)
  world.setConfig('unclean.leader.election.enable', 'true')
  expect(electedBy(world, () => world.heartbeat(3))).toEqual(['t unclean'])
  world.fence(3)
  expect(world.state()).toEqual([-1, [], [3], []])
  expect(electedBy(world, () => world.heartbeat(3))).toEqual(['t elr'])
  expect(world.partition().isRecovering).toBe(true)
})

test('only those of no certain copy may have lost records', () => {
  expect(electionKinds.filter(mayHaveLost)).toEqual(['recovered', 'unclean'])
})
