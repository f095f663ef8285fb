import { expect, test } from 'vitest'
import { areSameQuantity, quantityOf } from './quantity.ts'

test.for([
  ['0.35', '350m'],
  ['0.7', '700m'],
  ['1.4', '1400m'],
  ['2.3Gi', '2469606195200m'],
  ['0.1', '100000u'],
  ['1e3', '1k'],
  ['1E3', '1k'],
  ['1.5e-3', '1500u'],
  ['1E', '1000P'],
  ['.5Ki', '512'],
  ['9007199254740993', '9007199254740993000m'],
  // Finer than a billionth is rounded up.
  ['0.0000000001', '1n'],
  ['-1', '-1000m'],
])('%s and %s are the same amount', ([a, b]) => {
  expect(areSameQuantity(a!, b!)).toBe(true)
})

test.for([
  ['0.35', '0.36'],
  ['9007199254740993', '9007199254740992'],
  ['1', '1k'],
  ['1', 'one'],
  // None is a quantity.
  ['1e3Ki', '1e3Ki'],
  ['', ''],
])('%s and %s are not', ([a, b]) => {
  expect(areSameQuantity(a!, b!)).toBe(false)
})

test('an amount is a number', () => {
  expect(quantityOf('1.5Gi')).toBe(1.5 * 2 ** 30)
  expect(quantityOf(7)).toBe(7)
  expect(quantityOf('250m')).toBe(0.25)
  expect(quantityOf('much')).toBeNull()
  expect(quantityOf(undefined)).toBeNull()
})
