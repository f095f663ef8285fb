import { expect, test } from 'vitest'
import { concat, fromHex, hex } from '../../lib/bytes.ts'
import { decodeRequest, encodeRequest } from './codec.ts'
import { api, array, exactInt64, int64 } from './field.ts'
import { Writer } from './writer.ts'

test('an int64 outside of the safe range comes rounded, both ways', () => {
  const fields = { a: int64, b: int64 }
  const owner = api({ key: 994, name: 'Wide', versions: [0, 0], request: fields, response: {} })
  const read = decodeRequest(owner, 0, fromHex('7fffffffffffffff' + '8000000000000000'), 0)
  expect(read).toEqual({ a: 2 ** 63, b: -(2 ** 63) })
  const writer = new Writer()
  encodeRequest(owner, 0, read, writer)
  expect(hex(concat(writer.finish() as Uint8Array[]))).toBe('7fffffffffffffff8000000000000000')
})

test('an exactInt64 keeps its value, both ways', () => {
  const values = [0, -1, 2 ** 53 - 1, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
  const owner = api({
    key: 993,
    name: 'Exact',
    versions: [0, 0],
    request: { values: array(exactInt64) },
    response: {},
  })
  const writer = new Writer()
  encodeRequest(owner, 0, { values }, writer)
  const sent = concat(writer.finish() as Uint8Array[])
  expect(hex(sent.subarray(4 + 8 * 4, 4 + 8 * 5))).toBe('0020000000000001')
  expect(decodeRequest(owner, 0, sent, 0)).toEqual({ values })
})
