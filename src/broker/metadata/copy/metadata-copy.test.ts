import { describe, expect, test } from 'vitest'
import { SimDisk } from '../../../../sim/disk.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { Prng } from '../../../lib/prng.ts'
import { chainHash, genesisHash } from '../chain.ts'
import type { Cursor, StoredLog, StoredRecord } from '../store.ts'
import { linkProblem } from './link.ts'
import { MetadataCopy } from './metadata-copy.ts'

const path = '/data/metadata.copy'

function diskWithFolder(): SimDisk {
  const disk = new SimDisk()
  disk.mkdir('/data')
  return disk
}

/** Records that follow `from`, as a store would give them. */
function recordsAfter(from: Cursor, count: number): StoredRecord[] {
  const records: StoredRecord[] = []
  let { nextSequence: sequence, lastHash: previousHash } = from
  for (; records.length < count; sequence++) {
    const payload = utf8(`payload\n${sequence}`)
    const hash = chainHash({ previousHash, sequence, epoch: 1, payload })
    records.push({ sequence, epoch: 1, hash, payload })
    previousHash = hash
  }
  return records
}

const start: Cursor = { nextSequence: 1, lastHash: genesisHash }
const nothing: StoredLog = { snapshot: null, tail: [], cursor: start }

function logOf(tail: readonly StoredRecord[]): StoredLog {
  const last = tail.at(-1)
  return {
    snapshot: null,
    tail,
    cursor: last === undefined ? start : { nextSequence: last.sequence + 1, lastHash: last.hash },
  }
}

