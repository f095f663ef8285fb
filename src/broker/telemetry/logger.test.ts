import { expect, test } from 'vitest'
import { LineLimit } from './line-limit.ts'
import { createLogger } from './logger.ts'

function lines(level: string): { log: ReturnType<typeof createLogger>; read: () => unknown[] } {
  const written: string[] = []
  const stream = { write: (line: string) => void written.push(line) }
  const log = createLogger({ level, clock: { now: () => 1234 }, stream })
  return { log, read: () => written.map(line => JSON.parse(line)) }
}

test('a line is JSON with the level by name, the time of the clock, the fields and the message', () => {
  const { log, read } = lines('info')
  log.child({ listener: 'A' }).warn({ clientId: 'x' }, 'Closed a connection')
  log.debug({}, 'Not written')
  expect(read()).toEqual([
    { level: 'warn', time: 1234, listener: 'A', clientId: 'x', msg: 'Closed a connection' },
  ])
})

test('an error keeps its message and stack', () => {
  const { log, read } = lines('info')
  log.error({ err: new Error('it broke') }, 'Failed')
  expect(read()).toMatchObject([{ err: { type: 'Error', message: 'it broke' } }])
})

test('lines alike are limited, and those left out are counted', () => {
  let nowMs = 0
  const limit = new LineLimit({ monotonic: () => nowMs }, { linesMax: 2, periodMs: 100 })
  expect([limit.take('a'), limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([
    0,
    0,
    null,
    null,
  ])
  expect(limit.take('b')).toBe(0)
  nowMs = 100
  expect(limit.take('a')).toBe(2)
  expect(limit.take('a')).toBe(0)
})

test('kinds are bounded', () => {
  const limit = new LineLimit({ monotonic: () => 0 }, { linesMax: 1, kindsMax: 2 })
  for (const kind of ['a', 'b', 'c']) expect(limit.take(kind)).toBe(0)
  expect(limit.take('a')).toBe(0)
})
