import { describe, expect, test } from 'vitest'
import { threeBrokers, type ControllerWorld } from '../../../../test/metadata/controller-world.ts'

function drain(world: ControllerWorld, brokerId: number, isWanted = true): void {
  const name = 'leadership.drain.enable'
  const edit = isWanted
    ? ({ operation: 'set', name, value: 'true' } as const)
    : ({ operation: 'delete', name } as const)
  const changes = [
    { resource: { type: 'broker', brokerId } as const, edits: [edit], isWhole: false },
  ]
  world.ask({ type: 'alterConfigs', changes, validateOnly: false })
}

function restarted(world: ControllerWorld, id: number): void {
  world.fence(id)
  world.register(id)
  world.heartbeat(id)
}

describe('a broker that is drained', () => {
  test('hands over at once, in the append that says so, and stays in sync', () => {
    const world = threeBrokers()
    const appends = world.batches.length
    drain(world, 1)
    expect(world.state()).toEqual([2, [1, 2, 3], [], []])
    expect(world.batches.length).toBe(appends + 1)
  })

  test('is not elected while another in sync can lead, and leads at once again what prefers it', () => {
    const world = threeBrokers()
    drain(world, 1)
    world.fence(2)
    expect(world.state()[0]).toBe(3)
    world.heartbeat(2)
    drain(world, 1, false)
    expect(world.state()[0]).toBe(1)
  })

  test('leads where nobody else can, and no longer than that', () => {
    const world = threeBrokers()
    drain(world, 1)
    world.fence(2)
    world.fence(3)
    expect(world.state().slice(0, 2)).toEqual([1, [1]])
    world.heartbeat(2)
    world.alter(world.wish([1, 2]))
    expect(world.state().slice(0, 2)).toEqual([2, [1, 2]])
  })

  test('of a cluster that is drained as a whole leads as if none were', () => {
    const world = threeBrokers()
    for (const id of [1, 2, 3]) drain(world, id)
    world.fence(world.state()[0])
    expect(world.state()[0]).toBeGreaterThan(0)
  })

  test('is given no leadership of new partitions, nor by a balance, nor by the command for preferred ones', () => {
    const world = threeBrokers({ leaderBalanceIntervalMs: 1_000 })
    drain(world, 1)
    world.create('u', [[1, 2, 3]])
    expect(world.state('u')[0]).toBe(2)
    world.pass(3_000, 1, 2, 3)
    expect(world.state()[0]).toBe(2)
    const partitions = [{ topicId: world.topicId(), index: 0 }]
    expect(world.ask({ type: 'electLeaders', kind: 'preferred', partitions })).toMatchObject({
      results: [{ error: 'PREFERRED_LEADER_NOT_AVAILABLE' }],
    })
  })

  test('stays so through its own restart and under the next controller', () => {
    const world = threeBrokers()
    drain(world, 1)
    world.takeOver()
    for (const id of [1, 2, 3]) world.heartbeat(id)
    restarted(world, 1)
    world.alter(world.wish([2, 3, 1]))
    expect(world.state().slice(0, 2)).toEqual([2, [2, 3, 1]])
    drain(world, 1, false)
    expect(world.state()[0]).toBe(1)
  })

  test('is given back nothing that it is not in sync with', () => {
    const world = threeBrokers()
    drain(world, 1)
    restarted(world, 1)
    drain(world, 1, false)
    expect(world.state()[0]).toBe(2)
  })

  test('is one alone: all brokers are not given it, nor what else that request gives them (R8)', () => {
    const world = threeBrokers()
    world.alter(world.wish([1]))
    const values = { 'leadership.drain.enable': 'true', 'min.insync.replicas': '1' }
    const edits = Object.entries(values).map(([name, value]) => {
      return { operation: 'set', name, value } as const
    })
    const resource = { type: 'broker', brokerId: null } as const
    const changes = [{ resource, edits, isWhole: false }]
    const answer = world.ask({ type: 'alterConfigs', changes, validateOnly: false })
    expect(answer).toMatchObject({ results: [{ error: 'INVALID_CONFIG' }] })
    expect(world.state()).toEqual([1, [1], [2, 3], []])
  })
})
