import { expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { WireClientError, type ClientErrorReason } from '../wire/client/client-error.ts'
import { Vanishing } from './vanishing.ts'

/** Each dial takes 10 ms and ends as the next of `ends` says, the last one again and again; null: it was let in. */
function world(ends: (ClientErrorReason | null)[]) {
  const clock = new SimClock()
  const gone: number[] = []
  let dialCount = 0
  const vanishing = new Vanishing({
    clock,
    dial: async () => {
      const end = ends[Math.min(dialCount++, ends.length - 1)]!
      await new Promise<void>(resolve => clock.after(10, resolve))
      if (end !== null) throw new WireClientError(end, 'no')
    },
    onGone: id => gone.push(id),
  })
  return { clock, gone, vanishing, dials: () => dialCount }
}

test('one where nobody is is gone after a second', async () => {
  const { clock, gone, vanishing } = world(['unreachable'])
  vanishing.suspect(1)
  await clock.run(990)
  expect(gone).toEqual([])
  await clock.run(20)
  expect(gone).toEqual([1])
})

test('one that takes a connection is not, nor one that takes it and says nothing', async () => {
  for (const end of [null, 'timeout'] as const) {
    const { clock, gone, vanishing, dials } = world([end])
    vanishing.suspect(1)
    await clock.run(60_000)
    expect(gone).toEqual([])
    expect(dials()).toBe(1)
  }
})

test('one that closes a new connection is dialled until it is known', async () => {
  const { clock, gone, vanishing } = world(['closed', 'closed', 'unreachable'])
  vanishing.suspect(1)
  await clock.run(1_010)
  expect(gone).toEqual([1])
})

test('one that speaks meanwhile is left alone, and so is everybody when it stops', async () => {
  const { clock, gone, vanishing } = world(['unreachable'])
  vanishing.suspect(1)
  vanishing.suspect(2)
  await clock.run(500)
  vanishing.clear(1)
  await clock.run(1_000)
  expect(gone).toEqual([2])
  vanishing.suspect(1)
  vanishing.stop()
  await clock.run(5_000)
  expect(gone).toEqual([2])
})
