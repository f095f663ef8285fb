import { describe, expect, test } from 'vitest'
import { threeBrokers, type ControllerWorld } from '../../../test/metadata/controller-world.ts'
import { restartRisks, type RestartRisk } from './restart-risk.ts'

function riskOf(world: ControllerWorld, id: number): RestartRisk {
  return restartRisks(world.image).find(({ brokerId }) => brokerId === id)!
}

const none = { count: 0, names: [] }

describe('the risk of a restart', () => {
  test('is none while enough others are in sync, and of a broker that is in no set', () => {
    const world = threeBrokers()
    expect(riskOf(world, 1)).toEqual({
      brokerId: 1,
      isFenced: false,
      isDrained: false,
      leads: 1,
      behind: none,
      underMin: none,
      offline: none,
      unavoidableCount: 0,
    })
    world.fence(3)
    expect(riskOf(world, 3)).toMatchObject({
      isFenced: true,
      behind: { count: 1, names: ['t-0'] },
      underMin: none,
      offline: none,
    })
  })

  test('names partitions that would fall under min.insync.replicas because another replica is missing', () => {
    const world = threeBrokers()
    world.fence(3)
    for (const id of [1, 2]) {
      expect(riskOf(world, id)).toMatchObject({ underMin: { count: 1, names: ['t-0'] } })
    }
  })

  test('names partitions that nobody would lead because all other replicas are missing', () => {
    const world = threeBrokers()
    world.fence(3)
    world.fence(2)
    expect(riskOf(world, 1)).toMatchObject({ offline: { count: 1, names: ['t-0'] } })
  })

  test('does not wait for what no waiting cures: one replica, or as many needed as there are', () => {
    const world = threeBrokers()
    world.create('one', [[1]])
    world.create('all', [[1, 2, 3]], { 'min.insync.replicas': '3' })
    expect(riskOf(world, 1)).toMatchObject({
      underMin: none,
      offline: none,
      unavoidableCount: 2,
    })
  })

  test('has no names without end', () => {
    const world = threeBrokers()
    world.create('many', Array(50).fill([1, 2, 3]))
    world.fence(3)
    const { underMin } = riskOf(world, 1)
    expect([underMin.count, underMin.names.length]).toEqual([51, 20])
  })
})
