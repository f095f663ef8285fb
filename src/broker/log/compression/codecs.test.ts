import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { Prng } from '../../../lib/prng.ts'
import { measuredAgain } from '../../../../test/helpers/eventually.ts'
import { ByteBudget } from './byte-budget.ts'
import { codecNames, type CodecId } from './codec-id.ts'
import { createCodecs, DecompressError, outputBytesMaxFor } from './codecs.ts'

const MiB = 1024 * 1024
const codecs = createCodecs({ soon: act => void setImmediate(act) })
const all: readonly CodecId[] = [0, 1, 2, 3, 4]
const packing = all.slice(1)
const nameOf = (codec: CodecId) => codecNames[codec]

describe.each(all.map(codec => [nameOf(codec), codec] as const))('%s', (_, codec) => {
  test('gives back what was compressed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(400), async (piece, times) => {
        const bytes = new Uint8Array(piece.length * times)
        for (let at = 0; at < bytes.length; at += piece.length) bytes.set(piece, at)
        const packed = await codecs.compress(codec, bytes)
        const back = await codecs.decompress(codec, packed, bytes.length)
        expect(Buffer.compare(back, bytes)).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  test('gives back 3 MiB that hardly compress', async () => {
    const bytes = new Prng(1).bytes(3 * MiB)
    const packed = await codecs.compress(codec, bytes)
    const back = await codecs.decompress(codec, packed, outputBytesMaxFor(packed.length))
    expect(Buffer.compare(back, bytes)).toBe(0)
  })

  test('gives nothing that is one byte more than it may be', async () => {
    for (const length of [1, 1000, 40_000, 3 * MiB]) {
      const packed = await codecs.compress(codec, new Uint8Array(length))
      expect((await codecs.decompress(codec, packed, length)).length).toBe(length)
      await expect(codecs.decompress(codec, packed, length - 1)).rejects.toThrow(DecompressError)
    }
  })
})

describe.each(packing.map(codec => [nameOf(codec), codec] as const))(
  '%s of bad bytes',
  (_, codec) => {
    test('throws nothing but DecompressError', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), bytes => isJudged(codec, bytes)),
      )
    })

    test('throws nothing but DecompressError for changed bytes', async () => {
      const packed = await codecs.compress(codec, utf8('all work and no play '.repeat(5_000)))
      const change = fc.tuple(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }))
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
          const bad = Uint8Array.from(packed)
          for (const [at, by] of changes) bad[at]! ^= by
          return isJudged(codec, bad)
        }),
        { numRuns: 300 },
      )
    })

    test('takes nothing that is cut short', async () => {
      const packed = await codecs.compress(codec, utf8('all work and no play '.repeat(20)))
      for (let length = 0; length < packed.length; length++) {
        // An empty xerial stream is whole with its header.
        if (codec === 2 && length === 16) continue
        const cut = packed.subarray(0, length)
        await expect(codecs.decompress(codec, cut, MiB), `${length} bytes`).rejects.toThrow(
          DecompressError,
        )
      }
    })

    test('stops a bomb at the limit', async () => {
      const packed = await codecs.compress(codec, new Uint8Array(100 * MiB))
      await expect(codecs.decompress(codec, packed, 2 * MiB)).rejects.toThrow(
        /cannot be decompressed: .*more than \d+ bytes/,
      )
    })
  },
)

describe('announced sizes', () => {
  test('of snappy are not allocated: 4 GiB in five bytes, bare and in a xerial block', async () => {
    const bare = fromHex('ffffffff0f00')
    await expect(codecs.decompress(2, bare, MiB)).rejects.toThrow('more than')
    const framed = fromHex('82534e4150505900000000010000000100000006ffffffff0f00')
    await expect(codecs.decompress(2, framed, MiB)).rejects.toThrow('more than')
  })

  test('of snappy that are small lies do not help', async () => {
    const bytes = Uint8Array.from(await codecs.compress(2, new Uint8Array(30_000)))
    expect([bytes[20], bytes[21], bytes[22]]).toEqual([0xb0, 0xea, 0x01])
    bytes.set([0x80, 0x80, 0x00], 20)
    await expect(codecs.decompress(2, bytes, MiB)).rejects.toThrow(DecompressError)
  })

  test('of a lz4 frame are not believed', async () => {
    const packed = fromHex(pythonLz4)
    packed.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00], 6)
    await expect(codecs.decompress(3, packed, MiB)).rejects.toThrow('checksum of the frame header')
  })

  test('are bounded by 100 times the bytes and 1 MiB, and by 64 MiB', () => {
    expect(outputBytesMaxFor(0)).toBe(MiB)
    expect(outputBytesMaxFor(1_000)).toBe(MiB + 100_000)
    expect(outputBytesMaxFor(MiB)).toBe(64 * MiB)
  })
})

