import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../lib/crc32c.ts'
import { Prng } from '../../lib/prng.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

const { native } = nativeForTests()
const bytes = new Prng(7).bytes(200_000)

test('the check value of RFC 3720', () => {
  expect(native.crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('agrees with the portable code at every length and alignment', () => {
  for (let length = 0; length < 1700; length++) {
    const from = length % 9
    expect(native.crc32c(bytes, from, from + length)).toBe(crc32c(bytes, from, from + length))
  }
})

test('agrees on long ranges and with seeds', () => {
  fc.assert(
    fc.property(fc.nat(199_999), fc.nat(199_999), fc.nat(0xffff_ffff), (a, b, seed) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const expected = crc32c(bytes, from, to, seed)
      expect(native.crc32c(bytes, from, to, seed)).toBe(expected)
    }),
    { numRuns: 300 },
  )
})

test('goes on where it stopped', () => {
  const half = native.crc32c(bytes, 0, 77_777)
  expect(native.crc32c(bytes, 77_777, 200_000, half)).toBe(native.crc32c(bytes))
})
