import { expect, test } from 'vitest'
import { logConfig, logId, simWorld } from '../../../../test/helpers/logs.ts'
import type { LogHost } from '../log-host.ts'
import { ProducerStates } from '../producers/states.ts'
import { Segment, SegmentList } from '../segment/segment.ts'
import { EpochCache } from './epoch-cache.ts'
import { LogState } from './log-state.ts'

function stateOf(host: Partial<LogHost> = {}): LogState {
  const { env, disk } = simWorld()
  disk.mkdir('/log')
  return new LogState({
    id: logId(),
    name: 'log',
    path: '/log',
    host: { env, failure: null, ...host } as LogHost,
    config: logConfig(),
    segments: new SegmentList([Segment.create(disk, '/log', 0, 0)]),
    epochs: new EpochCache(),
    producers: new ProducerStates({ expirationMs: 1, countMax: 1 }),
    startOffset: 0,
    cleaned: { dirtyFrom: null, sparseTo: 0 },
    durableOffset: 0,
    isDirectoryDirty: false,
    damage: null,
  })
}

/** Each line fails twice where a field gets a second writer: the compiler misses its error, and the runtime takes it. */
test('nobody but its owner writes what the rooms of a log share', () => {
  const state = stateOf()
  const { availability, durability, start, segments, epochs } = state
  const writes: (() => void)[] = [
    // @ts-expect-error the start is raised
    () => (state.startOffset = 1),
    // @ts-expect-error the start is raised
    () => (start.offset = 1),
    // @ts-expect-error the end is where the last segment ends
    () => (state.endOffset = 1),
    // @ts-expect-error the end is where the last segment ends
    () => (segments.endOffset = 1),
    // @ts-expect-error a segment grows by batches
    () => (segments.active.endOffset = 1),
    // @ts-expect-error a segment grows by batches
    () => (segments.active.sizeBytes = 1),
    // @ts-expect-error a segment leaves the log once
    () => (segments.active.isRemoved = true),
    // @ts-expect-error a flush makes durable
    () => (durability.offset = 1),
    // @ts-expect-error settings come by `configure`
    () => (state.config = logConfig()),
    // @ts-expect-error a log is taken out of service
    () => (availability.offline = 'damage'),
    // @ts-expect-error a log is closed
    () => (availability.isClosed = true),
    // @ts-expect-error epochs are assigned
    () => (epochs.entries = []),
  ]
  for (const write of writes) expect(write).toThrow(TypeError)
})

test('the start moves when its new place is durable, never back, and takes the epochs along', async () => {
  const saved: [string, number][] = []
  const state = stateOf({
    saveStartOffset: async (name, offset) => void saved.push([name, offset]),
  })
  state.epochs.assign(1, 0)
  const moved = state.start.raise(5)
  expect(state.startOffset).toBe(0)
  await moved
  expect([state.startOffset, state.epochs.entries]).toEqual([5, [{ epoch: 1, startOffset: 5 }]])
  await state.start.raise(3)
  expect([state.startOffset, saved]).toEqual([5, [['log', 5]]])
  const failing = stateOf({ saveStartOffset: () => Promise.reject(new Error('full')) })
  await expect(failing.start.raise(5)).rejects.toThrow('full')
  expect(failing.startOffset).toBe(0)
})

test('a log out of service says why, the directory first, and a second reason changes nothing', () => {
  const told: unknown[] = []
  const state = stateOf({ warn: (_, fields) => void told.push(fields) })
  const { availability } = state
  expect(availability.refusal).toBe(null)
  availability.close()
  expect(availability.refusal?.message).toContain('closed')
  expect(availability.takeOffline('It is damaged.').message).toBe('It is damaged.')
  expect(availability.takeOffline('Again.').message).toBe('It is damaged.')
  expect(availability.refusal?.message).toBe('It is damaged.')
  expect(told).toEqual([{ log: 'log', reason: 'It is damaged.' }])
})
