import { describe, expect, test } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import { FilesStore, type FilesStoreOptions } from '../../src/broker/metadata/files/files-store.ts'
import type { Cursor } from '../../src/broker/metadata/store.ts'
import type { FileSystem } from '../../src/env/disk.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import { readWhole } from '../../src/env/disk.ts'
import { testFailingDisk } from './failing-disk.ts'

const path = '/data/metadata'
const record = (sequence: number): string => `${path}/log/${String(sequence).padStart(20, '0')}`
const snapshot = (sequence: number): string =>
  `${path}/snapshot/${String(sequence).padStart(20, '0')}`

async function open(disk: SimDisk, more: Partial<FilesStoreOptions> = {}): Promise<FilesStore> {
  return FilesStore.open({ disk, path, snapshotIntervalMax: 4, ...more })
}

/** Records 1 to 6, and a snapshot of the first three. */
async function written(): Promise<SimDisk> {
  const disk = new SimDisk()
  const store = await open(disk)
  let { cursor } = await store.readAll()
  for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) {
    cursor = await append(store, cursor, text)
    if (text === 'c') await store.writeSnapshot(cursor, 1, utf8('abc'))
  }
  await store.close()
  return disk
}

async function append(store: FilesStore, cursor: Cursor, text: string): Promise<Cursor> {
  const outcome = await store.append(cursor, 1, utf8(text))
  if (outcome.kind !== 'committed') throw new Error(outcome.kind)
  return outcome.cursor
}

function rewrite(disk: SimDisk, file: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const bytes = change(readWhole(disk, file)!)
  disk.unlink(file)
  const handle = disk.open(file, 'create')
  handle.write(0, [bytes])
  handle.close()
}

const flipLast = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))
const replaced = (from: string, to: string) => (bytes: Uint8Array) =>
  utf8(fromUtf8(bytes).replace(from, to))

describe('a damaged files store', () => {
  const cases: readonly [string, (disk: SimDisk) => void, RegExp][] = [
    [
      'a flipped bit in a record',
      disk => rewrite(disk, record(5), flipLast),
      /log\/0+5: its content does not/,
    ],
    [
      'a record of zeros',
      disk => rewrite(disk, record(5), () => new Uint8Array(99)),
      /0+5: it has no first line/,
    ],
    [
      'an empty record',
      disk => rewrite(disk, record(5), () => new Uint8Array()),
      /0+5: it has no first line/,
    ],
    [
      'a record cut short',
      disk => rewrite(disk, record(6), bytes => bytes.subarray(0, -1)),
      /0+6: it holds 0 bytes of payload/,
    ],
    [
      'a record in the middle missing',
      disk => disk.unlink(record(5)),
      /0+5: it is missing, though the later record 6/,
    ],
    ['the record after the snapshot missing', disk => disk.unlink(record(4)), /0+4: it is missing/],
    [
      'a record in the place of another',
      disk => {
        disk.unlink(record(5))
        disk.link(record(6), record(5))
      },
      /0+5: it is record 6/,
    ],
    [
      'another epoch',
      disk => rewrite(disk, record(5), replaced('"epoch":1', '"epoch":2')),
      /0+5: its content/,
    ],
    [
      'a format from the future',
      disk => rewrite(disk, record(5), replaced('"format":1', '"format":2')),
      /0+5: its format is 2/,
    ],
    [
      'a flipped bit in the snapshot',
      disk => rewrite(disk, snapshot(3), flipLast),
      /snapshot\/0+3: its content does not/,
    ],
    [
      'no snapshot',
      disk => disk.unlink(snapshot(3)),
      /snapshot\/0+3: it is missing, though snapshot.seq names it/,
    ],
    [
      'an unreadable snapshot.seq',
      disk => rewrite(disk, `${path}/snapshot.seq`, () => Uint8Array.of(0xff)),
      /snapshot.seq: it is not a number/,
    ],
    [
      'no snapshot.seq',
      disk => {
        disk.unlink(`${path}/snapshot.seq`)
        disk.unlink(record(1))
      },
      /0+1: it is missing/,
    ],
  ]

  test.each(cases)(
    'with %s refuses to be read: what, where, and what to do',
    async (_, damage, message) => {
      const disk = await written()
      damage(disk)
      const store = await open(disk)
      const error = await store.readAll().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'StoreError', reason: 'damaged' })
      expect((error as Error).message).toMatch(message)
      expect((error as Error).message).toMatch(/Restore the metadata directory/)
    },
  )

  test('whose history below the snapshot is gone is read', async () => {
    const disk = await written()
    for (const sequence of [1, 2, 3]) disk.unlink(record(sequence))
    const log = await (await open(disk)).readAll()
    expect(log.snapshot?.sequence).toBe(3)
    expect(log.tail.map(({ payload }) => fromUtf8(payload))).toEqual(['d', 'e', 'f'])
  })

  test('with torn temporary files and foreign names is read; the former are removed', async () => {
    const disk = await written()
    for (const name of ['log/append.tmp', 'snapshot/9.tmp', 'snapshot.seq.tmp', 'log/notes.txt']) {
      if (disk.stat(`${path}/${name}`) !== null) disk.unlink(`${path}/${name}`)
      const file = disk.open(`${path}/${name}`, 'create')
      file.write(0, [utf8('{"form')])
      file.close()
    }
    const log = await (await open(disk)).readAll()
    expect(log.cursor.nextSequence).toBe(7)
    expect(disk.list(`${path}/log`).filter(name => !/^\d+$/.test(name))).toEqual(['notes.txt'])
    expect(disk.list(`${path}/snapshot`)).toEqual(['00000000000000000003'])
  })
})

