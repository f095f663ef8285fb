import { expect, test } from 'vitest'
import { documents, outOfStep } from './generate-docs.ts'

test('every generated document says what the code says', () => {
  expect(documents.length).toBeGreaterThan(0)
  expect(outOfStep(`${import.meta.dirname}/..`)).toEqual([])
})

test('a missing document is out of step', () => {
  expect(outOfStep('/nonexistent')).toEqual(documents.map(({ path }) => path))
})
