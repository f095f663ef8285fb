import { expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { DecompressError } from './decompress-error.ts'
import { Output } from './output.ts'

const parts = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), new Uint8Array(0), Uint8Array.of(5, 6)]

function filled(): Output {
  const output = new Output(7)
  for (const part of parts) output.add(part)
  return output
}

test('the tail is the last bytes, across parts', () => {
  for (let bytes = 0; bytes <= 8; bytes++) {
    expect([...filled().tail(bytes)]).toEqual([1, 2, 3, 4, 5, 6].slice(-bytes || 6))
  }
})

test('the whole is all parts in order, and one part is not copied', () => {
  expect([...filled().whole()]).toEqual([...concat(parts)])
  const single = new Output(3)
  single.add(parts[0]!)
  expect(single.whole()).toBe(parts[0])
  expect(new Output(3).whole()).toHaveLength(0)
})

test('the limit holds to the byte', () => {
  const output = filled()
  expect(output.bytesLeft).toBe(1)
  expect(() => output.add(Uint8Array.of(7, 8))).toThrow(DecompressError)
  output.add(Uint8Array.of(7))
  expect(output.bytesLeft).toBe(0)
})
