import { describe, expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { simRandom } from '../../sim/random.ts'
import { FilesStore } from '../../src/broker/metadata/files/files-store.ts'
import {
  SharedFilesStore,
  type SharedFilesStoreOptions,
} from '../../src/broker/metadata/files/shared/shared-files-store.ts'
import type { Cursor, MetadataStore } from '../../src/broker/metadata/store.ts'
import type { FileSystem } from '../../src/env/disk.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { testFailingDisk } from './failing-disk.ts'

const path = '/cluster/metadata'
const clock = new SimClock()

function open(
  disk: SimDisk,
  brokerId: number,
  more: Partial<SharedFilesStoreOptions> = {},
): Promise<SharedFilesStore> {
  const random = simRandom(new Prng(brokerId))
  return SharedFilesStore.open({ disk, clock, random, path, brokerId, ...more })
}

async function append(store: MetadataStore, cursor: Cursor, text: string): Promise<Cursor> {
  const outcome = await store.append(cursor, 1, utf8(text))
  if (outcome.kind !== 'committed') throw new Error(outcome.kind)
  return outcome.cursor
}

function put(disk: SimDisk, file: string): void {
  disk.open(file, 'create').close()
}

describe('a shared files store', () => {
  test('refuses a broker whose id is taken, and no other', async () => {
    const disk = new SimDisk()
    const one = await open(disk, 1)
    await expect(open(disk, 1)).rejects.toMatchObject({
      reason: 'locked',
      message: expect.stringMatching(
        /lock\.1: broker 1 of this cluster is running.*node\.id of its own/,
      ),
    })
    const two = await open(disk, 2)
    await one.close()
    await expect(open(disk, 1)).resolves.toBeInstanceOf(SharedFilesStore)
    await two.close()
  })

  test('refuses a network file system', async () => {
    class NetworkDisk extends SimDisk {
      override fileSystem(): FileSystem {
        return { type: 'nfs', id: 'n', isMemory: false, isNetwork: true }
      }
    }
    await expect(open(new NetworkDisk(), 0)).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(/file system of type nfs.*local disk/),
    })
  })

  test('and the store of one broker refuse each other’s folder, in words', async () => {
    const disk = new SimDisk()
    await (await open(disk, 0)).close()
    await expect(FilesStore.open({ disk, path })).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(/shared by the brokers of a cluster.*metadata\.dir/),
    })
    const own = '/data/metadata'
    await (await FilesStore.open({ disk, path: own })).close()
    await expect(open(disk, 0, { path: own })).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(/belongs to one broker alone.*metadata\.dir/),
    })
  })

  test('removes what its own crash left half-written, and nothing of others', async () => {
    const disk = new SimDisk()
    await (await open(disk, 1)).close()
    for (const id of [1, 11, 2]) {
      put(disk, `${path}/log/append.${id}.tmp`)
      put(disk, `${path}/snapshot/snapshot.${id}.tmp`)
      put(disk, `${path}/lease/lease.${id}.tmp`)
    }
    await open(disk, 1)
    expect(disk.list(`${path}/log`)).toEqual(['append.11.tmp', 'append.2.tmp'])
    expect(disk.list(`${path}/snapshot`)).toEqual(['snapshot.11.tmp', 'snapshot.2.tmp'])
    expect(disk.list(`${path}/lease`)).toEqual(['lease.11.tmp', 'lease.2.tmp'])
  })

  test('is unavailable while the folder is away, and goes on when it is back', async () => {
    const disk = new SimDisk()
    const store = await open(disk, 0)
    const cursor = await append(store, (await store.readAll()).cursor, 'a')
    disk.rename(path, '/away')
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'unavailable' })
    expect(await store.writeSnapshot(cursor, 1, utf8('a'))).toMatchObject({ kind: 'unavailable' })
    await expect(store.readAll()).rejects.toMatchObject({ name: 'StoreUnavailable' })
    disk.rename('/away', path)
    expect((await append(store, cursor, 'b')).nextSequence).toBe(3)
  })

  test('does not go on in a folder that went back in time', async () => {
    const disk = new SimDisk()
    const store = await open(disk, 0)
    const cursor = await append(store, (await store.readAll()).cursor, 'a')
    disk.unlink(`${path}/log/00000000000000000001`)
    await expect(store.append(cursor, 1, utf8('b'))).rejects.toMatchObject({
      reason: 'behind',
      message: expect.stringMatching(/does not have record 1 any more.*Put the folder back/),
    })
  })

  testFailingDisk((disk, more) => open(disk, 0, more))

  test('keeps 1,024 records and an hour of them, and two snapshots', async () => {
    const slow = new SimClock()
    const disk = new SimDisk({ now: () => slow.now() })
    const store = await open(disk, 0, { clock: slow })
    let { cursor } = await store.readAll()
    for (let count = 1; count <= 1_200; count++) {
      cursor = await append(store, cursor, 'x')
      if (count % 100 === 0) await store.writeSnapshot(cursor, 1, utf8('s'))
    }
    const kept = () => disk.list(`${path}/log`).filter(name => /^\d+$/.test(name)).length
    expect(kept()).toBe(1_200)
    await slow.run(3_600_000)
    for (let count = 1; count <= 100; count++) cursor = await append(store, cursor, 'x')
    await store.writeSnapshot(cursor, 1, utf8('s'))
    expect(kept()).toBe(1_024)
    expect(disk.list(`${path}/snapshot`).map(Number)).toEqual([1_200, 1_300])
  })

  test('keeps no more than 1,024 records because one was made while the wall clock was ahead', async () => {
    const slow = new SimClock()
    let aheadMs = 365 * 86_400_000
    const disk = new SimDisk({ now: () => slow.now() + aheadMs })
    const store = await open(disk, 0, { clock: slow })
    let { cursor } = await store.readAll()
    for (let count = 1; count <= 1_100; count++) {
      cursor = await append(store, cursor, 'x')
      aheadMs = 0
    }
    await slow.run(3_600_000)
    await store.writeSnapshot(cursor, 1, utf8('s'))
    expect(disk.list(`${path}/log`).filter(name => /^\d+$/.test(name))).toHaveLength(1_024)
  })

  test('tells hashes of what lies below the snapshot, so that a copy that is behind can be checked', async () => {
    const disk = new SimDisk()
    const store = await open(disk, 0)
    let { cursor } = await store.readAll()
    const hashes: string[] = []
    for (const text of ['a', 'b', 'c']) {
      cursor = await append(store, cursor, text)
      hashes.push(cursor.lastHash)
    }
    await store.writeSnapshot(cursor, 1, utf8('abc'))
    const { history } = await store.readAll()
    expect(history).toEqual(hashes.map((hash, at) => ({ sequence: at + 1, hash })))
  })
})
