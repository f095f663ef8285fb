import { expect, test } from 'vitest'
import { Ledger, type Violation } from './ledger.ts'

const key = 'topic/0'

/** A ledger with ten acknowledged records of one writer, and their values. */
function written(isIdempotent = true): { ledger: Ledger; values: Uint8Array[] } {
  const ledger = new Ledger()
  const writer = ledger.addWriter('w', isIdempotent)
  const { first, values } = ledger.write(key, writer, 10)
  ledger.acknowledged(key, writer, { first, count: 10, baseOffset: 0 })
  return { ledger, values }
}

function kinds(violations: readonly Violation[]): Set<string> {
  return new Set(violations.map(({ kind }) => kind))
}

test('a log that holds what was acknowledged is right', () => {
  const { ledger, values } = written()
  values.forEach((value, offset) => ledger.seen(key, offset, value))
  ledger.judge(key, values)
  expect(ledger.violations).toEqual([])
})

test.each([
  ['its end is missing', (v: Uint8Array[]) => v.slice(0, -1), 'lost'],
  ['the last record is there twice', (v: Uint8Array[]) => [...v, v.at(-1)!], 'duplicate'],
  ['an early record is there twice', (v: Uint8Array[]) => [...v, v[3]!], 'order'],
  ['two changed places', (v: Uint8Array[]) => v.with(4, v[5]!).with(5, v[4]!), 'moved'],
  ['one is missing in the middle', (v: Uint8Array[]) => v.toSpliced(4, 1), 'moved'],
  [
    'a value is damaged',
    (v: Uint8Array[]) =>
      v.with(
        4,
        v[4]!.map(b => b ^ 1),
      ),
    'foreign',
  ],
])('a log is wrong where %s', (_, spoil, kind) => {
  const { ledger, values } = written()
  ledger.judge(key, spoil(values))
  expect(kinds(ledger.violations)).toContain(kind)
})

test('an offset that shows two values is told at once', () => {
  const { ledger, values } = written()
  ledger.seen(key, 3, values[4]!)
  expect(kinds(ledger.violations)).toEqual(new Set(['moved']))
})

test('a gap is allowed to a writer that does not send again, and what it was refused is not', () => {
  const ledger = new Ledger()
  const writer = ledger.addWriter('plain', false)
  const { values } = ledger.write(key, writer, 4)
  ledger.judge(key, [values[0]!, values[3]!])
  expect(ledger.violations).toEqual([])
  ledger.refused(key, writer, { first: 3, count: 1 })
  ledger.judge(key, [values[0]!, values[3]!])
  expect(kinds(ledger.violations)).toEqual(new Set(['refused']))
})

test('a gap of an idempotent writer is none of its order', () => {
  const ledger = new Ledger()
  const writer = ledger.addWriter('idempotent', true)
  const { values } = ledger.write(key, writer, 4)
  ledger.judge(key, [values[0]!, values[2]!])
  expect(kinds(ledger.violations)).toEqual(new Set(['order']))
})
