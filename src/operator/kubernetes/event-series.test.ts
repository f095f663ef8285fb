import { describe, expect, test } from 'vitest'
import { EventSeries } from './event-series.ts'
import type { ObjectEvent } from './events.ts'

const minute = 60_000

function event(note = 'why', uid = 'u', reason = 'Reason'): ObjectEvent {
  const metadata = { namespace: 'a', name: 'x', uid, resourceVersion: '1' }
  const regarding = { apiVersion: 'v1', kind: 'Thing', metadata }
  return { regarding, type: 'Normal', reason, action: 'Act', note }
}

function newSeries(): EventSeries {
  let count = 0
  return new EventSeries(() => `x.${++count}`)
}

describe('events', () => {
  test('that are alike are one, which counts up every six minutes', () => {
    const series = newSeries()
    expect(series.tell(event(), 0)).toEqual({ do: 'create', name: 'x.1' })
    for (let at = 1; at < 6; at++) expect(series.tell(event(), at * minute)).toBeNull()
    expect(series.tell(event(), 6 * minute)).toEqual({ do: 'count', name: 'x.1', count: 7 })
    expect(series.tell(event(), 7 * minute)).toBeNull()
  })

  test('of another text or object are others', () => {
    const series = newSeries()
    series.tell(event(), 0)
    expect(series.tell(event('because'), 0)).toMatchObject({ do: 'create' })
    expect(series.tell(event('why', 'v'), 0)).toMatchObject({ do: 'create' })
  })

  test('begin anew when they were not told for half an hour, or their object is gone', () => {
    const series = newSeries()
    series.tell(event(), 0)
    expect(series.tell(event(), 30 * minute)).toEqual({ do: 'create', name: 'x.2' })
    series.forget(event())
    expect(series.tell(event(), 31 * minute)).toEqual({ do: 'create', name: 'x.3' })
  })

  test('of one object for one reason are not more than a burst, and then one in five minutes', () => {
    const series = newSeries()
    const written = (atMs: number): number =>
      Array.from({ length: 40 }, (_, at) => series.tell(event(`${atMs} ${at}`), atMs)).filter(
        it => it !== null,
      ).length
    expect(written(0)).toBe(25)
    expect(series.tell(event('a disk', 'u', 'Another'), 0)).toMatchObject({ do: 'create' })
    expect(written(5 * minute)).toBe(1)
    expect(series.tell(event('other', 'v'), 0)).not.toBeNull()
  })

  test('are forgotten before they fill the memory', () => {
    const series = newSeries()
    for (let at = 0; at < 5000; at++) series.tell(event('why', `u${at}`), 0)
    expect(series.tell(event('why', 'u4999'), 1)).toBeNull()
    expect(series.tell(event('why', 'u0'), 1)).toMatchObject({ do: 'create' })
  })
})
