import { describe, expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'
import { silentLogger } from '../../test/helpers/silent-logger.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { Prng } from '../lib/prng.ts'
import { Controller } from './controller.ts'
import { ApiError } from './kubernetes/api-error.ts'
import type { Outcome } from './reconciler.ts'

/** A controller whose passes end when the test says so. */
function controller(workers = 2) {
  const clock = new SimClock()
  const running: { readonly key: string; readonly end: Deferred<Outcome> }[] = []
  const results: string[] = []
  const begun: string[] = []
  const one = new Controller({
    name: 'thing',
    reconcile: ({ namespace, name }) => {
      const end = deferred<Outcome>()
      const key = `${namespace}/${name}`
      begun.push(key)
      running.push({ key, end })
      return end.promise
    },
    workers,
    clock,
    random: simRandom(new Prng(3)),
    logger: silentLogger,
    meter: { attach: () => {}, passed: ({ result }) => results.push(result) },
  })
  const end = async (key: string, outcome: Outcome | Error): Promise<void> => {
    const at = running.findIndex(it => it.key === key)
    const [pass] = running.splice(at, 1)
    if (outcome instanceof Error) pass!.end.reject(outcome)
    else pass!.end.resolve(outcome)
    await clock.settle()
  }
  return { one, clock, begun, results, end }
}

const done: Outcome = { requeueAfterMs: null }

describe('a controller', () => {
  test('works on what was added before it began, some at a time, one pass for a key', async () => {
    const { one, clock, begun, end } = controller()
    for (const key of ['a/x', 'a/y', 'a/z', 'a/x']) one.add(key)
    await clock.run(1000)
    expect(begun).toEqual([])
    one.start()
    expect(begun).toEqual(['a/x', 'a/y'])
    one.add('a/x')
    await clock.run(10)
    expect(begun).toHaveLength(2)
    await end('a/x', done)
    expect(begun.slice(2)).toEqual(['a/z'])
    await end('a/y', done)
    expect(begun.slice(3)).toEqual(['a/x'])
  })

  test('comes again when a pass asked for it, and after a failure', async () => {
    const { one, clock, begun, results, end } = controller()
    one.start()
    one.add('a/x')
    await clock.run(0)
    await end('a/x', { requeueAfterMs: 5000 })
    await clock.run(4999)
    expect(begun).toHaveLength(1)
    await clock.run(1)
    expect(begun).toHaveLength(2)
    await end('a/x', new Error('no'))
    await clock.run(200)
    expect(begun).toHaveLength(3)
    await end('a/x', new ApiError('refused', { code: 409, reason: 'Conflict', message: 'changed' }))
    expect(results).toEqual(['requeue_after', 'error', 'requeue'])
  })

  test('takes nothing more when it is stopped, and waits for what runs', async () => {
    const { one, clock, begun, end } = controller(1)
    one.start()
    one.add('a/x')
    one.add('a/y')
    await clock.run(0)
    let isStopped = false
    const stopped = one.stop().then(() => (isStopped = true))
    await clock.run(60_000)
    expect(isStopped).toBe(false)
    await end('a/x', done)
    await stopped
    await clock.run(60_000)
    expect(begun).toEqual(['a/x'])
  })
})
