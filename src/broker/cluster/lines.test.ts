import { describe, expect, test } from 'vitest'
import { Lines } from './lines.ts'

describe('a broker that spoke by several connections (1.5)', () => {
  test('is gone when the last of them is, in whatever order they are seen to close', () => {
    for (const order of [
      [1, 2],
      [2, 1],
    ]) {
      const lines = new Lines()
      lines.heard(1, 7, 0)
      lines.heard(2, 7, 0)
      lines.heard(3, 8, 0)
      expect(order.map(id => lines.closed(id, 500))).toEqual([null, 7])
      // That of another broker counts for itself alone.
      expect(lines.closed(3, 500)).toBe(8)
    }
  })

  test('is gone though what it sent before is read after one of them closed', () => {
    const lines = new Lines()
    lines.heard(1, 7, 0)
    lines.heard(2, 7, 0)
    expect(lines.closed(1, 100)).toBe(null)
    lines.heard(2, 7, 100)
    expect(lines.closed(2, 100)).toBe(7)
  })

  test('is not kept by one that said nothing for three seconds', () => {
    const lines = new Lines()
    lines.heard(1, 7, 0)
    lines.heard(2, 7, 3_000)
    expect(lines.closed(2, 3_001)).toBe(7)
  })

  test("closes nothing by a connection that was no broker's, or closed before", () => {
    const lines = new Lines()
    lines.heard(1, 7, 0)
    expect([lines.closed(5, 0), lines.closed(1, 0), lines.closed(1, 0)]).toEqual([null, 7, null])
  })
})
