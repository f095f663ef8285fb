/** Records of an uncompressed batch that no parser may take, each for a reason of its own. */

/** A record of `body` behind its length, which is below 64. */
export function sizedRecord(...body: readonly number[]): Uint8Array {
  return Uint8Array.of(2 * body.length, ...body)
}

/** Attributes, timestamp and offset delta 0, no key, no value, no headers. */
const plain = [0, 0, 0, 1, 1, 0]
export const plainRecord = sizedRecord(...plain)

const continued = (count: number): number[] => Array<number>(count).fill(0x80)

export const brokenRecords: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  ['a length that is negative', Uint8Array.of(1)],
  ['a length beyond the bytes', Uint8Array.of(120, ...plain)],
  ['a length of 33 bits', Uint8Array.of(...continued(4), 0x10)],
  ['a record of no bytes', Uint8Array.of(0)],
  ['attributes and nothing else', sizedRecord(0)],
  ['a byte behind the headers', sizedRecord(...plain, 0)],
  ['a key beyond the record', sizedRecord(0, 0, 0, 6, 1, 1, 0)],
  ['a key of length -2', sizedRecord(0, 0, 0, 3, 1, 0)],
  ['a key of the greatest length', sizedRecord(0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 0)],
  ['a value beyond the record', sizedRecord(0, 0, 0, 1, 4, 0)],
  ['a value of length -2', sizedRecord(0, 0, 0, 1, 3, 0)],
  ['no number of headers', sizedRecord(0, 0, 0, 1, 1)],
  ['more headers than bytes', sizedRecord(0, 0, 0, 1, 1, 2)],
  ['a number of headers below 0', sizedRecord(0, 0, 0, 1, 1, 1)],
  ['a header without a key', sizedRecord(0, 0, 0, 1, 1, 2, 1, 1)],
  ['a header without a value', sizedRecord(0, 0, 0, 1, 1, 2, 2, 0x61)],
  ['a header value beyond the record', sizedRecord(0, 0, 0, 1, 1, 2, 0, 8)],
  ['a header value of length -2', sizedRecord(0, 0, 0, 1, 1, 2, 0, 3)],
  ['an offset delta of 33 bits', sizedRecord(0, 0, ...continued(4), 0x10, 1, 1, 0)],
  ['an offset delta of six bytes', sizedRecord(0, 0, ...continued(5), 0, 1, 1, 0)],
  ['a timestamp of 65 bits', sizedRecord(0, ...continued(9), 2, 0, 1, 1, 0)],
  ['a timestamp of eleven bytes', sizedRecord(0, ...continued(10), 0, 0, 1, 1, 0)],
  ['a number that the record cuts', sizedRecord(0, 0, 0, 1, 1, 0x80)],
]
