import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../lib/bytes.ts'
import { NodeFile } from './disk-file.ts'
import { NodeDisk } from './disk.ts'
import { fileSystemOf } from './file-system.ts'
import { Unsynced } from './unsynced.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/logcluster-env-`)
})
afterEach(() => rmSync(root, { recursive: true }))

describe('without syncfs(2)', () => {
  /** What a sync of the whole file system would fsync by path. */
  async function syncedPaths(unsynced: Unsynced): Promise<string[]> {
    const paths: string[] = []
    await unsynced.sync(statSync(root).dev, async path => void paths.push(path.slice(root.length)))
    return paths.toSorted()
  }

  test('closed files and changed directories are remembered, wherever they went', async () => {
    const unsynced = new Unsynced()
    const disk = new NodeDisk(unsynced)
    disk.mkdir(`${root}/d`)
    await disk.syncFileSystem(root)
    const closed = disk.open(`${root}/d/closed`, 'create')
    const moved = disk.open(`${root}/d/moved`, 'create')
    const gone = disk.open(`${root}/d/gone`, 'create')
    for (const file of [closed, moved, gone]) file.write(0, [utf8('x')])
    disk.rename(`${root}/d/moved`, `${root}/d/there`)
    disk.unlink(`${root}/d/gone`)
    for (const file of [closed, moved, gone]) file.close()
    disk.rename(`${root}/d`, `${root}/e`)
    expect(await syncedPaths(unsynced)).toEqual(['', '/e', '/e/closed', '/e/there'])
    expect(await syncedPaths(unsynced)).toEqual([])
  })

  test('open files are synced by themselves, once', async () => {
    const unsynced = new Unsynced()
    const disk = new NodeDisk(unsynced)
    const file = disk.open(`${root}/a`, 'create')
    expect(unsynced.files.size).toBe(0)
    file.write(0, [utf8('x')])
    expect([...unsynced.files]).toEqual([file])
    await disk.syncFileSystem(root)
    expect(unsynced.files.size).toBe(0)
    file.truncate(0)
    await file.sync()
    file.close()
    expect(await syncedPaths(unsynced)).toEqual([])
  })

  test('what a thread wrote while the file was synced, or closed, is to be synced', async () => {
    const unsynced = new Unsynced()
    const disk = new NodeDisk(unsynced)
    await disk.syncFileSystem(root)
    const file = disk.open(`${root}/a`, 'create')
    const first = file.writeAsync(0, [utf8('x')])
    await file.sync()
    await first
    expect([...unsynced.files]).toEqual([file])
    await file.sync()
    const second = file.writeAsync(1, [utf8('y')])
    file.close()
    await second
    expect(await syncedPaths(unsynced)).toEqual(['', '/a'])
  })

  test('a file that is closed while others are synced is synced by its path', async () => {
    const unsynced = new Unsynced()
    const disk = new NodeDisk(unsynced)
    const files = ['a', 'b'].map(name => disk.open(`${root}/${name}`, 'create'))
    for (const file of files) file.write(0, [utf8('x')])
    const paths: string[] = []
    const syncing = unsynced.sync(statSync(root).dev, async path => void paths.push(path))
    files[1]!.close()
    await syncing
    expect(paths).toContain(`${root}/b`)
    files[0]!.close()
  })

  test('what could not be synced stays to be synced', async () => {
    const unsynced = new Unsynced()
    new NodeDisk(unsynced).open(`${root}/a`, 'create').close()
    const failing = unsynced.sync(statSync(root).dev, () => Promise.reject(new Error('planted')))
    await expect(failing).rejects.toThrow('planted')
    expect(await syncedPaths(unsynced)).toEqual([''])
  })
})

test.skipIf(!existsSync('/dev/full'))('a full disk is told with what went in before', async () => {
  const disk = new NodeDisk()
  const file = disk.open('/dev/full', 'write')
  expect(file).toBeInstanceOf(NodeFile)
  expect(() => file.write(0, [utf8('x')])).toThrow(
    expect.objectContaining({ name: 'DiskError', code: 'ENOSPC', operation: 'write', written: 0 }),
  )
  const told = { name: 'DiskError', code: 'ENOSPC', operation: 'writeAsync', written: 0 }
  await expect(file.writeAsync(0, [utf8('x')])).rejects.toMatchObject(told)
  file.close()
})

test('what the platform cannot tell is unknown, not guessed', () => {
  const file = new NodeDisk().open(`${root}/a`, 'create')
  file.write(0, [utf8('x')])
  expect(file.residency(0, 1)).toBeNull()
  expect(file.isResident(0, 1)).toBeNull()
  file.close()
})

test('file systems are known by their magic numbers', () => {
  expect(fileSystemOf(0xef53, 'x')).toEqual({
    type: 'ext4',
    id: 'x',
    isMemory: false,
    isNetwork: false,
  })
  expect(fileSystemOf(0x01021994, 'x')).toMatchObject({ type: 'tmpfs', isMemory: true })
  expect(fileSystemOf(0x6969, 'x')).toMatchObject({ type: 'nfs', isNetwork: true })
  expect(fileSystemOf(0xff534d42 | 0, 'x')).toMatchObject({ type: 'cifs', isNetwork: true })
  expect(fileSystemOf(0xabcdef, 'x')).toMatchObject({ type: '0xabcdef', isNetwork: false })
})