describe('a copy', () => {
  test('gives back what it was given, over snapshots and facts of its own', async () => {
    const disk = diskWithFolder()
    const copy = MetadataCopy.open(disk, path)
    expect([copy.cursor, copy.readLog()]).toEqual([null, null])
    await copy.replace(nothing)
    const records = recordsAfter(start, 3)
    for (const record of records) await copy.append(record)
    await copy.keep({ unregisteredStarts: 2 })
    await copy.keep({ producerIds: { first: 7, count: 10 } })
    await copy.close()
    const again = MetadataCopy.open(disk, path)
    expect(again.readLog()).toEqual(logOf(records))
    expect(again.cursor).toEqual(logOf(records).cursor)
    const local = { unregisteredStarts: 2, producerIds: { first: 7, count: 10 } }
    expect(again.local).toEqual(local)
    const { nextSequence, lastHash } = logOf(records).cursor
    // As where the store notes its snapshot in the log: the snapshot's place is another one than the last record's.
    const cursor = { nextSequence: nextSequence + 1, lastHash: lastHash.replaceAll('0', '1') }
    const payload = utf8('snapshot')
    const snapshot = { sequence: nextSequence, epoch: 1, hash: cursor.lastHash, payload }
    await again.replace({ snapshot, tail: [], cursor })
    const later = recordsAfter(cursor, 2)
    for (const record of later) await again.append(record)
    await again.close()
    const last = MetadataCopy.open(disk, path)
    expect(last.readLog()).toEqual({ ...logOf(later), snapshot })
    expect(last.local).toEqual(local)
  })

  test('has, after a crash at any moment, what it had told to be durable, or one entry more', async () => {
    const disk = diskWithFolder()
    await disk.syncDirectory('/')
    const points: { disk: SimDisk; durable: number; starts: number }[] = []
    let durable = 0
    let starts = 0
    const copy = MetadataCopy.open(disk, path)
    await copy.replace(nothing)
    disk.onOperation(() => points.push({ disk: disk.clone(), durable, starts }))
    const records = recordsAfter(start, 12)
    for (const record of records) {
      if (record.sequence === 7) await copy.replace(logOf(records.slice(0, 6)))
      await copy.append(record)
      durable = record.sequence
      await copy.keep({ unregisteredStarts: starts + 1 })
      starts++
    }
    expect(points.length).toBeGreaterThan(40)
    for (const [at, point] of points.entries()) {
      for (const seed of [0, 1, 2]) {
        const left = point.disk.crashMachine(new Prng(at * 10 + seed))
        const found = MetadataCopy.open(left, path)
        const last = (found.cursor?.nextSequence ?? 1) - 1
        expect([point.durable, point.durable + 1]).toContain(last)
        expect([point.starts, point.starts + 1]).toContain(found.local.unregisteredStarts)
        expect(found.readLog()?.tail ?? []).toEqual(records.slice(0, last))
        // It goes on from there, over whatever lies behind.
        const [next] = recordsAfter(found.cursor ?? start, 1)
        await found.append(next!)
        await found.close()
        expect(MetadataCopy.open(left, path).cursor?.lastHash).toBe(next!.hash)
      }
    }
  })

  test('that is damaged before its end is refused, wherever a bit is another one', async () => {
    const disk = diskWithFolder()
    const copy = MetadataCopy.open(disk, path)
    await copy.replace(nothing)
    for (const record of recordsAfter(start, 4)) await copy.append(record)
    await copy.close()
    const { size } = disk.stat(path)!
    for (let at = 0; at < size; at += 3) {
      const damaged = disk.clone()
      const file = damaged.open(path, 'write')
      const byte = new Uint8Array(1)
      file.read(at, byte)
      file.write(at, [Uint8Array.of(byte[0]! ^ 4)])
      file.close()
      try {
        // The last entry may be torn: then what is before it counts.
        expect(MetadataCopy.open(damaged, path).cursor?.nextSequence).toBe(4)
        expect(at).toBeGreaterThan(size * 0.75)
      } catch (error) {
        expect(error).toMatchObject({ reason: 'damaged' })
      }
    }
  })

  test('on a full disk stays as it is, and takes the same again; a failed sync is the last', async () => {
    const disk = diskWithFolder()
    const copy = MetadataCopy.open(disk, path)
    await copy.replace(nothing)
    const [first, second] = recordsAfter(start, 2)
    await copy.append(first!)
    disk.failNext({ operation: 'write', code: 'ENOSPC', written: 5 })
    await expect(copy.append(second!)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(MetadataCopy.open(disk.clone(), path).cursor?.lastHash).toBe(first!.hash)
    await copy.append(second!)
    expect(MetadataCopy.open(disk.clone(), path).cursor?.lastHash).toBe(second!.hash)
    disk.failNext({ operation: 'sync', code: 'EIO' })
    const failed = { name: 'StoreError', reason: 'failed' }
    await expect(copy.keep({ unregisteredStarts: 1 })).rejects.toMatchObject(failed)
    await expect(copy.keep({ unregisteredStarts: 1 })).rejects.toMatchObject(failed)
  })

  test('on a full disk has room made for it, once', async () => {
    const disk = diskWithFolder()
    let count = 0
    const copy = MetadataCopy.open(disk, path, { makeRoom: () => ++count === 1 })
    await copy.replace(nothing)
    const [first, second] = recordsAfter(start, 2)
    disk.failNext({ operation: 'write', code: 'ENOSPC', written: 5 })
    await copy.append(first!)
    expect(MetadataCopy.open(disk.clone(), path).cursor?.lastHash).toBe(first!.hash)
    disk.failNext({ operation: 'write', code: 'ENOSPC', written: 5 })
    await expect(copy.append(second!)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(count).toBe(2)
  })
})

describe('a log', () => {
  const records = recordsAfter(start, 6)
  const copy = logOf(records.slice(0, 3)).cursor
  const snapshotAt = (sequence: number) => ({
    ...records[sequence - 1]!,
    payload: utf8('snapshot'),
  })
  const other = recordsAfter({ nextSequence: 1, lastHash: genesisHash.replaceAll('0', '1') }, 6)

  test.each<[string, StoredLog, RegExp | null]>([
    ['that ends where the copy does', logOf(records.slice(0, 3)), null],
    ['that goes on from there', logOf(records), null],
    ['whose snapshot is there', { ...logOf(records.slice(3)), snapshot: snapshotAt(3) }, null],
    [
      'whose snapshot is later, and which knows what was before',
      { ...logOf(records.slice(5)), snapshot: snapshotAt(5), history: records.slice(1, 4) },
      null,
    ],
    [
      'whose snapshot is later',
      { ...logOf(records.slice(5)), snapshot: snapshotAt(5) },
      /does not tell record 3 any more/,
    ],
    ['that ends before', logOf(records.slice(0, 2)), /ends with record 2, .* up to record 3/],
    ['that is empty', nothing, /ends with record 0/],
    ['that is another one', logOf(other.slice(0, 3)), /record 3 is another one/],
    ['that is another one and longer', logOf(other), /record 3 is another one/],
  ])('%s', (_, log, expected) => {
    const problem = linkProblem(copy, log)
    if (expected === null) expect(problem).toBe(null)
    else expect(problem).toMatch(expected)
  })

  test('goes on from a copy that has nothing', () => {
    expect(linkProblem(start, logOf(records))).toBe(null)
  })
})
