import { describe, expect, test } from 'vitest'
import { ApiError, type FailureKind } from './api-error.ts'
import { pauseMs } from './pause.ts'
import { retryAfterMs } from './retry.ts'

const error = (kind: FailureKind, code = 0, delayMs: number | null = null): ApiError =>
  new ApiError(kind, { code, message: 'no', retryAfterMs: delayMs })
const first = { number: 1, agoMs: 0, isRepeatable: true }
const once = { ...first, isRepeatable: false }

describe('a failed request', () => {
  test('that was not read by the server is sent again, whatever it is', () => {
    expect(retryAfterMs(error('refused', 429), once, 0)).toBe(100)
    expect(retryAfterMs(error('unreachable'), once, 0)).toBe(100)
  })

  test('that may have happened is sent again only where twice is as good as once', () => {
    for (const code of [0, 500, 503, 504]) {
      expect(retryAfterMs(error('unknown', code), first, 0)).toBe(100)
      expect(retryAfterMs(error('unknown', code), once, 0)).toBeNull()
    }
  })

  test('that was refused for what it says is the caller’s', () => {
    for (const code of [400, 403, 404, 409, 410, 422]) {
      expect(retryAfterMs(error('refused', code), first, 0)).toBeNull()
    }
    expect(retryAfterMs(error('stopped'), first, 0)).toBeNull()
  })

  test('waits as long as the server asks for, and longer each time', () => {
    expect(retryAfterMs(error('refused', 429, 3000), first, 0.5)).toBe(3000)
    expect(retryAfterMs(error('refused', 429), { ...first, number: 4 }, 0)).toBe(800)
  })

  test('is given up after five attempts, or when it would take half a minute', () => {
    expect(retryAfterMs(error('unreachable'), { ...first, number: 5 }, 0)).toBeNull()
    expect(retryAfterMs(error('refused', 429, 1000), { ...first, agoMs: 29_500 }, 0)).toBeNull()
    expect(retryAfterMs(error('refused', 429, 60_000), first, 0)).toBeNull()
  })
})

test('pauses double up to their bound, and chance spreads them over half of it', () => {
  const bounds = { msMin: 200, msMax: 1000 }
  const whole = [1, 2, 3, 4, 1000].map(failures => pauseMs(failures, bounds, 1))
  expect(whole).toEqual([200, 400, 800, 1000, 1000])
  expect(pauseMs(3, bounds, 0)).toBe(400)
})
