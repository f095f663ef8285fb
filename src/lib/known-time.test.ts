import { expect, test } from 'vitest'
import { KnownTime } from './known-time.ts'

const minute = 60_000
const hour = 60 * minute
const begun = 1_767_225_600_000

/** Looks at the clocks every five minutes; `jumps` of the wall clock by the minute at which they happen. */
function looks(minutes: number, jumps: Readonly<Record<number, number>>): boolean[] {
  const time = new KnownTime()
  let aheadMs = 0
  const told: boolean[] = []
  for (let at = 0; at <= minutes; at += 5) {
    aheadMs += jumps[at] ?? 0
    told.push(time.look(begun + at * minute + aheadMs, at * minute))
  }
  return told
}

const yes = (count: number) => Array<boolean>(count).fill(true)
const no = (count: number) => Array<boolean>(count).fill(false)

test('clocks that go together, or apart by little at a time, are believed', () => {
  expect(looks(60, {})).toEqual(yes(13))
  expect(looks(20, { 5: minute, 10: minute, 15: -minute, 20: -minute })).toEqual(yes(5))
})

test.each([
  ['ahead', 365 * 24 * hour],
  ['back', -2 * minute],
])('a wall clock that jumps %s is not, until it is back', (_, jumpMs) => {
  expect(looks(30, { 10: jumpMs, 25: -jumpMs })).toEqual([...yes(2), ...no(3), ...yes(2)])
})

test('one that stands by its new time for an hour is', () => {
  expect(looks(75, { 10: hour })).toEqual([...yes(2), ...no(12), ...yes(2)])
  expect(looks(100, { 10: hour, 30: hour })).toEqual([...yes(2), ...no(16), ...yes(3)])
})
