import { beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import type { Partition } from '../../partition/partition.ts'
import { ReplicationThrottle } from '../../throttle/replication-throttle.ts'
import { FollowerTraffic } from './follower-traffic.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** As far as it matters who is in sync. */
function partition(index: number, isr: readonly number[]): Partition {
  const id = { topicId, topic: 'topic', partition: index }
  return { id, role: { isr } } as unknown as Partition
}

describe("the leader's side of KIP-73", () => {
  let clock: SimClock
  let list: string
  let traffic: FollowerTraffic

  beforeEach(() => {
    clock = new SimClock()
    list = '0:1,1:1'
    const throttle = new ReplicationThrottle({
      brokerId: 1,
      rateMax: () => 1000,
      listOf: () => list,
      isBrought: () => false,
      windowMs: 1000,
      windowsMax: 11,
    })
    traffic = new FollowerTraffic(clock, throttle)
  })

  test('who is listed and not in sync is sent nothing while the rate is exceeded', () => {
    const listed = partition(0, [1])
    expect(traffic.withholds(listed, 2)).toBe(false)
    traffic.sent(listed, 2, 1500)
    expect(traffic.withholds(listed, 2)).toBe(true)
    expect(traffic.withholds(partition(5, [1]), 2)).toBe(false)
    clock.advance(1500)
    expect(traffic.withholds(listed, 2)).toBe(false)
  })

  test('in-sync followers are never held back, and what they take of listed partitions counts', () => {
    const insync = partition(1, [1, 2])
    traffic.sent(insync, 2, 5000)
    expect(traffic.withholds(insync, 2)).toBe(false)
    expect(traffic.withholds(partition(0, [1, 2]), 3)).toBe(true)
  })

  test('what is not listed counts for nobody, and all of it is told', () => {
    traffic.sent(partition(5, [1]), 3, 9000)
    traffic.sent(partition(0, [1]), 2, 10)
    expect(traffic.withholds(partition(0, [1]), 2)).toBe(false)
    expect([...traffic.sentBytes()]).toEqual([
      [3, 9000],
      [2, 10],
    ])
  })
})
