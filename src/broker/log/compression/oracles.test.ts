import { compressFrame, decompressFrame, uncompress as openLz4 } from 'lz4-napi'
import { compress as makeSnappy, uncompress as openSnappy } from 'snappy'
import { describe, expect, test } from 'vitest'
import { Prng } from '../../../lib/prng.ts'
import { createCodecs } from './codecs.ts'
import { copyBack } from './copying.ts'
import { makeLz4Block } from './lz4-block.ts'
import { makeSnappyBlock, measureSnappyBlock, openSnappyBlock } from './snappy-block.ts'

const lz4 = 3
const snappy = 2
const soon = (act: () => void): void => void setImmediate(act)
const codecs = createCodecs({ soon })

/** Noise, runs, words, and what repeats from far away, in turns; of any length up to `bytesMax`. */
function sample(random: Prng, bytesMax: number): Uint8Array {
  const bytes = new Uint8Array(random.below(bytesMax))
  for (let at = 0; at < bytes.length;) {
    const length = Math.min(1 + random.below(random.pick([10, 100, 3000])), bytes.length - at)
    const piece = bytes.subarray(at, at + length)
    const how = random.below(4)
    if (how === 0) piece.set(random.bytes(length))
    else if (how === 1) piece.fill(random.below(256))
    else if (how === 2 && at > 0) copyBack(bytes, at, 1 + random.below(at), length)
    else piece.set(Buffer.alloc(length, 'record of the log '))
    at += length
  }
  return bytes
}

/** Each of many samples, small ones above all. */
async function forSamples(act: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const random = new Prng(7)
  for (let time = 0; time < 400; time++) {
    await act(sample(random, random.pick([2, 20, 300, 70_000, 300_000])))
  }
}

function isSame(found: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(found, expected)).toBe(0)
}

describe('by other implementations', () => {
  test('our LZ4 is opened, and theirs by us', async () => {
    await forSamples(async bytes => {
      isSame(await decompressFrame(await codecs.compress(lz4, bytes)), bytes)
      isSame(await codecs.decompress(lz4, await compressFrame(bytes), bytes.length), bytes)
    })
  })

  test('our LZ4 blocks are opened, of every length around the edges of the format', async () => {
    for (let length = 0; length < 600; length++) {
      const plain = new Uint8Array(length)
      const block = makeLz4Block(plain)
      if (block === null) continue
      const sized = Buffer.alloc(4 + block.length)
      sized.writeUInt32LE(length)
      sized.set(block, 4)
      isSame(await openLz4(sized), plain)
    }
  })

  test('our snappy is opened, and theirs by us', async () => {
    await forSamples(async bytes => {
      isSame(await codecs.decompress(snappy, await makeSnappy(bytes), bytes.length), bytes)
      const block = makeSnappyBlock(bytes.subarray(0, 32_768))
      isSame((await openSnappy(block)) as Uint8Array, bytes.subarray(0, 32_768))
    })
  })
})

describe('elements of snappy that few write', () => {
  test.each([
    ['a length of three bytes', [62 << 2, 0x2b, 1, 0]],
    ['a length of four bytes', [63 << 2, 0x2b, 1, 0, 0]],
  ])('literals with %s', (_, element) => {
    const literals = new Prng(1).bytes(300)
    isSame(opened([0xac, 0x02, ...element, ...literals]), literals)
  })

  test('a distance of four bytes', () => {
    const back = opened([8, 3 << 2, 1, 2, 3, 4, (3 << 2) | 3, 4, 0, 0, 0])
    expect([...back]).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
  })

  test('a length of four bytes that lies', () => {
    const lie = () => opened([8, 63 << 2, 0xff, 0xff, 0xff, 0xff, 1, 2])
    expect(lie).toThrow('ends within an element')
  })

  function opened(bytes: readonly number[]): Uint8Array {
    const block = Uint8Array.from(bytes)
    const measured = { at: 0, to: 0, isDone: false }
    while (!measured.isDone) measureSnappyBlock(block, measured, 1000, 1)
    const out = new Uint8Array(measured.to)
    const cursor = { at: 0, to: 0, isDone: false }
    while (!cursor.isDone) openSnappyBlock(block, cursor, out, 1)
    return out
  }
})

test('many small batches at once have one turn of the loop after another', async () => {
  const packed = await codecs.compress(lz4, new Uint8Array(256 * 1024))
  let turns = 0
  const counted = createCodecs({ soon: act => setImmediate(() => (turns++, act())) })
  const all = Array.from({ length: 64 }, () => counted.decompress(lz4, packed, 256 * 1024))
  expect((await Promise.all(all)).length).toBe(64)
  // 16 MiB in steps of one.
  expect(turns).toBeGreaterThanOrEqual(14)
})
