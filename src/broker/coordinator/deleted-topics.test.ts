import { describe, expect, test } from 'vitest'
import { CoordinatorsWorld, uuidOf } from '../../../test/helpers/coordinators-world.ts'
import { zeroUuid } from '../../lib/uuid.ts'

describe('a topic that is deleted while a partition of groups is loaded, and made anew', () => {
  /** Java's hash of 'a' is 97, that of 'b' 98: partitions 1 and 0 of two. Partition 1 waits at broker 1. */
  async function waitingWorld(): Promise<CoordinatorsWorld> {
    const world = new CoordinatorsWorld(2)
    await world.start()
    world.commit(1, 1, 'a')
    await world.clock.settle()
    await world.elect(1, { partition: 1 })
    expect(world.committed(1, 'a')).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    return world
  }

  /** Both partitions are led by broker 2 for a while, and by broker 1 again. */
  async function moveToAndFro(world: CoordinatorsWorld, partition: number): Promise<void> {
    for (const broker of [2, 1]) {
      await world.replicate(partition)
      await world.elect(broker, { partition })
      await world.replicate(partition)
      await world.replicate(partition)
    }
  }

  test('keeps what was committed for the new one, in every partition', async () => {
    const world = await waitingWorld()
    await world.makeAnew(uuidOf(9))
    const call = world.commit(1, 77, 'b')
    await world.clock.settle()
    await world.replicate(0)
    expect([call.answer, world.committed(1, 'b')]).toEqual(['NONE', 77])
    await moveToAndFro(world, 0)
    expect(world.committed(1, 'b')).toBe(77)
  })

  test('keeps an offset without an id that comes from a partition which is loaded later', async () => {
    const world = await waitingWorld()
    await world.makeAnew(uuidOf(9))
    world.commit(1, 77, 'b', zeroUuid)
    await world.clock.settle()
    await world.replicate(0)
    await moveToAndFro(world, 0)
    expect(world.committed(1, 'b')).toBe(77)
  })

  test('loses what was committed for the former one, with and without its id', async () => {
    for (const topicId of [uuidOf(1), zeroUuid]) {
      const world = new CoordinatorsWorld()
      await world.start()
      world.commit(1, 5, 'a', topicId)
      await world.clock.settle()
      await world.elect(1)
      expect(world.committed(1, 'a')).toBe('COORDINATOR_LOAD_IN_PROGRESS')
      await world.makeAnew(uuidOf(9))
      await world.replicate()
      await world.replicate()
      expect(world.committed(1, 'a')).toBe(-1)
    }
  })
})
