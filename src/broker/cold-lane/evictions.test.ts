import { expect, test } from 'vitest'
import type { DiskFile } from '../../env/env.ts'
import type { Reader } from '../insight/readers.ts'
import { Evictions, hotMs } from './evictions.ts'

const mebibyte = 1024 * 1024

/** Readers of one file, in ranges of a MiB; what the device delivers is told by the test. */
function world() {
  const evictions = new Evictions()
  const file = {} as unknown as DiskFile
  const readers = new Map<string, { reader: Reader; delivered: number | null }>()
  /** `name` is given MiB `at` of the file; then the device delivers `missed` bytes of it. */
  const read = (
    name: string,
    at: number,
    options: { readonly nowMs: number; readonly missed?: number | null; readonly bytes?: number },
  ): void => {
    const { nowMs, missed, bytes = mebibyte } = options
    let known = readers.get(name)
    if (known === undefined)
      readers.set(name, (known = { reader: {} as unknown as Reader, delivered: 0 }))
    const { reader, delivered } = known
    const place = { file, position: at * mebibyte, length: bytes, offset: at, hotFrom: Infinity }
    const range = { ...place, cold: missed !== undefined }
    evictions.sent(reader, range, { nowMs, delivered: () => delivered })
    known.delivered = missed === null || delivered === null ? null : delivered + (missed ?? 0)
  }
  return { evictions, read }
}

test('counts what was in memory a moment ago and came from the device while somebody else scanned', () => {
  const { evictions, read } = world()
  read('hot', 0, { nowMs: 0 })
  read('hot', 1, { nowMs: 0 })
  read('scan', 50, { nowMs: 10, missed: mebibyte })
  read('hot', 0, { nowMs: 20, missed: 300_000 })
  expect(evictions.bytes).toBe(0)
  read('hot', 1, { nowMs: 30, missed: mebibyte })
  expect(evictions.bytes).toBe(300_000)
  // The device delivered ahead, but no more than the range counts.
  read('hot', 2, { nowMs: 40, missed: mebibyte })
  expect(evictions.bytes).toBe(300_000 + mebibyte)
  // Nobody had the third.
  read('hot', 3, { nowMs: 50 })
  expect(evictions.bytes).toBe(300_000 + mebibyte)
})

test('does not count what was hot long ago, nor what nobody else can have taken away', () => {
  const { evictions, read } = world()
  read('hot', 0, { nowMs: 0 })
  read('scan', 50, { nowMs: hotMs - 1, missed: mebibyte })
  read('hot', 0, { nowMs: hotMs, missed: mebibyte })
  read('hot', 9, { nowMs: hotMs })
  expect(evictions.bytes).toBe(0)
  const alone = world()
  alone.read('hot', 0, { nowMs: 0 })
  alone.read('hot', 0, { nowMs: 1, missed: mebibyte })
  alone.read('hot', 0, { nowMs: 2, missed: mebibyte })
  expect(alone.evictions.bytes).toBe(0)
})

test('what the cold lane sent from memory was hot', () => {
  const { evictions, read } = world()
  read('scan', 50, { nowMs: 0, missed: mebibyte })
  read('hot', 0, { nowMs: 1, missed: 0 })
  read('hot', 0, { nowMs: 2, missed: mebibyte, bytes: 1000 })
  read('hot', 1, { nowMs: 3 })
  expect(evictions.bytes).toBe(1000)
})

test('is not told where it cannot be measured', () => {
  const { evictions, read } = world()
  read('hot', 0, { nowMs: 0, missed: null })
  expect(evictions.bytes).toBe(0)
  read('hot', 1, { nowMs: 0 })
  expect(evictions.bytes).toBeNull()
})
