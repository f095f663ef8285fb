import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { eventually, measuredAgain } from '../../../test/helpers/eventually.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'
import type { Binding } from './binding.ts'
import { Jobs } from './jobs.ts'
import { NativeDisk } from './native-disk.ts'

const { native } = nativeForTests()
const built = join(import.meta.dirname, '../../../native/build/logcluster.node')
const addon = process.env['LOGCLUSTER_NATIVE_FILE'] ?? built
const binding = createRequire(import.meta.url)(addon) as Binding
const folder = mkdtempSync(join(tmpdir(), 'page-cache-'))
afterAll(() => rmSync(folder, { recursive: true }))

const enosys = -38

/** A disk where the kernel denies what a container's seccomp profile denies. */
function denied(calls: readonly ('cachestatProbe' | 'mincoreProbe')[]): NativeDisk {
  const answers = Object.fromEntries(calls.map(call => [call, () => enosys]))
  return new NativeDisk(Object.assign(Object.create(binding) as Binding, answers), new Jobs())
}

const bytes = 3 << 20

/** A file of `bytes` that is on the device, opened by `disk`. */
async function written(disk: NativeDisk, name: string) {
  const path = join(folder, name)
  const file = disk.open(path, 'create')
  file.write(0, [new Uint8Array(bytes).fill(1)])
  const known = native.disk.open(path, 'read')
  await known.sync()
  return { file, known }
}

test('cachestat is asked where the kernel has it', () => {
  expect(native.disk.pageCacheSource).toBe(binding.cachestatProbe() === 0 ? 'cachestat' : 'mincore')
})

test('without both calls nothing is told', async () => {
  const disk = denied(['cachestatProbe', 'mincoreProbe'])
  const { file, known } = await written(disk, 'window')
  expect([disk.pageCacheSource, file.pageCacheSource]).toEqual(['window', 'window'])
  expect([file.isResident(0, bytes), file.residency(0, bytes)]).toEqual([null, null])
  expect(file.readNow(0, new Uint8Array(10))).toBeNull()
  file.close()
  known.close()
})

describe('without cachestat', () => {
  const disk = denied(['cachestatProbe'])

  test('mincore tells what is there and what is not, but nothing of dirt', async () => {
    const { file, known } = await written(disk, 'mincore')
    expect(disk.pageCacheSource).toBe('mincore')
    const asked = () => {
      file.write(0, [new Uint8Array(bytes).fill(1)])
      return [file.isResident(0, bytes), file.isResident(bytes - 1, 1), file.isResident(4095, 2)]
    }
    // Again where a kernel drops pages by itself, as DAMON does.
    await measuredAgain('what was written', asked, each => each.every(Boolean))
    expect(file.residency(0, bytes)).toBeNull()
    expect(file.isResident(0, 0)).toBe(true)
    await known.sync()
    const left = () => {
      file.dropCache(0, bytes)
      return Promise.resolve(file.isResident(0, bytes))
    }
    await eventually('what was dropped', left, isThere => isThere === false)
    expect(file.isResident(bytes - 4096, 4096)).toBe(false)
    file.close()
    known.close()
  })
})
