import { createHash } from 'node:crypto'
import { fromHex, writeInt64 } from '../../lib/bytes.ts'

/** What the first record of a log follows. */
export const genesisHash = '0'.repeat(64)

export interface Link {
  /** 64 hex digits: the hash of the record before, or `genesisHash`. */
  readonly previousHash: string
  readonly sequence: number
  readonly epoch: number
  readonly payload: Uint8Array
}

/** The record's own hash, 64 hex digits: it vouches for the record and, through `previousHash`, for all before. */
export function chainHash(link: Link): string {
  const numbers = new Uint8Array(16)
  writeInt64(numbers, 0, link.sequence)
  writeInt64(numbers, 8, link.epoch)
  const hash = createHash('sha256')
  hash.update(fromHex(link.previousHash)).update(numbers).update(link.payload)
  return hash.digest('hex')
}

/** 64 hex digits. */
export function contentHash(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