describe('a files store', () => {
  test('is for one process', async () => {
    const disk = new SimDisk()
    const store = await open(disk)
    await expect(open(disk)).rejects.toMatchObject({
      reason: 'locked',
      message: expect.stringMatching(/Another process holds \/data\/metadata\/lock.*Stop it/),
    })
    await store.close()
    await expect(open(disk)).resolves.toBeInstanceOf(FilesStore)
  })

  test('refuses a network file system', async () => {
    class NetworkDisk extends SimDisk {
      override fileSystem(): FileSystem {
        return { type: 'nfs', id: 'n', isMemory: false, isNetwork: true }
      }
    }
    await expect(open(new NetworkDisk())).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(/file system of type nfs.*local disk/),
    })
  })

  test('refuses a place that it cannot make', async () => {
    const disk = new SimDisk()
    disk.failNext({ operation: 'mkdir', code: 'EIO' })
    await expect(open(disk)).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(
        /\/data\/metadata cannot be used: mkdir of \/data\/metadata\/log failed/,
      ),
    })
  })

  testFailingDisk(open)

  test.each(['create', 'write', 'sync', 'rename', 'syncDirectory'] as const)(
    'keeps the snapshot before when there is no room for the next (%s)',
    async operation => {
      const disk = await written()
      const store = await open(disk)
      const { cursor } = await store.readAll()
      disk.failNext({ operation, pathPattern: /snapshot/, code: 'ENOSPC' })
      expect(await store.writeSnapshot(cursor, 1, utf8('abcdef'))).toMatchObject({
        kind: 'unavailable',
      })
      expect((await store.readAll()).snapshot?.sequence).toBe(3)
      expect((await store.writeSnapshot(cursor, 1, utf8('abcdef'))).kind).toBe('written')
      expect((await store.readAll()).snapshot?.sequence).toBe(6)
    },
  )

  test('keeps 1,024 records and two snapshots', async () => {
    const disk = new SimDisk()
    const store = await open(disk)
    let { cursor } = await store.readAll()
    for (let count = 1; count <= 1_200; count++) {
      cursor = await append(store, cursor, 'x')
      if (count % 100 === 0) await store.writeSnapshot(cursor, 1, utf8('s'))
    }
    expect(disk.list(`${path}/log`).filter(name => /^\d+$/.test(name)).length).toBe(1_024)
    expect(disk.list(`${path}/snapshot`).map(Number)).toEqual([1_100, 1_200])
  })
})
