import { expect, test } from 'vitest'
import { Prng } from '../../../lib/prng.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { KeyMap } from './key-map.ts'

const seed = new Prng(1).bytes(16)

function put(map: KeyMap, key: string, offset: number): boolean {
  const bytes = utf8(`..${key}..`)
  return map.put(bytes, 2, bytes.length - 2, offset)
}

function get(map: KeyMap, key: string): number {
  const bytes = utf8(key)
  return map.get(bytes, 0, bytes.length)
}

test('says what a Map of the same keys says, until it is full', () => {
  const prng = new Prng(7)
  const map = new KeyMap({ slots: 1000, keysMax: 900, seed })
  const twin = new Map<string, number>()
  for (let offset = 0; offset < 5000; offset++) {
    const key = `key-${prng.below(2000)}`
    const isKnown = twin.has(key)
    const fits = put(map, key, offset * 2 ** 25)
    expect(fits).toBe(isKnown || twin.size < 900)
    if (fits) twin.set(key, offset * 2 ** 25)
  }
  expect(map.size).toBe(900)
  expect(map.utilization).toBe(1)
  for (let key = 0; key < 2000; key++) {
    expect(get(map, `key-${key}`)).toBe(twin.get(`key-${key}`) ?? -1)
  }
})

test('finds a key in the smallest map, and an empty key', () => {
  const map = new KeyMap({ slots: 2, keysMax: 5, seed })
  expect(get(map, '')).toBe(-1)
  expect(put(map, '', 0)).toBe(true)
  expect(get(map, '')).toBe(0)
  expect(put(map, 'other', 1)).toBe(false)
})
