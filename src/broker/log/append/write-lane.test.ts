import { expect, test } from 'vitest'
import { WriteLane } from './write-lane.ts'

test('writes are inline until one takes more than 5 ms, then a second by a thread, and inline again', () => {
  const lane = new WriteLane()
  expect(lane.at(0)).toBe('inline')
  expect(lane.ended(5, 5)).toBe(false)
  expect(lane.at(5)).toBe('inline')
  expect(lane.ended(105.1, 5.1)).toBe(true)
  expect([lane.at(105.1), lane.at(1105), lane.at(1105.1)]).toEqual(['thread', 'thread', 'inline'])
})

test('each stall begins its own second, and what is quick ends none', () => {
  const lane = new WriteLane()
  lane.ended(100, 50)
  lane.ended(400, 1)
  expect(lane.at(1099)).toBe('thread')
  lane.ended(1150, 50)
  expect([lane.at(2149), lane.at(2150)]).toEqual(['thread', 'inline'])
})
