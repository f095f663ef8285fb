import { describe, expect, test } from 'vitest'
import type { BrokerView } from '../plan/broker-view.ts'
import type { Observed } from '../plan/observed.ts'
import type { Plan } from '../plan/plan.ts'
import { clusterReadiness } from './cluster-readiness.ts'
import { no, yes, type Finding } from './conditions.ts'

const ids = [0, 1, 2]
const nowMs = Date.parse('2026-11-28T04:00:00Z')

interface World {
  /** Those that do not serve. */
  readonly down?: readonly number[]
  /** Of them, those that answer. */
  readonly answering?: readonly number[]
  /** How many partitions each leads, as the others tell. */
  readonly leads?: readonly number[]
  readonly registered?: readonly number[]
  readonly leaderless?: number
  readonly formerly?: 'True' | 'False'
  /** Why it was so. */
  readonly reason?: string
  /** Seconds since they were wanted. */
  readonly age?: number
}

function readyIn(world: World): Finding {
  const { down = [], answering = [], leads = [], registered = ids, leaderless = 0 } = world
  const status = (id: number) => ({
    metadataSequence: id,
    leaderlessCount: leaderless,
    brokers: registered.map(brokerId => ({ brokerId, leads: leads[brokerId] ?? 0 })),
  })
  const views = ids.map(id => ({
    logBroker: {
      metadata: { creationTimestamp: new Date(nowMs - 1000 * (world.age ?? 600)).toISOString() },
    },
    broker: { brokerId: id, name: `orders-main-${id}` },
    sight:
      down.includes(id) && !answering.includes(id) ? null : { kind: 'seen', status: status(id) },
  }))
  const findings = ids.map(id =>
    down.includes(id) ? no('Stopping', `The pod of broker ${id} is ending.`) : yes('Serving', ''),
  )
  const { formerly: before = 'True', reason = 'Told' } = world
  const conditions = [{ type: 'Ready', status: before, reason }]
  return clusterReadiness(
    {
      observed: { cluster: { status: { conditions } } } as unknown as Observed,
      now: new Date(nowMs).toISOString(),
      plan: {
        birth: { kind: 'born' },
        hibernation: { kind: 'awake' },
        views: views as unknown as BrokerView[],
      } as unknown as Plan,
    },
    findings,
  )
}

describe('a cluster of several brokers', () => {
  test('is ready while those that serve lead every partition, and tells who is missing', () => {
    expect(readyIn({ down: [1] })).toEqual({
      status: 'True',
      reason: 'ServingWithout',
      message:
        '2 of 3 brokers serve clients, and every partition has a leader there: The pod of broker 1 is ending.',
    })
    expect(readyIn({})).toMatchObject({ status: 'True', reason: 'Serving' })
  })

  test('is not while a partition has no leader, or one that is silent', () => {
    const message = '2 partitions have no leader: The pod of broker 1 is ending.'
    const offline = { status: 'False', reason: 'PartitionsOffline', message }
    expect(readyIn({ down: [1], leaderless: 2 })).toEqual(offline)
    expect(readyIn({ down: [1], leads: [0, 2, 0] })).toEqual(offline)
    // It answers, and only is not in sync everywhere.
    expect(readyIn({ down: [1], answering: [1], leads: [0, 2, 0] }).status).toBe('True')
  })

  test('is not before each of its brokers has been part of it once', () => {
    const creating = { down: [2], formerly: 'False' } as const
    expect(readyIn({ ...creating, registered: [0, 1] })).toMatchObject({
      status: 'False',
      reason: 'Stopping',
    })
    expect(readyIn(creating).status).toBe('True')
    // It is on its way.
    expect(readyIn({ ...creating, age: 10 }).status).toBe('False')
    expect(readyIn({ down: [2], age: 10 }).status).toBe('True')
    // It was whole, and a leader that was lost is found again.
    const offline = { formerly: 'False', reason: 'PartitionsOffline' } as const
    expect(readyIn({ down: [2], ...offline, age: 10 }).status).toBe('True')
    // One that is added later takes nothing from those that serve.
    expect(readyIn({ down: [2], registered: [0, 1] }).status).toBe('True')
  })

  test('is not where nobody serves', () => {
    expect(readyIn({ down: ids }).status).toBe('False')
  })
})
