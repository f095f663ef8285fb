import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { batchOverheadBytes, readBatchHeader } from '../../src/broker/log/batch/batch.ts'
import { parseSegmentName, segmentPath } from '../../src/broker/log/segment/segment.ts'
import type { TestBroker } from './broker.ts'

/** Where a broker keeps a partition, `TOPIC-PARTITION`; a folder that was set aside is none. */
export function replicaFolder({ dataDir }: TestBroker, partition: string): string {
  const isIt = (name: string): boolean => name.startsWith(`${partition}.`) && !isStray(name)
  return join(dataDir, readdirSync(dataDir).find(isIt) ?? 'no folder')
}

export const isStray = (name: string): boolean => name.includes('.stray')

/** The log of a partition, its segments one after the other, as it lies on a broker's disk now. */
export function replicaBytes(broker: TestBroker, partition: string): Buffer {
  return logBytes(replicaFolder(broker, partition))
}

/** Without the dead ends of its files (FORMAT.md): what a cut left there, behind the beginning of the next segment, is not of the log. */
export function logBytes(folder: string): Buffer {
  const bases = readdirSync(folder)
    .flatMap(name => parseSegmentName(name, 'log') ?? [])
    .toSorted((a, b) => a - b)
  const parts = bases.map((base, at) => {
    const bytes = readFileSync(segmentPath(folder, base, 'log'))
    return bytes.subarray(0, positionOf(bytes, bases[at + 1] ?? Infinity))
  })
  return Buffer.concat(parts)
}

/** Where the first batch lies that begins at `offset` or behind it. What is no whole batch belongs to who looks. */
function positionOf(bytes: Buffer, offset: number): number {
  let at = 0
  while (at + batchOverheadBytes <= bytes.length) {
    const { baseOffset, sizeBytes } = readBatchHeader(bytes, at)
    if (baseOffset >= offset) return at
    if (sizeBytes < batchOverheadBytes) break
    at += sizeBytes
  }
  return bytes.length
}
