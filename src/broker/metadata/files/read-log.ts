import { type Disk, readWhole } from '../../../env/disk.ts'
import { genesisHash } from '../chain.ts'
import type { Cursor, Snapshot, StoredLog, StoredRecord } from '../store.ts'
import { damaged, decodeRecordFile, decodeSnapshotFile } from './log-file.ts'

export interface StorePaths {
  readonly root: string
  readonly lock: string
  readonly log: string
  readonly snapshots: string
  readonly snapshotSequence: string
}

export function storePaths(root: string): StorePaths {
  return {
    root,
    lock: `${root}/lock`,
    log: `${root}/log`,
    snapshots: `${root}/snapshot`,
    snapshotSequence: `${root}/snapshot.seq`,
  }
}

/** Names sort as their sequences do. */
export function fileName(sequence: number): string {
  return String(sequence).padStart(20, '0')
}

/** null for a name that is not ours. */
export function sequenceOf(name: string): number | null {
  return /^\d{20}$/.test(name) ? Number(name) : null
}

/**
 * The snapshot that counts and every record after it. What lies at or below it is history, and not looked at.
 * @throws StoreError `damaged` where a record in the middle is missing, or anything is not as it was written
 */
export function readLog(disk: Disk, paths: StorePaths): StoredLog {
  const snapshot = readSnapshot(disk, paths)
  const sequences = disk
    .list(paths.log)
    .map(sequenceOf)
    .filter(sequence => sequence !== null && sequence > (snapshot?.sequence ?? 0)) as number[]
  let cursor: Cursor = {
    nextSequence: (snapshot?.sequence ?? 0) + 1,
    lastHash: snapshot?.hash ?? genesisHash,
  }
  let epoch = snapshot?.epoch ?? 0
  const tail: StoredRecord[] = []
  for (const sequence of sequences) {
    const record = readRecord({ disk, paths, cursor, epoch }, sequence)
    tail.push(record)
    cursor = { nextSequence: sequence + 1, lastHash: record.hash }
    epoch = record.epoch
  }
  return { snapshot, tail, cursor }
}

interface Place {
  readonly disk: Disk
  readonly paths: StorePaths
  readonly cursor: Cursor
  readonly epoch: number
}

function readRecord({ disk, paths, cursor, epoch }: Place, sequence: number): StoredRecord {
  const { nextSequence, lastHash } = cursor
  const path = `${paths.log}/${fileName(sequence)}`
  if (sequence !== nextSequence) {
    const missing = `${paths.log}/${fileName(nextSequence)}`
    throw damaged(missing, `it is missing, though the later record ${sequence} is there`)
  }
  const record = decodeRecordFile(path, readWhole(disk, path) ?? new Uint8Array())
  if (record.sequence !== sequence) throw damaged(path, `it is record ${record.sequence}`)
  if (record.previousHash !== lastHash) {
    throw damaged(path, `it does not follow record ${sequence - 1} that is there`)
  }
  if (record.epoch < epoch) throw damaged(path, `its epoch ${record.epoch} is below ${epoch}`)
  const { hash, payload } = record
  return { sequence, epoch: record.epoch, hash, payload }
}

function readSnapshot(disk: Disk, paths: StorePaths): Snapshot | null {
  const pointer = readWhole(disk, paths.snapshotSequence)
  if (pointer === null) return null
  const digits = /^(\d{1,16})\n$/.exec(String.fromCharCode(...pointer.subarray(0, 20)))?.[1]
  if (digits === undefined)
    throw damaged(paths.snapshotSequence, 'it is not a number and a newline')
  const sequence = Number(digits)
  const path = `${paths.snapshots}/${fileName(sequence)}`
  const content = readWhole(disk, path)
  if (content === null) throw damaged(path, 'it is missing, though snapshot.seq names it')
  const snapshot = decodeSnapshotFile(path, content)
  if (snapshot.sequence !== sequence) throw damaged(path, `it is snapshot ${snapshot.sequence}`)
  return snapshot
}
