import { expect, test } from 'vitest'
import { quantityOf } from '../plan/quantity.ts'
import { roughQuantity } from './catch-up.ts'

test.each([
  [0, undefined],
  [2 ** 20 - 1, undefined],
  [2 ** 20, '1Mi'],
  [1.57 * 2 ** 20, '1.6Mi'],
  [999.9 * 2 ** 20, '1000Mi'],
  [1000 * 2 ** 20, '0.98Gi'],
  [123.4 * 2 ** 30, '120Gi'],
  [5000 * 2 ** 40, '4.9Pi'],
])('%d bytes are %s', (bytes, text) => {
  expect(roughQuantity(bytes)).toBe(text)
})

test('is never further off than a twentieth, and a quantity to Kubernetes', () => {
  for (let bytes = 2 ** 20; bytes < 2 ** 52; bytes *= 1.37) {
    const told = quantityOf(roughQuantity(bytes))
    expect(Math.abs(told! - bytes) / bytes).toBeLessThan(0.051)
  }
})
