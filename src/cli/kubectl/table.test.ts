import { expect, test } from 'vitest'
import { spanText, table } from './table.ts'

test('a table has columns as wide as their widest cell, and no blanks at the end of a line', () => {
  expect(
    table(
      ['broker', 'id'],
      [
        ['orders-main-0', '0'],
        ['b', '10'],
      ],
    ),
  ).toBe('BROKER          ID\norders-main-0   0\nb               10')
})

test.each([
  [-5000, '0s'],
  [999, '0s'],
  [61_000, '1m1s'],
  [3_600_000, '1h'],
  [3_661_000, '1h1m'],
  [90_061_000, '1d1h'],
  [86_400_000 + 60_000, '1d'],
])('%i ms are told as %s', (ms, text) => {
  expect(spanText(ms)).toBe(text)
})
