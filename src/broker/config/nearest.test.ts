import fc from 'fast-check'
import { expect, test } from 'vitest'
import { editDistance, nearest } from './nearest.ts'

test('distances', () => {
  expect(editDistance('listener', 'listeners')).toBe(1)
  expect(editDistance('lsit', 'list')).toBe(1)
  expect(editDistance('', 'abc')).toBe(3)
})

test('a distance is symmetric, zero for equals only, and at most the longer length', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b)
      expect(distance).toBe(editDistance(b, a))
      for (let enough = 0; enough < 6; enough++) {
        const found = editDistance(a, b, enough)
        expect(distance < enough ? found === distance : found >= enough).toBe(true)
      }
      expect(distance === 0).toBe(a === b)
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
    }),
  )
})

test('nothing is near to what resembles nothing', () => {
  expect(nearest('zzz', ['listeners', 'log.dirs'])).toBeNull()
  expect(nearest('log.dir', ['listeners', 'log.dirs'])).toBe('log.dirs')
})

test('the work for what clients send is bounded: long names are compared with none', () => {
  const read: string[] = []
  const names = ['listeners', 'log.dirs'].map(name => ({
    get length() {
      read.push(name)
      return name.length
    },
  }))
  expect(nearest('a'.repeat(30_000), names as unknown as string[])).toBeNull()
  expect(nearest(`listener${' '.repeat(100)}`, ['listeners'])).toBeNull()
  expect(read).toEqual([])
})
