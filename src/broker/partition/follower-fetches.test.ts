import { describe, expect, test } from 'vitest'
import { FollowerFetches } from './follower-fetches.ts'

const follower = 2

describe('a follower is heard', () => {
  test('when the fetch before its latest one was read: what lay in a socket while the leader stood still is old', () => {
    const fetches = new FollowerFetches()
    expect(fetches.sentMs(follower)).toBe(-Infinity)
    fetches.take(follower, 7, 1000)
    expect(fetches.sentMs(follower)).toBe(-Infinity)
    fetches.take(follower, 7, 1500)
    expect(fetches.sentMs(follower)).toBe(1000)
    // The leader stood still from then on.
    fetches.take(follower, 7, 16_500)
    expect(fetches.sentMs(follower)).toBe(1500)
    fetches.take(follower, 7, 16_900)
    expect(fetches.sentMs(follower)).toBe(16_500)
  })

  test('by whichever connection tells the latest; the first fetch of one tells nothing, and takes nothing back', () => {
    const fetches = new FollowerFetches()
    for (const nowMs of [1000, 2000]) fetches.take(follower, 7, nowMs)
    fetches.take(follower, 8, 9000)
    expect(fetches.sentMs(follower)).toBe(1000)
    fetches.take(follower, 8, 9400)
    fetches.take(follower, 7, 9500)
    expect(fetches.sentMs(follower)).toBe(9000)
    expect(fetches.sentMs(3)).toBe(-Infinity)
  })

  test('by no connection that is over', () => {
    const fetches = new FollowerFetches()
    fetches.take(follower, 7, 0)
    fetches.take(follower, 8, 60_001)
    fetches.take(follower, 7, 60_002)
    expect(fetches.sentMs(follower)).toBe(-Infinity)
  })
})
