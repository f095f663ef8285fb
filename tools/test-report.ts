/** The parts of vitest's JSON report that are counted. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      /** What the test is described under, outermost first. */
      readonly ancestorTitles: readonly string[]
    }[]
  }[]
}

export interface Count {
  readonly passed: number
  /** Failed tests, and test files that failed without one: those that did not load. */
  readonly failed: number
  readonly skipped: readonly Skipped[]
}

/** A test that did not run. */
export interface Skipped {
  readonly fullName: string
  /** What it is described under; itself where that is nothing. */
  readonly suite: string
}

export function countOf(report: Report): Count {
  let passed = 0
  let failed = 0
  const skipped: Skipped[] = []
  for (const file of report.testResults) {
    const before = failed
    for (const { status, fullName, ancestorTitles } of file.assertionResults) {
      if (status === 'passed') passed++
      else if (status === 'failed') failed++
      else skipped.push({ fullName, suite: ancestorTitles[0] ?? fullName })
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

/** What was skipped, a line each; of a suite of which more than two were, only the suite and how many. */
export function skippedLines(skipped: readonly Skipped[]): string[] {
  const bySuite = Map.groupBy(skipped, ({ suite }) => suite)
  return [...bySuite].flatMap(([suite, tests]) =>
    tests.length > 2 ? [`${suite} (${tests.length} tests)`] : tests.map(each => each.fullName),
  )
}
