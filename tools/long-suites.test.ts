import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { everything, leavesOutLong, longSuites } from './long-suites.ts'

test('every suite that can be left out is there', () => {
  const root = join(import.meta.dirname, '..')
  expect(longSuites.filter(({ file }) => !existsSync(join(root, file)))).toEqual([])
})

test.each([
  [[], true],
  [['-t', 'recovery'], true],
  [['--project', 'unit', '-t', 'recovery'], true],
  [['test/faults'], false],
  [['-t', 'recovery', 'test/crash'], false],
  [['test/crash', '-t', 'recovery'], false],
  [[everything], false],
  [[everything, '-t', 'recovery'], false],
])('%j leaves them out: %s', (args, isLeftOut) => {
  expect(leavesOutLong(args)).toBe(isLeftOut)
})
