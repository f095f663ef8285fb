import { expect, test } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import type { MetadataStore } from '../../src/broker/metadata/store.ts'
import type { MakeRoom } from '../../src/env/with-room.ts'
import { utf8 } from '../../src/lib/bytes.ts'

/** What every store of files does on a disk that is full, or fails. `open` opens one there. */
export function testFailingDisk(
  open: (disk: SimDisk, more?: { readonly makeRoom: MakeRoom }) => Promise<MetadataStore>,
): void {
  test.each(['create', 'write', 'link'] as const)(
    'on a full disk (%s) has room made for it, once',
    async operation => {
      const disk = new SimDisk()
      const codes: string[] = []
      const makeRoom: MakeRoom = ({ code }) => codes.push(code) === 1
      const store = await open(disk, { makeRoom })
      const { cursor } = await store.readAll()
      const fault = { operation, pathPattern: /log/, code: 'ENOSPC', written: 3 } as const
      disk.failNext(fault)
      const first = await store.append(cursor, 1, utf8('a'))
      if (first.kind !== 'committed') throw new Error(first.kind)
      disk.failNext(fault)
      const refused = await store.append(first.cursor, 1, utf8('b'))
      expect(refused).toMatchObject({
        kind: 'unavailable',
        reason: expect.stringContaining('ENOSPC'),
      })
      expect(codes).toEqual(['ENOSPC', 'ENOSPC'])
      expect((await store.readAll()).tail).toHaveLength(1)
    },
  )

  test.each(['create', 'write', 'sync', 'link'] as const)(
    'on a full disk (%s) is unavailable, and goes on when there is room',
    async operation => {
      const disk = new SimDisk()
      const store = await open(disk)
      const { cursor } = await store.readAll()
      disk.failNext({ operation, pathPattern: /log/, code: 'ENOSPC', written: 3 })
      const refused = await store.append(cursor, 1, utf8('a'))
      expect(refused.kind).toBe('unavailable')
      expect(refused).not.toHaveProperty('isUnknown')
      expect((await store.readAll()).tail).toEqual([])
      expect(await store.append(cursor, 1, utf8('a'))).toMatchObject({ kind: 'committed' })
    },
  )

  test.each(['create', 'write', 'sync', 'link', 'syncDirectory'] as const)(
    'with a failed %s has failed for good',
    async operation => {
      const disk = new SimDisk()
      const store = await open(disk)
      const { cursor } = await store.readAll()
      disk.failNext({ operation, pathPattern: /log/, code: 'EIO' })
      const failed = { name: 'StoreError', reason: 'failed' }
      await expect(store.append(cursor, 1, utf8('a'))).rejects.toMatchObject(failed)
      await expect(store.append(cursor, 1, utf8('a'))).rejects.toMatchObject(failed)
      await expect(store.readAll()).rejects.toMatchObject(failed)
    },
  )
}
