import { describe, expect, test } from 'vitest'
import { product } from './cluster-model.ts'
import { explore } from './explore.ts'
import { bugs } from './planted.ts'
import { searches } from './searches.ts'

describe('every order of what can happen to a partition on three brokers', () => {
  test.each(searches)('keeps what was acknowledged: $what', ({ budget }) => {
    const { isComplete, violation, acknowledged, elections } = explore(product, budget)
    expect(violation).toBe(null)
    expect(isComplete).toBe(true)
    expect(acknowledged).toBe(true)
    expect(elections).toBeGreaterThan(0)
  })
})

describe('a search that has never failed proves nothing:', () => {
  test.each(bugs)('it finds that $what ($rule)', ({ parts, budget }) => {
    const { violation } = explore(parts, budget, 100_000)
    expect(violation?.at(-1)).toMatch(/completeness|quorum superset|shows another record/)
  })
})
