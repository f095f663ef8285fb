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
  const counted = (result: Outcome['result']): number =>
    rows.filter(row => row.result === result && row.test.beyondBar === null).length
  const missed = rows.filter(isMissed).map(row => row.test.id)
  return `# librdkafka's own tests

<!-- Written by \`npm run librdkafka\`: repeat that instead of a change here. -->

librdkafka ${about.version}'s test-runner (\`./test-runner -p1 -Q -E -L -V 4.0.0\`), each number alone, against one
broker (${about.dataPath} data path) with 4 partitions to a topic and \`group.initial.rebalance.delay.ms=0\`. Beside each
result is what one Apache Kafka 4.3.1 broker does in the same setting. \`npm run librdkafka\` repeats all of it,
\`npm run librdkafka -- 0011 0033\` some.

The bar is what Kafka passes, without transactions and share groups, and 0081 by subtest without those about ACLs.
Of that **${counted('pass')} passed, ${counted('fail')} failed**${missed.length > 0 ? ` (${missed.join(', ')})` : ''};
${counted('nothing ran')} numbers have nothing to run in this setting (tests without a broker, or with one that is slowed down), which
Kafka's list counts as passed. More than the bar: \`noautocreate\` is with a broker that creates no topic by itself,
\`full\` is without \`-Q\`, for tests that have no quick form (0113 with a delay of 500 ms).

| test | name | here | Kafka | s | remark |
|---|---|---|---|---|---|
${rows.map(line).join('\n')}
`
}

function line({ test, result, names, remark, seconds }: Row): string {
  const name = names.map(text => text.replace(/^\d+_/, '')).join(', ')
  const remarks = [test.beyondBar, remark].filter(text => text !== null && text !== '').join(': ')
  const shown = result === 'fail' && test.beyondBar === null ? '**fail**' : result
  const cells = [
    test.id,
    name,
    shown,
    test.apache ?? '',
    seconds.toFixed(1),
    remarks.replaceAll('|', '\\|').slice(0, 200),
  ]
  return `| ${cells.join(' | ')} |`
}
