import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { simRandom } from '../../../sim/random.ts'
import { Prng } from '../../lib/prng.ts'
import { ApiError } from './api-error.ts'
import { EventRecorder } from './event-recorder.ts'
import type { ObjectEvent } from './events.ts'
import type { Draft } from './objects.ts'

const minute = 60_000

function event(note = 'why'): ObjectEvent {
  const metadata = { namespace: 'a', name: 'x', uid: 'u', resourceVersion: '1' }
  const regarding = { apiVersion: 'v1', kind: 'Thing', metadata }
  return { regarding, type: 'Normal', reason: 'Reason', action: 'Act', note }
}

type Written = Draft & { note?: string; series?: { count: number } }

function recorder(fail: () => ApiError | null = () => null) {
  const clock = new SimClock()
  const written: Written[] = []
  const dropped: string[] = []
  const write = async (_: unknown, draft: unknown): Promise<never> => {
    const error = fail()
    if (error !== null) throw error
    written.push(draft as Written)
    return draft as never
  }
  const events = new EventRecorder({
    api: { create: write, apply: write },
    clock,
    random: simRandom(new Prng(1)),
    instance: 'pod',
    onDropped: (_, reason) => dropped.push(reason),
  })
  return { clock, events, written, dropped }
}

describe('events', () => {
  test('say when, what, why, by whom and of what', async () => {
    const { events, written } = recorder()
    events.tell(event())
    await events.flushed()
    expect(written).toMatchObject([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace: 'a', name: expect.stringMatching(/^x\.[0-9a-f]{16}$/) as string },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'logcluster.dev/operator',
        regarding: { kind: 'Thing', namespace: 'a', name: 'x', uid: 'u' },
        note: 'why',
      },
    ])
  })

  test('that are told again count up in the one that is there', async () => {
    const { clock, events, written } = recorder()
    events.tell(event())
    events.tell(event())
    clock.advance(6 * minute)
    events.tell(event())
    await events.flushed()
    expect(written.map(({ series }) => series?.count)).toEqual([undefined, 3])
    expect(written[1]?.metadata.name).toBe(written[0]?.metadata.name)
  })

  test('begin anew where the one that was there is gone', async () => {
    let error: ApiError | null = null
    const { clock, events, written, dropped } = recorder(() => error)
    events.tell(event())
    await events.flushed()
    clock.advance(6 * minute)
    error = new ApiError('refused', { code: 422, reason: 'Invalid', message: 'no regarding' })
    events.tell(event())
    await events.flushed()
    error = null
    events.tell(event())
    await events.flushed()
    expect(written).toHaveLength(2)
    expect(written[1]?.series).toBeUndefined()
    expect(dropped).toEqual([])
  })

  test('are cut to what the API server takes, between two characters', async () => {
    const { events, written } = recorder()
    for (const note of ['é'.repeat(512), 'é'.repeat(513), `x${'é'.repeat(600)}`])
      events.tell(event(note))
    await events.flushed()
    const [fits, even, odd] = written.map(({ note }) => note!)
    expect(fits).toBe('é'.repeat(512))
    expect(even).toBe(`${'é'.repeat(510)}…`)
    expect(odd).toBe(`x${'é'.repeat(510)}…`)
  })

  test('that cannot be written are dropped, and nobody waits for them', async () => {
    const { events, dropped } = recorder(() => new ApiError('unknown', { message: 'no answer' }))
    for (let at = 0; at < 5; at++) events.tell(event(`why ${at}`))
    await events.flushed()
    expect(dropped).toEqual(Array.from({ length: 5 }, () => 'no answer'))
  })
})
