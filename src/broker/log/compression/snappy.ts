import { compressSync, uncompressSync } from 'snappy'
import { concat, readInt32, writeInt32 } from '../../../lib/bytes.ts'
import { DecompressError } from './decompress-error.ts'
import { Output } from './output.ts'

/**
 * Snappy as Kafka's clients write it: the blocks of xerial's `SnappyOutputStream`, each with its length before it,
 * behind a header of 16 bytes. Some old clients send one bare block instead; every consumer reads both.
 */
export function openSnappy(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  const output = new Output(outputBytesMax)
  for (const block of blocksOf(bytes)) {
    // The library allocates what the block announces before it reads on.
    if (announcedBytes(block) > output.bytesLeft) throw DecompressError.tooLarge(outputBytesMax)
    output.add(openBlock(block))
  }
  return output.whole()
}

/** With xerial's header and its blocks of 32 KiB. */
export function makeSnappy(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [header]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = compressSync(bytes.subarray(at, at + blockBytes))
    const length = new Uint8Array(4)
    writeInt32(length, 0, block.length)
    parts.push(length, block)
  }
  return concat(parts)
}

function openBlock(block: Uint8Array): Uint8Array {
  try {
    return uncompressSync(block, { asBuffer: true }) as Buffer
  } catch (error) {
    throw new DecompressError(`a block is not snappy (${(error as Error).message})`)
  }
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

/** The varint that a block begins with: how much it becomes. */
function announcedBytes(block: Uint8Array): number {
  let announced = 0
  for (let at = 0; at < 5; at++) {
    const byte = block[at]
    if (byte === undefined) break
    announced += (byte & 0x7f) * 128 ** at
    if (byte < 0x80) return announced
  }
  throw new DecompressError('a block has no size')
}

const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] as const
/** Magic, then version and lowest compatible version, both 1. */
const header = Uint8Array.of(...magic, 0, 0, 0, 1, 0, 0, 0, 1)
const blockBytes = 32 * 1024
/** So many make the 64 MiB that a batch may become, at 1 KiB each. */
const blocksMax = 65_536
