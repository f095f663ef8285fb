import type { PlannedTest } from './plan.ts'
import type { Outcome } from './test-runner.ts'

export interface Row extends Outcome {
  readonly test: PlannedTest
}

/** Whether the row is one that must pass and did not: nothing to run is what Kafka passes such a number with. */
export function isMissed({ test, result }: Row): boolean {
  return test.beyondBar === null && result === 'fail'
}

/** docs/librdkafka.md. */
export function report(rows: readonly Row[], about: { version: string; dataPath: string }): string {
  const wanted = rows.filter(({ test }) => test.beyondBar === null)
  const bar = countsOf(wanted.filter(({ test }) => test.apache === 'pass'))
  const more = countsOf(wanted.filter(({ test }) => test.apache === null))
  const missed = rows.filter(isMissed).map(({ test }) => test.id)
  const racy = rows.filter(({ test }) => test.attemptsMax > 1).map(({ test }) => test.id)
  return `# librdkafka's own tests

<!-- Written by \`npm run librdkafka\`: repeat that instead of a change here. -->

librdkafka ${about.version}'s test-runner (\`./test-runner -p1 -Q -E -L -V 4.0.0\`), each number alone, against one broker (${about.dataPath}
data path) with 4 partitions to a topic and \`group.initial.rebalance.delay.ms=0\`. Beside each result is what one
Apache Kafka 4.3.1 broker does in the same setting. \`npm run librdkafka\` repeats all of it, \`npm run librdkafka -- 0011
0033\` some; CI runs \`--quick\`.

**The bar** is what Kafka passes, without transactions and share groups, and 0081 by subtest without those about ACLs:
**${bar['pass']} passed, ${bar['fail']} failed**. Another ${bar['nothing ran']} numbers, which Kafka's list counts as passed, have nothing to run in this
setting: they need no broker, or have no quick form, or need bad sockets.

**More than the bar**: ${more['pass']} passed, ${more['fail']} failed. \`full\` is without \`-Q\`, for tests that have no quick form (0113 with a delay
of 500 ms, on which one of its parts relies); \`sockem\` is without \`-E\`, with the runner's own bad sockets;
\`noautocreate\` is with a broker that creates no topic by itself, in full length too.

Tests that have a race with themselves may be tried three times: ${racy.join(', ')}.

Failed of what must pass: ${missed.join(', ') || 'none'}.

| test | name | here | Kafka | s | remark |
|---|---|---|---|---|---|
${rows.map(line).join('\n')}
`
}

function countsOf(rows: readonly Row[]): Record<Outcome['result'], number> {
  const counts = { pass: 0, fail: 0, 'nothing ran': 0 }
  for (const { result } of rows) counts[result]++
  return counts
}

function line({ test, result, names, remark, seconds }: Row): string {
  const name = names.map(text => text.replace(/^\d+_/, '')).join(', ')
  // Why a test is beyond the bar says more than where it failed.
  const told = test.beyondBar ?? remark
  const shown = result === 'fail' && test.beyondBar === null ? '**fail**' : result
  const cells = [
    test.id,
    name,
    shown,
    test.apache ?? '',
    seconds.toFixed(1),
    told.replaceAll('|', '\\|').slice(0, 200),
  ]
  return `| ${cells.join(' | ')} |`
}
