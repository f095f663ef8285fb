import { expect, test } from 'vitest'
import { whyNoThrottle } from './throttle.ts'

test('a folder that no disk holds says so', () => {
  expect(whyNoThrottle('/proc')).toMatch(/^\/proc is on no block device \(0:\d+\)$/)
})
