import { expect, test } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import type { MetadataStore } from '../../src/broker/metadata/store.ts'
import { utf8 } from '../../src/lib/bytes.ts'

/** What every store of files does on a disk that is full, or fails. `open` opens one there. */
export function testFailingDisk(open: (disk: SimDisk) => Promise<MetadataStore>): void {
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
