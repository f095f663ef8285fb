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
  return `# librdkafka's own tests

<!-- Written by \`npm run qualify -- librdkafka\`: repeat that instead of a change here. -->

librdkafka ${about.version}'s test-runner (\`./test-runner -p1 -Q -E -L -V 4.0.0\`), each number alone, against one broker (${about.dataPath}
data path) with 4 partitions to a topic and \`group.initial.rebalance.delay.ms=0\`. Beside each result is what one
Apache Kafka 4.3.1 broker does in the same setting. \`npm run qualify -- librdkafka\` repeats all of it, \`npm run qualify -- librdkafka 0011
0033\` some; CI runs \`--quick\`.

**The bar** is what Kafka passes, without transactions and share groups, and 0081 by subtest without those about ACLs:
**${bar['pass']} passed, ${bar['fail']} failed**. Another ${bar['nothing ran']} numbers, which Kafka's list counts as passed, have nothing to run in this
setting: they need no broker, or have no quick form, or need bad sockets.

**More than the bar**: ${more['pass']} passed, ${more['fail']} failed. \`full\` is without \`-Q\`, for tests that have no quick form;
\`sockem\` is without \`-E\`, with the runner's own bad sockets; \`noautocreate\` is with a broker that creates no topic by
itself, in full length too.

Every test has one attempt. Three have the delay before a group's first rebalance that Kafka has unless told otherwise,
\`group.initial.rebalance.delay.ms=3000\`, since they take for granted that two members which come one right after the other
are in one generation. In 0089 (\`tests/0089-max_poll_interval.c:226-233\`) two share a topic of one partition: where one has
it before the other joins, the other may get it by the next rebalance, and a record too early (275). 0113 expects that
both get their partitions at once. 0118 (\`tests/0118-commit_rebalance.c\`) subscribes c1 and c2 (111-112), each of which
joins from a thread of its own: where c2 is in a generation before c1 joins, it loses its partitions to c1;
\`rebalance_cb\` takes every such call for the close of c2 (52-65) and wants the commit after it to fail (79), but c2 is in
the new generation by then and no broker has a reason to refuse. Without a delay Apache Kafka 4.3.1 failed 0118 in 7 of
40 runs on the machine of this list, we in 8 of 40; with the delay we failed in none of 15.

0081's DescribeConsumerGroups, once thought to have such a race too, deletes groups 6 s (\`tests/0081-admin.c:3346\`) after
their static members closed, whose sessions last 6 s (\`tests/test.c:75\`, put over the 5 s of \`0081-admin.c:3163\` in
\`test.c:2880\`). Kafka failed it in none of 20 runs, we in 5 of 28: the request was read before a wake-up that was due before
it. Now a session that is over does not keep a group from being deleted, and we failed in none of 20.

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
  const told =
    test.beyondBar ?? [remark, test.scenario === 'delayed' ? 'with the delay' : ''].join(' ').trim()
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
