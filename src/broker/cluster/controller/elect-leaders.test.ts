import { describe, expect, test } from 'vitest'
import { directoryOf } from '../../../../test/metadata/brokers.ts'
import { ControllerWorld, threeBrokers } from '../../../../test/metadata/controller-world.ts'
import type { Answer, Command, LogEnd } from './commands.ts'

function errorOf(answer: Answer): string | undefined {
  if (answer.type === 'refused') return answer.error
  return answer.type === 'leadersElected' ? answer.results[0]?.error : answer.type
}

type Kind = Extract<Command, { type: 'electLeaders' }>['kind']

function elect(
  world: ControllerWorld,
  kind: Kind,
  ends?: Record<number, [number, number]>,
): Answer {
  const id = { topicId: world.topicId(), index: 0 }
  return world.ask({
    type: 'electLeaders',
    kind,
    partitions: [id],
    ends: logEnds(world, ends ?? {}),
  })
}

/** What the live ones say now: epoch of the last record, and end, by broker. */
function logEnds(world: ControllerWorld, ends: Record<number, [number, number]>): LogEnd[] {
  const id = { topicId: world.topicId(), index: 0 }
  const { leaderEpoch } = world.partition()
  return Object.entries(ends).map(([brokerId, [lastEpoch, endOffset]]) => ({
    ...id,
    brokerId: Number(brokerId),
    brokerEpoch: world.image.brokers.get(Number(brokerId))!.epoch,
    leaderEpoch,
    lastEpoch,
    endOffset,
  }))
}

/** All three lost power, one after the other, and two of them are back. */
function afterPowerLoss(replicas: readonly number[] = [1, 2, 3]): ControllerWorld {
  const world = new ControllerWorld()
  for (const id of [1, 2, 3]) world.start(id)
  world.create('t', [replicas])
  for (const id of [3, 2, 1]) world.fence(id)
  for (const id of [2, 1]) world.register(id, { startClass: 'C' })
  return world
}

describe('an election by command', () => {
  test('I-24: of the preferred leader needs it in sync, and not in office', () => {
    const world = threeBrokers()
    expect(errorOf(elect(world, 'preferred'))).toBe('ELECTION_NOT_NEEDED')
    world.fence(1)
    expect(errorOf(elect(world, 'preferred'))).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    world.heartbeat(1)
    expect(errorOf(elect(world, 'preferred'))).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    world.alter(world.wish([2, 3, 1]))
    const { leaderEpoch } = world.partition()
    expect(errorOf(elect(world, 'preferred'))).toBe('NONE')
    expect(world.state()[0]).toBe(1)
    expect(world.partition().leaderEpoch).toBe(leaderEpoch + 1)
  })

  test('I-24: of all tells only of those that needed it', () => {
    const world = threeBrokers()
    world.create('u', [[2, 1, 3]])
    world.fence(1)
    world.heartbeat(1)
    world.alter(world.wish([2, 3, 1]))
    const answer = world.ask({ type: 'electLeaders', kind: 'preferred', partitions: null })
    expect(answer).toMatchObject({ results: [{ topicId: world.topicId('t'), error: 'NONE' }] })
  })

  test('I-24: is made every five minutes of all that are in sync', () => {
    const world = threeBrokers()
    world.fence(1)
    world.heartbeat(1)
    world.alter(world.wish([2, 3, 1]))
    world.pass(299_800, 1, 2, 3)
    expect(world.state()[0]).toBe(2)
    world.pass(400, 1, 2, 3)
    expect(world.state()).toEqual([1, [2, 3, 1], [], []])
  })

  test('unclean needs nobody in office, and somebody alive', () => {
    const world = threeBrokers()
    expect(errorOf(elect(world, 'unclean'))).toBe('ELECTION_NOT_NEEDED')
    for (const id of [3, 2, 1]) world.fence(id)
    expect(errorOf(elect(world, 'unclean'))).toBe('ELIGIBLE_LEADERS_NOT_AVAILABLE')
    world.heartbeat(3)
    expect(errorOf(elect(world, 'unclean'))).toBe('NONE')
    expect(world.state()).toEqual([3, [3], [], []])
    expect(world.partition().isRecovering).toBe(true)
  })

  test('D11: unclean prefers who was last known, and a broker with an empty disk comes last', () => {
    const world = afterPowerLoss()
    world.fence(3)
    world.start(3, { startClass: 'D', directoryId: directoryOf(3, 1) })
    world.heartbeat(2)
    elect(world, 'unclean')
    expect(world.state()).toEqual([2, [2], [], []])
  })

  test('of the longest takes the greatest end of those last known, where all of them are there (D10)', () => {
    const world = afterPowerLoss()
    for (const id of [1, 2, 3]) world.heartbeat(id)
    expect(errorOf(elect(world, 'longest'))).toBe('ELIGIBLE_LEADERS_NOT_AVAILABLE')
    elect(world, 'longest', { 1: [3, 10], 2: [4, 7], 3: [4, 9] })
    expect(world.state()).toEqual([2, [2], [], []])
  })

  test('of the longest takes that of all who live, where somebody last known is away', () => {
    const world = afterPowerLoss()
    world.heartbeat(1)
    world.heartbeat(3)
    elect(world, 'longest', { 1: [4, 10], 3: [4, 11] })
    expect(world.state()).toEqual([3, [3], [], []])
  })

  test('R9: of the longest waits for whoever lives and has not said how far his log reaches', () => {
    const world = afterPowerLoss()
    for (const id of [1, 2, 3]) world.heartbeat(id)
    expect(errorOf(elect(world, 'longest', { 1: [3, 10], 3: [4, 9] }))).toBe(
      'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    )
    expect(world.state()[0]).toBe(-1)
  })

  test.each([{ brokerEpoch: -1 }, { leaderEpoch: -1 }])(
    'R9: of the longest takes an end that was told in another %o for none',
    other => {
      const world = afterPowerLoss()
      for (const id of [1, 2, 3]) world.heartbeat(id)
      const ends = logEnds(world, { 1: [3, 10], 2: [4, 7], 3: [4, 9] })
      const partitions = [{ topicId: world.topicId(), index: 0 }]
      const command = { type: 'electLeaders', kind: 'longest', partitions } as const
      const wrong = ends.map(end => (end.brokerId === 2 ? { ...end, ...other } : end))
      expect(errorOf(world.ask({ ...command, ends: wrong }))).toBe('ELIGIBLE_LEADERS_NOT_AVAILABLE')
      expect(errorOf(world.ask({ ...command, ends }))).toBe('NONE')
      expect(world.state()[0]).toBe(2)
    },
  )

  test('R9: of the longest takes a log that cannot be read last, and of two alike not that of an empty disk', () => {
    const world = afterPowerLoss([3, 1, 2])
    world.fence(3)
    world.start(3, { startClass: 'D', directoryId: directoryOf(3, 1) })
    for (const id of [1, 2]) world.heartbeat(id)
    elect(world, 'longest', { 1: [-1, -1], 2: [-1, 0], 3: [-1, 0] })
    expect(world.state()[0]).toBe(2)
  })

  test('of a partition that there is not is refused', () => {
    const world = threeBrokers()
    const partitions = [{ topicId: world.topicId(), index: 7 }]
    expect(errorOf(world.ask({ type: 'electLeaders', kind: 'preferred', partitions }))).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    )
  })
})
