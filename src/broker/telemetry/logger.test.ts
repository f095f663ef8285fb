import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
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

describe('lines alike', () => {
  const told: string[] = []
  const limits = (options: ConstructorParameters<typeof LineLimit>[2]) => {
    told.length = 0
    const clock = new SimClock()
    const tell = (first: string, leftOut: number) => void told.push(`${first}: ${leftOut}`)
    const limit = new LineLimit<string>(clock, tell, options)
    const admitted = (kind: string, count: number) =>
      Array.from({ length: count }, (_, at) => limit.admits(kind, `${kind}${at}`)).filter(Boolean)
        .length
    return { clock, limit, admitted }
  }

  test('are limited, and those left out are told when the period ends, with no next line', () => {
    const { clock, admitted } = limits({ linesMax: 2, periodMs: 100 })
    expect(admitted('a', 5)).toBe(2)
    clock.advance(40)
    expect(admitted('b', 3)).toBe(2)
    expect(admitted('c', 2)).toBe(2)
    clock.advance(59)
    expect(told).toEqual([])
    clock.advance(1)
    expect(told).toEqual(['a0: 3'])
    expect(admitted('a', 1)).toBe(1)
    clock.advance(1000)
    expect(told).toEqual(['a0: 3', 'b0: 1'])
  })

  test('of too many kinds end all periods, and no count is lost', () => {
    const { clock, admitted } = limits({ linesMax: 1, periodMs: 100, kindsMax: 2 })
    expect([admitted('a', 3), admitted('b', 1)]).toEqual([1, 1])
    expect(admitted('c', 4)).toBe(1)
    expect(told).toEqual(['a0: 2'])
    clock.advance(100)
    expect(told).toEqual(['a0: 2', 'c0: 3'])
  })

  test('that are not told yet are told at the end', () => {
    const { limit, admitted } = limits({ linesMax: 1, periodMs: 100 })
    admitted('a', 3)
    limit.stop()
    expect(told).toEqual(['a0: 2'])
  })
})
