import { expect, test } from 'vitest'
import { WriteLane } from './write-lane.ts'

test('writes are inline until one stalls, then a second by a thread, and inline again', () => {
  const lane = new WriteLane()
  expect(lane.at(0)).toBe('inline')
  lane.stalled(105.1)
  expect([lane.at(105.1), lane.at(1105), lane.at(1105.1)]).toEqual(['thread', 'thread', 'inline'])
})

test('each stall begins its own second', () => {
  const lane = new WriteLane()
  lane.stalled(100)
  lane.stalled(900)
  expect([lane.at(1899), lane.at(1900)]).toEqual(['thread', 'inline'])
})
