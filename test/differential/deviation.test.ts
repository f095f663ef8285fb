import { expect, test } from 'vitest'
import { type Deviation, type Found, Judge } from './deviation.ts'

const deviation: Deviation = {
  scenario: 'Acks',
  request: 'acks * | after *',
  field: 'responses[*].errorCode',
  ours: '0 | nothing',
  kafkas: '21',
  because: { row: 'none' },
}

function found(changes: Partial<Found> = {}): Found {
  const where = { scenario: 'Acks', request: 'acks 2', path: 'responses[a.b].errorCode' }
  return { ...where, ours: 0, kafkas: 21, ...changes }
}

test('a deviation allows what all of its patterns match', () => {
  const judge = new Judge([deviation])
  expect(judge.unexplained('Acks', [found()])).toEqual([])
  expect(judge.unexplained('Acks', [found({ request: 'after acks 0', ours: undefined })])).toEqual(
    [],
  )
})

test.each<Partial<Found>>([
  { scenario: 'Acks 2' },
  { request: 'before acks 0' },
  { path: 'responses[a].errorCodes' },
  { path: 'responsesX[a].errorCode' },
  { ours: 1 },
  { ours: '0' },
  { kafkas: 2 },
  { kafkas: undefined },
])('and nothing beside: %j', changes => {
  const other = found(changes)
  expect(new Judge([deviation]).unexplained(other.scenario, [other])).toEqual([other])
})

test('a deviation that was not found is stale, once its scenario was asked', () => {
  const judge = new Judge([deviation])
  judge.unexplained('Sizes', [found({ scenario: 'Sizes' })])
  expect(judge.stale()).toEqual([])
  judge.unexplained('Acks', [found({ kafkas: 2 })])
  expect(judge.stale()).toEqual([deviation])
  judge.unexplained('Acks', [found()])
  expect(judge.stale()).toEqual([])
})
