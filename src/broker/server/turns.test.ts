import { expect, test } from 'vitest'
import { answered, ask, id, Served } from '../../../test/helpers/served.ts'

/** A server whose handler takes so long for each request. */
async function slowly(handlingMs: number): Promise<Served> {
  const t = new Served()
  const before = t.clock.monotonic.bind(t.clock)
  let passedMs = 0
  t.clock.monotonic = () => before() + passedMs
  t.act = number => {
    passedMs += handlingMs
    return id(number)
  }
  await t.start()
  return t
}

test('who asks for much at once does not hold up the others for longer than one of his requests takes', async () => {
  const t = await slowly(30)
  const [greedy, other] = [t.connect(), t.connect()]
  greedy.arrive(ask(1), ask(2), ask(3), ask(4))
  other.arrive(ask(101), ask(102))
  expect(t.handled).toEqual([1, 101])
  // What it may not take yet it does not receive either.
  expect(greedy.isPaused).toBe(true)
  await t.clock.run(1)
  expect(greedy.isPaused).toBe(false)
  expect(t.handled).toEqual([1, 101, 2, 102, 3, 4])
  expect([answered(greedy), answered(other)]).toEqual([
    [1, 2, 3, 4],
    [101, 102],
  ])
})

test('nobody goes on in the next turn who has left', async () => {
  const t = await slowly(30)
  const greedy = t.connect()
  greedy.arrive(ask(1), ask(2), ask(3))
  greedy.leave()
  await t.clock.run(1)
  expect(t.handled).toEqual([1])
})

test('what takes no time is handled when it comes, however much it is', async () => {
  const t = await slowly(0)
  const client = t.connect()
  client.arrive(...Array.from({ length: 64 }, (_, at) => ask(at)))
  expect(t.handled.length).toBe(64)
})
