import { afterEach, expect, test, vi } from 'vitest'
import { returnMemoryWhenIdle } from './idle-memory.ts'
import { residentBytes } from './resident-memory.ts'

afterEach(() => void vi.restoreAllMocks())

test('a process that cannot ask for its memory goes on, and asks again', () => {
  let tick = (): void => {}
  returnMemoryWhenIdle({ every: (_, act) => ((tick = act), { cancel: () => {} }) })
  const memoryUsage = vi.spyOn(process, 'memoryUsage').mockImplementation(() => {
    throw new Error('EMFILE: too many open files, uv_resident_set_memory')
  })
  expect(residentBytes()).toBeNull()
  expect(tick).not.toThrow()
  memoryUsage.mockRestore()
  expect(residentBytes()).toBeGreaterThan(0)
  expect(tick).not.toThrow()
})
