import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import type { ErrorName } from '../errors.ts'
import { AnsweredError, errorClassOf, refuseErrors, WireClientError } from './client-error.ts'
import { retrying, type RetryOptions } from './retrying.ts'

/** Chance that changes no pause: half of its range. */
const steady = { bytes: () => Uint8Array.of(127.5) }

/** Runs attempts that end by `outcomes` in turn, and tells when each began. */
function run(
  outcomes: readonly (Error | string)[],
  options: Partial<RetryOptions> = {},
): { clock: SimClock; atMs: number[]; done: Promise<string> } {
  const clock = new SimClock()
  const atMs: number[] = []
  const random = steady
  const done = retrying({ clock, random, timeoutMs: 10_000, ...options }, async () => {
    const outcome = outcomes[atMs.length]!
    atMs.push(Math.round(clock.monotonic()))
    if (typeof outcome === 'string') return outcome
    throw outcome
  })
  done.catch(() => {})
  return { clock, atMs, done }
}

const answered = (error: ErrorName): AnsweredError => new AnsweredError(error, 'Fetch of t-0')
const passing = answered('COORDINATOR_LOAD_IN_PROGRESS')

describe('retrying', () => {
  test('goes on after what passes, with growing pauses', async () => {
    const outcomes = [passing, passing, passing, passing, passing, passing, 'there']
    const { clock, atMs, done } = run(outcomes)
    await clock.run(20_000)
    expect(await done).toBe('there')
    const pauses = atMs.map((at, index) => at - (atMs[index - 1] ?? 0))
    expect(pauses.map(pause => Math.round(pause / 10) * 10)).toEqual([
      0, 100, 200, 400, 800, 1000, 1000,
    ])
  })

  test('does not go on after what stays', async () => {
    for (const error of [answered('TOPIC_AUTHORIZATION_FAILED'), new TypeError('a bug')]) {
      const { clock, atMs, done } = run([error, 'never'])
      await clock.run(20_000)
      await expect(done).rejects.toBe(error)
      expect(atMs).toHaveLength(1)
    }
  })

  test('throws the last error when its time is over, and waits for nothing then', async () => {
    const last = answered('NOT_ENOUGH_REPLICAS')
    const { clock, atMs, done } = run([passing, passing, last, 'never'], { timeoutMs: 500 })
    await clock.run(20_000)
    await expect(done).rejects.toBe(last)
    expect(atMs).toHaveLength(3)
    expect(clock.timerCount).toBe(0)
  })

  test('looks anew where things are after what has moved, and only then', async () => {
    const order: number[] = []
    const trace = run([passing, answered('NOT_LEADER_OR_FOLLOWER'), passing, 'there'], {
      relocate: async () => void order.push(trace.atMs.length),
    })
    await trace.clock.run(20_000)
    await trace.done
    expect(order).toEqual([2])
  })

  test('a look that fails is an attempt that failed', async () => {
    let looks = 0
    const trace = run([answered('NOT_COORDINATOR'), 'there'], {
      relocate: async () => {
        if (++looks < 3) throw new WireClientError('unreachable', 'nobody is there')
      },
    })
    await trace.clock.run(20_000)
    expect(await trace.done).toBe('there')
    expect([looks, trace.atMs.length]).toEqual([3, 2])
  })

  test('chance moves a pause by a fifth at most', async () => {
    for (const [byte, pauseMs] of [
      [0, 80],
      [255, 120],
    ] as const) {
      const { clock, atMs, done } = run([passing, 'there'], {
        random: { bytes: () => Uint8Array.of(byte) },
      })
      await clock.run(20_000)
      await done
      expect(atMs[1]).toBe(pauseMs)
    }
  })
})

test('error codes are thrown by name and sentence, and NONE is none', () => {
  refuseErrors(0, 'Heartbeat')
  expect(() => refuseErrors(3, 'Produce to t-0')).toThrow(
    'Produce to t-0: UNKNOWN_TOPIC_OR_PARTITION. The topic or the partition does not exist here.',
  )
})

test.each([
  ['an error that passes', passing, 'passing'],
  ['one that says to look elsewhere', answered('NOT_CONTROLLER'), 'moved'],
  ['one that stays', answered('INVALID_REQUEST'), 'final'],
  ['a peer that is gone', new WireClientError('closed', ''), 'moved'],
  ['a full connection', new WireClientError('in-flight', ''), 'passing'],
  ['a client that was closed', new WireClientError('local', ''), 'final'],
  ['anything else', new Error('a bug'), 'final'],
] as const)('the class of %s', (_, error, errorClass) => {
  expect(errorClassOf(error)).toBe(errorClass)
})
