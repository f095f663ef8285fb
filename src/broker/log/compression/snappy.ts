import { concat, readInt32, writeInt32 } from '../../../lib/bytes.ts'
import { DecompressError } from './decompress-error.ts'
import { makeSnappyBlock, measureSnappyBlock, openSnappyBlock } from './snappy-block.ts'
import { inSteps, type WorkMeter } from './work-meter.ts'

/**
 * Snappy as Kafka's clients write it: the blocks of xerial's `SnappyOutputStream`, each with its length before it,
 * behind a header of 16 bytes. Some old clients send one bare block instead; every consumer reads both. As with LZ4,
 * all is measured before the output is allocated.
 */
export async function decompressSnappy(
  bytes: Uint8Array,
  outputBytesMax: number,
  meter: WorkMeter,
): Promise<Uint8Array> {
  const blocks = blocksOf(bytes)
  const whole = Buffer.allocUnsafeSlow(await meter.run(measure(blocks, outputBytesMax, meter)))
  await meter.run(open(blocks, whole, meter))
  return whole
}

/** With xerial's header and its blocks of 32 KiB. */
export async function compressSnappy(bytes: Uint8Array, meter: WorkMeter): Promise<Uint8Array> {
  return concat(await meter.run(make(bytes, meter)))
}

function* measure(
  blocks: readonly Uint8Array[],
  outputBytesMax: number,
  meter: WorkMeter,
): Generator<void, number, void> {
  let made = 0
  for (const block of blocks) {
    const cursor = { at: 0, to: 0, isDone: false }
    const left = outputBytesMax - made
    yield* inSteps(cursor, meter, bytesMax => measureSnappyBlock(block, cursor, left, bytesMax))
    made += cursor.to
  }
  return made
}

function* open(
  blocks: readonly Uint8Array[],
  whole: Uint8Array,
  meter: WorkMeter,
): Generator<void, void, void> {
  let to = 0
  for (const block of blocks) {
    const cursor = { at: 0, to, isDone: false }
    yield* inSteps(cursor, meter, bytesMax => openSnappyBlock(block, cursor, whole, bytesMax))
    to = cursor.to
  }
}

function* make(bytes: Uint8Array, meter: WorkMeter): Generator<void, Uint8Array[], void> {
  const parts: Uint8Array[] = [header]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const plain = bytes.subarray(at, at + blockBytes)
    const block = makeSnappyBlock(plain)
    const length = new Uint8Array(4)
    writeInt32(length, 0, block.length)
    parts.push(length, block)
    meter.bytesLeft -= compressionCost * plain.length
    if (meter.bytesLeft < 0) yield
  }
  return parts
}

function blocksOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (!magic.every((byte, at) => bytes[at] === byte)) return [bytes]
  if (bytes.length < header.length) throw new DecompressError('they end in the header of snappy')
  const blocks: Uint8Array[] = []
  let at = header.length
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new DecompressError('a block has no length')
    const length = readInt32(bytes, at)
    at += 4
    if (length < 1 || length > bytes.length - at) {
      throw new DecompressError(`a block claims ${length} bytes of ${bytes.length - at}`)
    }
    if (blocks.length === blocksMax) throw new DecompressError(`more than ${blocksMax} blocks`)
    blocks.push(bytes.subarray(at, at + length))
    at += length
  }
  return blocks
}

const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] as const
/** Magic, then version and lowest compatible version, both 1. */
const header = Uint8Array.of(...magic, 0, 0, 0, 1, 0, 0, 0, 1)
const blockBytes = 32 * 1024
/** So many make the 64 MiB that a batch may become, at 1 KiB each. */
const blocksMax = 65_536
/** To compress takes so much longer than to open. */
const compressionCost = 4