/** `lz4.frame.compress` of Python, with content size. */
const pythonLz4 =
  '04224d1868408403000000000000e43c000000f01074686520717569636b2062726f776e20666f78206a756d7073206f' +
  '766572201f00916c617a7920646f673b0e000f2d00ffffff3e50646f673b2000000000'

/** The same, of 2,000 times the text: block size 64 KiB, linked blocks, block and content checksums. */
const pythonLinkedLz4 =
  '04224d185c40905f0100000000006239010000f01074686520717569636b2062726f776e20666f78206a756d7073206f766572201f00916c617a7920646f673b0e000f2d00' +
  `${'ff'.repeat(256)}b750726f776e2019e4e0f5690000000ff0${'ff'.repeat(96)}d750646f673b208f17341000000000a71dad5d`

describe('lz4 frames of others', () => {
  const sentence = 'the quick brown fox jumps over the lazy dog; '

  test('with a content size', async () => {
    const back = await codecs.decompress(3, fromHex(pythonLz4), MiB)
    expect(fromUtf8(back)).toBe(sentence.repeat(20))
  })

  test('with linked blocks and all checksums', async () => {
    const back = await codecs.decompress(3, fromHex(pythonLinkedLz4), MiB)
    expect(fromUtf8(back)).toBe(sentence.repeat(2_000))
  })

  test('whose linked blocks have nothing before them', async () => {
    const packed = fromHex(pythonLinkedLz4)
    const firstBytes = 4 + 0x139 + 4
    const headless = Buffer.concat([packed.subarray(0, 15), packed.subarray(15 + firstBytes)])
    await expect(codecs.decompress(3, headless, MiB)).rejects.toThrow('not LZ4')
  })
})

test('what is discarded has no memory any more', async () => {
  for (const codec of packing) {
    const packed = await codecs.compress(codec, new Uint8Array(100_000))
    const opened = await codecs.decompress(codec, packed, 100_000)
    expect(opened.byteLength).toBe(100_000)
    codecs.discard(opened)
    expect([opened.byteLength, opened.buffer.byteLength]).toEqual([0, 0])
    expect(packed.length).toBeGreaterThan(0)
  }
})

describe('decompressions under way', () => {
  test('share a budget, first come, first served; one alone is never stuck', async () => {
    const budget = new ByteBudget(10)
    const started: string[] = []
    const take = async (name: string, bytes: number) => {
      const release = await budget.take(bytes)
      started.push(name)
      return release
    }
    const huge = await take('huge', 50)
    const waiting = [take('a', 6), take('b', 5), take('c', 4)]
    await Promise.resolve()
    expect(started).toEqual(['huge'])
    huge()
    const a = await waiting[0]!
    await Promise.resolve()
    expect([started, budget.takenBytes]).toEqual([['huge', 'a'], 6])
    a()
    for (const release of await Promise.all(waiting.slice(1))) release()
    expect([started, budget.takenBytes]).toEqual([['huge', 'a', 'b', 'c'], 0])
  })

  test('give their bytes back when they fail', async () => {
    const tight = createCodecs(
      { soon: act => void setImmediate(act) },
      { outputBytesInFlightMax: 1 },
    )
    const noise = Uint8Array.of(1, 2, 3)
    const results = await Promise.allSettled(
      [1, 2, 3, 4, 1, 2].map(id => tight.decompress(id as CodecId, noise, MiB)),
    )
    expect(results.map(({ status }) => status)).toEqual(Array(6).fill('rejected'))
  })

  test('leave the event loop to others', async () => {
    for (const codec of packing) {
      const packed = await codecs.compress(codec, new Uint8Array(8 * MiB))
      const turnsMeanwhile = async (): Promise<number> => {
        let turns = 0
        const count = () => void (turns++, (timer = setImmediate(count)))
        let timer = setImmediate(count)
        await codecs.decompress(codec, packed, 8 * MiB)
        clearImmediate(timer)
        return turns
      }
      // Where this thread waits for a processor the other may be done before the loop turns.
      await measuredAgain(`turns during ${nameOf(codec)}`, turnsMeanwhile, turns => turns > 0)
    }
  })
})

async function isJudged(codec: CodecId, bytes: Uint8Array): Promise<void> {
  try {
    const back = await codecs.decompress(codec, bytes, 200_000)
    expect(back.length).toBeLessThanOrEqual(200_000)
  } catch (error) {
    expect(error).toBeInstanceOf(DecompressError)
  }
}
