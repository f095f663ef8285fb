import { DecompressError } from './decompress-error.ts'
import { makeLz4Block, measureLz4Block, openLz4Block } from './lz4-block.ts'
import { inSteps, type WorkMeter } from './work-meter.ts'
import { xxh32OfFew } from './xxh32.ts'

/**
 * One LZ4 frame (the format's description, version 1.6). All blocks are measured before the output is allocated, in
 * one piece and exactly. Content and block checksums are not looked at: the batch's CRC covers the same bytes. That
 * of the header is, as Kafka's consumers check it.
 */
export async function decompressLz4(
  bytes: Uint8Array,
  outputBytesMax: number,
  meter: WorkMeter,
): Promise<Uint8Array> {
  const frame = readFrameHeader(bytes)
  const blocks = blocksOf(bytes, frame)
  const whole = Buffer.allocUnsafeSlow(
    await meter.run(measureFrame(frame, blocks, outputBytesMax, meter)),
  )
  await meter.run(openFrame(blocks, whole, meter))
  return whole
}

/** Independent blocks of 64 KiB without checksums. */
export async function compressLz4(bytes: Uint8Array, meter: WorkMeter): Promise<Uint8Array> {
  return Buffer.concat(await meter.run(makeFrame(bytes, meter)))
}

function* measureFrame(
  { isLinked, blockBytesMax }: FrameHeader,
  blocks: readonly Block[],
  outputBytesMax: number,
  meter: WorkMeter,
): Generator<void, number, void> {
  let made = 0
  for (const { bytes, isPlain } of blocks) {
    const left = outputBytesMax - made
    const cursor = { at: 0, to: 0, isDone: isPlain }
    const bounds = {
      before: isLinked ? made : 0,
      outputBytesMax: Math.min(left, blockBytesMax),
    }
    yield* inSteps(cursor, meter, bytesMax => measureLz4Block(bytes, cursor, bounds, bytesMax))
    const madeHere = isPlain ? bytes.length : cursor.to
    if (madeHere > left) throw DecompressError.tooLarge(outputBytesMax)
    made += madeHere
  }
  return made
}

function* openFrame(
  blocks: readonly Block[],
  whole: Uint8Array,
  meter: WorkMeter,
): Generator<void, void, void> {
  let to = 0
  for (const { bytes, isPlain } of blocks) {
    const cursor = { at: 0, to, isDone: false }
    yield* inSteps(cursor, meter, bytesMax => {
      if (!isPlain) return openLz4Block(bytes, cursor, whole, bytesMax)
      whole.set(bytes, to)
      cursor.to += bytes.length
      cursor.isDone = true
      return bytes.length
    })
    to = cursor.to
  }
}

function* makeFrame(bytes: Uint8Array, meter: WorkMeter): Generator<void, Uint8Array[], void> {
  const parts: Uint8Array[] = [frameHeader]
  for (let at = 0; at < bytes.length; at += madeBlockBytes) {
    const plain = bytes.subarray(at, at + madeBlockBytes)
    const block = makeLz4Block(plain)
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32LE(block === null ? (plain.length | plainFlag) >>> 0 : block.length)
    parts.push(length, block ?? plain)
    meter.bytesLeft -= compressionCost * plain.length
    if (meter.bytesLeft < 0) yield
  }
  parts.push(endMark)
  return parts
}

interface FrameHeader {
  readonly blockBytesMax: number
  /** Blocks may refer to the 64 KiB before them. Java's client refuses that; others send it. */
  readonly isLinked: boolean
  readonly hasBlockChecksums: boolean
  readonly hasContentChecksum: boolean
  readonly blocksAt: number
}

interface Block {
  readonly bytes: Uint8Array
  readonly isPlain: boolean
}

function readFrameHeader(bytes: Uint8Array): FrameHeader {
  if (bytes.length < 7 || readUint32Le(bytes, 0) !== frameMagic) {
    throw new DecompressError('they do not begin with an LZ4 frame')
  }
  const flags = bytes[4]!
  const descriptor = bytes[5]!
  if (flags >> 6 !== 1 || (flags & reservedFlag) !== 0 || (descriptor & 0x8f) !== 0) {
    throw new DecompressError('the frame has a version or flags that are not known')
  }
  if ((flags & dictionaryFlag) !== 0) throw new DecompressError('the frame wants a dictionary')
  const blockBytesMax = blockSizes[descriptor >> 4]
  if (blockBytesMax === undefined) throw new DecompressError('the frame has no known block size')
  const checksumAt = (flags & contentSizeFlag) === 0 ? 6 : 14
  if (checksumAt >= bytes.length) throw new DecompressError('the frame ends in its header')
  if (bytes[checksumAt] !== ((xxh32OfFew(bytes.subarray(4, checksumAt)) >>> 8) & 0xff)) {
    throw new DecompressError('the checksum of the frame header is wrong')
  }
  return {
    blockBytesMax,
    isLinked: (flags & independentFlag) === 0,
    hasBlockChecksums: (flags & blockChecksumFlag) !== 0,
    hasContentChecksum: (flags & contentChecksumFlag) !== 0,
    blocksAt: checksumAt + 1,
  }
}

function blocksOf(bytes: Uint8Array, frame: FrameHeader): readonly Block[] {
  const blocks: Block[] = []
  let at = frame.blocksAt
  for (;;) {
    if (at + 4 > bytes.length) throw new DecompressError('the frame has no end')
    const word = readUint32Le(bytes, at)
    at += 4
    if (word === 0) break
    const length = word & 0x7fff_ffff
    if (length > frame.blockBytesMax || length > bytes.length - at) {
      throw new DecompressError(`a block claims ${length} bytes of ${bytes.length - at}`)
    }
    if (blocks.length === blocksMax) throw new DecompressError(`more than ${blocksMax} blocks`)
    blocks.push({ bytes: bytes.subarray(at, at + length), isPlain: word > 0x7fff_ffff })
    at += length + (frame.hasBlockChecksums ? 4 : 0)
  }
  at += frame.hasContentChecksum ? 4 : 0
  if (at === bytes.length) return blocks
  throw new DecompressError(`the frame ends ${bytes.length - at} bytes before they do`)
}

function readUint32Le(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!]
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
}

const frameMagic = 0x184d2204
const independentFlag = 0x20
const blockChecksumFlag = 0x10
const contentSizeFlag = 0x08
const contentChecksumFlag = 0x04
const reservedFlag = 0x02
const dictionaryFlag = 0x01
const KiB = 1024
/** By the number in the block descriptor. */
const blockSizes: readonly (number | undefined)[] = [
  ...Array.from({ length: 4 }, () => undefined),
  64 * KiB,
  256 * KiB,
  1024 * KiB,
  4096 * KiB,
]
/** So many make the 64 MiB that a batch may become, at 1 KiB each. */
const blocksMax = 65_536
/** The highest bit of a block's length. */
const plainFlag = 0x8000_0000 | 0
const madeBlockBytes = 64 * KiB
/** Version 1, independent blocks, of 64 KiB, and the checksum of that. */
const frameHeader = madeHeader()
const endMark = new Uint8Array(4)
/** To compress takes so much longer than to open. */
const compressionCost = 4

function madeHeader(): Uint8Array {
  const header = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, (1 << 6) | independentFlag, 4 << 4, 0)
  header[6] = (xxh32OfFew(header.subarray(4, 6)) >>> 8) & 0xff
  return header
}
