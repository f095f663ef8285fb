import { expect, test } from 'vitest'
import { countOf, type Report, skippedLines, summary } from './test-report.ts'

function file(status: string, ...tests: string[]): Report['testResults'][number] {
  return {
    name: 'a.test.ts',
    status,
    assertionResults: tests.map((result, at) => {
      return { status: result, fullName: `a ${at}`, ancestorTitles: at > 3 ? [] : ['a'] }
    }),
  }
}

test('passed, failed and skipped tests are counted, whatever skipping is called', () => {
  const report = { testResults: [file('failed', 'passed', 'failed', 'pending', 'skipped', 'todo')] }
  expect(countOf(report)).toEqual({
    passed: 1,
    failed: 1,
    skipped: [
      { fullName: 'a 2', suite: 'a' },
      { fullName: 'a 3', suite: 'a' },
      { fullName: 'a 4', suite: 'a 4' },
    ],
  })
})

test('a file that did not load counts as one failure', () => {
  const report = { testResults: [file('failed'), file('passed', 'passed')] }
  expect(countOf(report)).toEqual({ passed: 1, failed: 1, skipped: [] })
})

test('the closing line names skipped tests only where there are some', () => {
  expect(summary({ passed: 2, failed: 0, skipped: 0 })).toBe('2 passed, 0 failed')
  expect(summary({ passed: 2, failed: 1, skipped: 3 })).toBe('2 passed, 1 failed, 3 skipped')
})

test('a suite that was skipped whole is one line, a test or two are named', () => {
  const skipped = ['b 1', 'a 1', 'b 2', 'b 3', 'a 2', 'c'].map(fullName => {
    return { fullName, suite: fullName.slice(0, 1) }
  })
  expect(skippedLines(skipped)).toEqual(['b (3 tests)', 'a 1', 'a 2', 'c'])
})
