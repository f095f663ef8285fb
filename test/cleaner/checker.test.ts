import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CleanedLog, problemsOf, type SeenRecord } from './checker.ts'

/** A log and how far it was cleaned, as a cleaner without a fault leaves it. */
interface Cleaned {
  readonly history: readonly SeenRecord[]
  readonly found: readonly SeenRecord[]
  readonly cleanedTo: number
  readonly dropsTombstones: boolean
}

const histories = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), isTombstone: fc.boolean() }),
  { minLength: 4, maxLength: 30 },
)

const cleanedLogs: fc.Arbitrary<Cleaned> = fc
  .tuple(histories, fc.nat(), fc.boolean())
  .map(([drawn, at, dropsTombstones]) => {
    const history = drawn.map((each, offset) => ({ ...each, offset, text: `value ${offset}` }))
    const cleanedTo = at % history.length
    return { history, cleanedTo, dropsTombstones, found: kept(history, cleanedTo, dropsTombstones) }
  })

/** The definition, record by record: quadratic, and plainly right. */
function kept(
  history: readonly SeenRecord[],
  cleanedTo: number,
  dropsTombstones: boolean,
): SeenRecord[] {
  return history.filter(({ offset, key, isTombstone }) => {
    if (offset >= cleanedTo) return true
    const isLast = !history.some(later => {
      return later.key === key && later.offset > offset && later.offset < cleanedTo
    })
    return isLast && !(isTombstone && dropsTombstones)
  })
}

function logOf({ history, found, cleanedTo, dropsTombstones }: Cleaned): CleanedLog {
  const endOffset = history.length
  const untouchedFrom = cleanedTo
  const mayBeGone = (): boolean => dropsTombstones
  return { history, found, startOffset: 0, endOffset, untouchedFrom, cleanedTo, mayBeGone }
}

test('a log that was cleaned as it should be has no problem', () => {
  fc.assert(
    fc.property(cleanedLogs, cleaned => {
      expect(problemsOf(logOf(cleaned))).toEqual([])
    }),
  )
})

describe('a fault is found', () => {
  /** Changes what can be read at some place; null where the log has no such place. */
  type Fault = (cleaned: Cleaned, at: number) => readonly SeenRecord[] | null

  const without = (found: readonly SeenRecord[], gone: SeenRecord): SeenRecord[] =>
    found.filter(record => record !== gone)
  const pick = <T>(from: readonly T[], at: number): T | undefined => from[at % from.length]
  const isLast = (history: readonly SeenRecord[], { offset, key }: SeenRecord): boolean =>
    !history.some(later => later.key === key && later.offset > offset)

  const faults: readonly [string, RegExp, Fault][] = [
    [
      'the last value of a key is gone',
      /^lost/,
      ({ history, found }, at) => {
        const values = found.filter(each => !each.isTombstone && isLast(history, each))
        const gone = pick(values, at)
        return gone === undefined ? null : without(found, gone)
      },
    ],
    [
      'a tombstone is gone that may not be',
      /^(tombstone|lost)/,
      ({ history, found, dropsTombstones }, at) => {
        const gone = pick(
          found.filter(each => each.isTombstone && isLast(history, each)),
          at,
        )
        return gone === undefined || dropsTombstones ? null : without(found, gone)
      },
    ],
    [
      'a tombstone is gone before the value that it deletes',
      /^(resurrected|left over)/,
      ({ history, found, cleanedTo, dropsTombstones }, at) => {
        if (!dropsTombstones) return null
        const deleted = history.filter(each => {
          const later = history.filter(({ key, offset }) => {
            return key === each.key && offset > each.offset
          })
          return (
            !each.isTombstone &&
            later.length > 0 &&
            later.every(one => one.isTombstone && one.offset < cleanedTo)
          )
        })
        const back = pick(deleted, at)
        if (back === undefined || found.includes(back)) return null
        return [...found, back].toSorted((a, b) => a.offset - b.offset)
      },
    ],
    [
      'a record above the cleaned bound is gone',
      /^lost/,
      ({ found, cleanedTo }, at) => {
        const gone = pick(
          found.filter(({ offset }) => offset >= cleanedTo),
          at,
        )
        return gone === undefined ? null : without(found, gone)
      },
    ],
    [
      'a superseded record is left',
      /^left over/,
      ({ history, found, cleanedTo }, at) => {
        const gone = history.filter(each => {
          return (
            !found.includes(each) &&
            history.some(({ key, offset }) => {
              return key === each.key && offset > each.offset && offset < cleanedTo
            })
          )
        })
        const left = pick(gone, at)
        return left === undefined ? null : [...found, left].toSorted((a, b) => a.offset - b.offset)
      },
    ],
    [
      'a record comes twice',
      /^order/,
      ({ found }, at) => {
        const twice = pick(found, at)!
        return found.flatMap(each => (each === twice ? [each, each] : [each]))
      },
    ],
    [
      'two records changed places',
      /^order/,
      ({ found }) => (found.length < 2 ? null : [found[1]!, found[0]!, ...found.slice(2)]),
    ],
    [
      'a record has another value',
      /^foreign/,
      ({ found }, at) => {
        const changed = pick(found, at)!
        return found.map(each => (each === changed ? { ...each, text: 'another' } : each))
      },
    ],
    [
      'a record has another offset',
      /^(foreign|order)/,
      ({ found, history }) => {
        const last = found.at(-1)!
        return [...found.slice(0, -1), { ...last, offset: history.length }]
      },
    ],
  ]

  test.each(faults)('%s', (_, pattern, fault) => {
    let faultCount = 0
    fc.assert(
      fc.property(cleanedLogs, fc.nat(), (cleaned, at) => {
        if (cleaned.found.length === 0) return
        const found = fault(cleaned, at)
        if (found === null) return
        faultCount++
        expect(problemsOf(logOf({ ...cleaned, found }))).toContainEqual(
          expect.stringMatching(pattern),
        )
      }),
    )
    expect(faultCount).toBeGreaterThan(5)
  })
})

test('what lies below a raised start counts for nothing', () => {
  const history = ['a', 'b', 'a'].map((key, offset) => {
    return { offset, key, isTombstone: false, text: String(offset) }
  })
  const bounds = { endOffset: 3, untouchedFrom: 0, mayBeGone: () => false }
  expect(problemsOf({ ...bounds, history, found: history.slice(2), startOffset: 2 })).toEqual([])
  const found = history.slice(2)
  expect(problemsOf({ ...bounds, history, found, startOffset: 1 })).not.toEqual([])
})

test('a record without a key is left over where everything was cleaned', () => {
  const record = { offset: 0, key: null, isTombstone: false, text: 'x' }
  const bounds = { startOffset: 0, endOffset: 1, untouchedFrom: 1, mayBeGone: () => false }
  const history = [record]
  expect(problemsOf({ ...bounds, history, found: [], cleanedTo: 1 })).toEqual([])
  expect(problemsOf({ ...bounds, history, found: history, cleanedTo: 1 })).toHaveLength(1)
  expect(problemsOf({ ...bounds, history, found: history })).toEqual([])
})
