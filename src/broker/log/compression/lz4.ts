import { compressFrameSync, uncompressSync } from 'lz4-napi'
import { DecompressError } from './decompress-error.ts'
import { Output } from './output.ts'
import { xxh32OfFew } from './xxh32.ts'

/**
 * One LZ4 frame (the format's description, version 1.6). The frame is walked here and its blocks are decompressed
 * one by one, because only so the output has a bound. Content and block checksums are not looked at: the batch's
 * CRC covers the same bytes. That of the header is, as Kafka's consumers check it.
 */
export function openLz4(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  const frame = readFrameHeader(bytes)
  const output = new Output(outputBytesMax)
  for (const block of blocksOf(bytes, frame)) {
    if (block.isPlain) output.add(block.bytes)
    else output.add(openBlock(block.bytes, frame, output))
  }
  return output.whole()
}

export function makeLz4(bytes: Uint8Array): Uint8Array {
  return compressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
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

function openBlock(block: Uint8Array, frame: FrameHeader, output: Output): Uint8Array {
  // The library wants to be told how much to allocate. No byte of LZ4 becomes more than 255.
  const bytesMax = Math.min(frame.blockBytesMax, output.bytesLeft, 255 * block.length)
  const sized = Buffer.allocUnsafeSlow(4 + block.length)
  sized.writeUInt32LE(bytesMax, 0)
  sized.set(block, 4)
  const history = frame.isLinked ? output.tail(linkedBytes) : null
  try {
    return uncompressSync(sized, history === null || history.length === 0 ? null : history)
  } catch (error) {
    const reason = (error as Error).message
    throw new DecompressError(
      `a block is not LZ4, or becomes more than ${bytesMax} bytes (${reason})`,
    )
  }
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
const linkedBytes = 64 * KiB
/** So many make the 64 MiB that a batch may become, at 1 KiB each. */
const blocksMax = 65_536
