import { expect, test } from 'vitest'
import { hex } from '../../../lib/bytes.ts'
import { KeyHash } from './key-hash.ts'

const seed = Uint8Array.from({ length: 16 }, (_, at) => at)

function sumOf(bytes: Uint8Array, from = 0, to = bytes.length): string {
  const hash = new KeyHash(seed)
  hash.sum(bytes, from, to)
  return hex(new Uint8Array(hash.words.buffer))
}

// The authors' own vectors, and one of another implementation: key 00 to 0f, input 00 to n - 1.
test.each([
  [0, 'a3817f04ba25a8e66df67214c7550293'],
  [1, 'da87c1d86b99af44347659119b22fc45'],
  [2, '8177228da4a45dc7fca38bdef60affe4'],
  [8, '3b62a9ba6258f5610f83e264f31497b4'],
  [15, '5493e99933b0a8117e08ec0f97cfc3d9'],
  [40, 'df6a301e95c95dad97ae0cc8c6913bd8'],
])('%i bytes give the sum that SipHash-2-4-128 gives', (length, sum) => {
  expect(sumOf(Uint8Array.from({ length }, (_, at) => at))).toBe(sum)
})

test('only the bytes between the two places count', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, at) => at * 7)
  expect(sumOf(bytes, 5, 30)).toBe(sumOf(bytes.slice(5, 30)))
})
