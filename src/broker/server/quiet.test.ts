import { expect, test } from 'vitest'
import { Quiet } from './quiet.ts'

const nothing = {
  partialBytes: 0,
  queuedBytes: 0,
  isOwed: false,
  isHeldBack: false,
  isStarved: false,
}

test('output is stuck only where something is queued, however short the time is', () => {
  const quiet = new Quiet({ frameTimeoutMs: 1000, idleMsMax: 0 }, 0)
  expect(quiet.judge(10, nothing)).toBe('idle')
})

test('the time of a peer begins when it is sent something, and not when somebody looked last', () => {
  const quiet = new Quiet({ frameTimeoutMs: 60_000, idleMsMax: 1000 }, 0)
  expect(quiet.judge(0, nothing)).toBe(null)
  quiet.heard(5000)
  quiet.sent(10, 5000)
  const owed = { ...nothing, queuedBytes: 10 }
  expect(quiet.judge(5010, owed)).toBe(null)
  quiet.sent(10, 5500)
  expect(quiet.judge(5999, { ...nothing, queuedBytes: 20 })).toBe(null)
  expect(quiet.judge(6000, { ...nothing, queuedBytes: 20 })).toBe('stuck-output')
})
