/** The parts of vitest's JSON report that are counted. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

export interface Count {
  readonly passed: number
  /** Failed tests, and test files that failed without one: those that did not load. */
  readonly failed: number
  /** Full names of the tests that did not run. */
  readonly skipped: readonly string[]
}

export function countOf(report: Report): Count {
  let passed = 0
  let failed = 0
  const skipped: string[] = []
  for (const file of report.testResults) {
    const before = failed
    for (const { status, fullName } of file.assertionResults) {
      if (status === 'passed') passed++
      else if (status === 'failed') failed++
      else skipped.push(fullName)
    }
    if (file.status === 'failed' && failed === before) failed++
  }
  return { passed, failed, skipped }
}

/** The line that closes a run; `skipped` only where there is something to say. */
export function summary(total: { passed: number; failed: number; skipped: number }): string {
  const line = `${total.passed} passed, ${total.failed} failed`
  return total.skipped === 0 ? line : `${line}, ${total.skipped} skipped`
}
