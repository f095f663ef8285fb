import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, writeInt32 } from '../../lib/bytes.ts'
import { FrameAssembler } from './frame-assembler.ts'

function framed(body: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(4)
  writeInt32(prefix, 0, body.length)
  return concat([prefix, body])
}

/** Pushes `stream` in chunks that end at `cuts`, and gives copies of the frames. */
function assemble(
  assembler: FrameAssembler,
  stream: Uint8Array,
  cuts: readonly number[],
): number[][] {
  const frames: number[][] = []
  let from = 0
  for (const to of [...cuts, stream.length].toSorted((a, b) => a - b)) {
    const { frames: found, fault } = assembler.push(stream.subarray(from, to))
    expect(fault).toBeNull()
    frames.push(...found.map(frame => [...frame]))
    from = to
  }
  return frames
}

describe('frames', () => {
  test('are the same wherever the stream is cut', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 8, maxLength: 60 }), { maxLength: 8 })
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(500), { maxLength: 40 }), (wanted, anywhere) => {
        const stream = concat(wanted.map(framed))
        const cuts = anywhere.map(cut => Math.min(cut, stream.length))
        const assembler = new FrameAssembler(1000)
        expect(assemble(assembler, stream, cuts)).toEqual(wanted.map(body => [...body]))
        expect(assembler.partialBytes).toBe(0)
        expect(assembler.missingBytes).toBe(4)
      }),
      { numRuns: 500 },
    )
  })

  test('inside one chunk are views of it, and cost no copy', () => {
    const assembler = new FrameAssembler(1000)
    const stream = concat([framed(new Uint8Array(20)), framed(new Uint8Array(8))])
    const { frames } = assembler.push(stream)
    expect(frames.map(({ buffer }) => buffer)).toEqual([stream.buffer, stream.buffer])
    expect(assembler.copiedBytes).toBe(0)
  })

  test('that span chunks are copied at most about three times', () => {
    const assembler = new FrameAssembler(2_000_000)
    const body = new Uint8Array(1_500_000).map((_, at) => at)
    const cuts = Array.from({ length: 1500 }, (_, at) => at * 1000)
    expect(assemble(assembler, framed(body), cuts)[0]!.length).toBe(body.length)
    expect(assembler.copiedBytes).toBeLessThan(3 * body.length)
  })

  test('that are announced and not sent cost what has arrived', () => {
    const assembler = new FrameAssembler(2 ** 31 - 1)
    const before = process.memoryUsage().arrayBuffers
    const stream = framed(new Uint8Array(100_000))
    writeInt32(stream, 0, 2 ** 31 - 1)
    assembler.push(stream)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
    expect(assembler.partialBytes).toBe(stream.length)
    expect(assembler.missingBytes).toBe(2 ** 31 - 1 - 100_000)
  })
})

describe('limits', () => {
  test.each([0, 1, 7, -1, -(2 ** 31), 101, 2 ** 31 - 1])('%i bytes are a fault', size => {
    const prefix = new Uint8Array(4)
    writeInt32(prefix, 0, size)
    for (const cut of [0, 1, 2, 3, 4]) {
      const assembler = new FrameAssembler(100)
      const good = framed(new Uint8Array(100))
      const stream = concat([good, prefix])
      const first = assembler.push(stream.subarray(0, good.length + cut))
      const second = assembler.push(stream.subarray(good.length + cut))
      expect([...first.frames, ...second.frames]).toHaveLength(1)
      expect(first.fault ?? second.fault).toContain(String(size))
    }
  })
})
