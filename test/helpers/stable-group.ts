import { expect } from 'vitest'
import type { GroupsConfig } from '../../src/broker/coordinator/groups/groups.ts'
import type { JoinAnswer } from '../../src/broker/coordinator/groups/events.ts'
import { answered, errorOf, GroupWorld } from './group-world.ts'

/** A stable group of `count`; the first is the leader. */
export function stable(count: number, config: Partial<GroupsConfig> = {}) {
  const world = new GroupWorld(config)
  let joined: JoinAnswer[] = []
  for (let at = 0; at < count; at++) {
    const newcomer = world.join({ freshMemberId: `m${at}` })
    const calls = [...joined.map(({ memberId }) => world.join({ memberId })), newcomer]
    world.advance(0)
    joined = calls.map(answered)
    settle(world, joined)
  }
  return { world, joined }
}

/** Everybody syncs, the leader with a part for each. */
function settle(world: GroupWorld, joined: readonly JoinAnswer[]): void {
  const parts = Object.fromEntries(joined.map(({ memberId }) => [memberId, `part of ${memberId}`]))
  const calls = joined.map(one => world.sync(one, one.memberId === one.leaderId ? parts : {}))
  for (const call of calls) expect(errorOf(call)).toBe('NONE')
  expect(world.state).toBe('Stable')
}

/** Why each rebalance began. */
export const reasons = (world: GroupWorld): unknown[] =>
  world.lines
    .filter(({ message }) => message === 'A rebalance begins')
    .map(({ fields }) => fields['reason'])
