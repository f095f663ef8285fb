import { beforeEach, describe, expect, test } from 'vitest'
import { topicId } from '../../../test/helpers/fake-followed.ts'
import { ReplicationThrottle } from './replication-throttle.ts'
import { WindowRate } from './window-rate.ts'

describe('a rate', () => {
  const rate = () => new WindowRate({ windowMs: 1000, windowsMax: 3 })

  test('is what was recorded over the time since the oldest window began, one window at least', () => {
    const measured = rate()
    expect(measured.at(0)).toBe(0)
    measured.record(500, 0)
    expect(measured.at(0)).toBe(500)
    measured.record(500, 900)
    expect(measured.at(1000)).toBe(1000)
    expect(measured.at(2000)).toBe(500)
  })

  test('forgets windows that began longer ago than all of them take', () => {
    const measured = rate()
    measured.record(3000, 0)
    measured.record(1000, 1000)
    expect(measured.at(2000)).toBe(2000)
    expect(measured.at(3000)).toBe(500)
    expect(measured.at(4000)).toBe(0)
  })
})

describe('KIP-73', () => {
  let rateMax: number
  let lists: Map<string, string>
  let throttle: ReplicationThrottle

  beforeEach(() => {
    rateMax = 1000
    lists = new Map()
    throttle = new ReplicationThrottle({
      brokerId: 2,
      rateMax: () => rateMax,
      listOf: id => lists.get(id) ?? '',
      isBrought: () => false,
      windowMs: 1000,
      windowsMax: 11,
    })
  })

  const of = (topic: number, partition: number) => ({ topicId: topicId(topic), partition })

  test('a list names replicas by partition and broker, and * names all', () => {
    lists.set(topicId(1), '0:1,0:2,3:2,4:12').set(topicId(2), '*')
    expect([0, 3, 4].map(partition => throttle.isListed(of(1, partition)))).toEqual([
      true,
      true,
      false,
    ])
    expect(throttle.isListed(of(2, 99))).toBe(true)
    expect(throttle.isListed(of(3, 0))).toBe(false)
    lists.set(topicId(1), '')
    expect(throttle.isListed(of(1, 0))).toBe(false)
  })

  test('what goes beyond the rate waits until the average is below it', () => {
    throttle.record(1000, 0)
    expect(throttle.isExceeded(0)).toBe(false)
    throttle.record(1000, 500)
    expect(throttle.isExceeded(999)).toBe(true)
    expect(throttle.isExceeded(2000)).toBe(false)
  })

  test('a rate of nothing lets nothing through but what was under way', () => {
    rateMax = 0
    lists.set(topicId(1), '*')
    expect([throttle.isOn, throttle.isListed(of(1, 0)), throttle.isExceeded(0)]).toEqual([
      true,
      true,
      false,
    ])
    throttle.record(1, 0)
    expect([0, 5_000, 10_999].map(nowMs => throttle.isExceeded(nowMs))).toEqual([true, true, true])
  })

  test('an item that is none lists nobody, be the broker the one of id 0', () => {
    const zero = new ReplicationThrottle({
      brokerId: 0,
      rateMax: () => 1,
      listOf: id => lists.get(id) ?? '',
      isBrought: () => false,
      windowMs: 1000,
      windowsMax: 11,
    })
    lists.set(topicId(1), ' ').set(topicId(2), '0:0 , 1:2,')
    expect([0, 1].map(partition => zero.isListed(of(1, partition)))).toEqual([false, false])
    expect([0, 1].map(partition => zero.isListed(of(2, partition)))).toEqual([true, false])
  })

  test('without a rate nobody is listed and nothing counts', () => {
    rateMax = Number.MAX_SAFE_INTEGER
    lists.set(topicId(1), '*')
    throttle.record(1e9, 0)
    expect(throttle.isListed(of(1, 0))).toBe(false)
    rateMax = 1
    expect(throttle.isExceeded(0)).toBe(false)
  })
})
