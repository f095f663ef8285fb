import { whyExpected } from './explained.ts'
import type { PlannedTest } from './plan.ts'
import { isMissed } from './report.ts'
import { type OutcomeOfThree, withDefaultReplicas } from './three.ts'

export interface RowOfThree extends Omit<OutcomeOfThree, 'output'> {
  readonly test: PlannedTest
}

/** docs/librdkafka-of-three.md. */
export function reportOfThree(rows: readonly RowOfThree[], version: string): string {
  const struck = rows.filter(row => killedWithin(row) !== null)
  const passed = (of: readonly RowOfThree[]): number =>
    of.filter(({ result }) => result === 'pass').length
  const failed = rows.filter(row => isMissed({ ...row, output: '' }))
  const expected = failed.filter(({ test, remark }) => whyExpected(test.id, remark) !== null)
  return `# librdkafka's own tests on three brokers, of which one is killed

<!-- Written by \`npm run qualify -- librdkafka --brokers 3\`: repeat that instead of a change here. -->

The [list of one broker](librdkafka.md) as far as it must pass there, librdkafka ${version}, on three brokers with a replica of
each partition on every one unless the test says otherwise. As soon as a topic of the test has its first record on all replicas,
the broker that leads this partition is killed by SIGKILL, and started again 4 s later; *killed after* is when, in seconds
from the runner's start, and empty where the test was over before or writes no record. The tests are written for brokers
that stay: the library tells by its error callback, or by an event, that a connection broke, and most tests take any word there for a failure, so
these three words (\`_TRANSPORT\`, \`_RESOLVE\`, \`_ALL_BROKERS_DOWN\`) are kept from them by a library that is preloaded
(\`test/librdkafka/without-passing-errors.c\`), and nothing else is. ${[...withDefaultReplicas].join(', ')} ask for topics of one replica, and have no time to wait until the only broker
that has them is there again: they get the default, three, by another one (\`with-default-replicas.c\`). A row is of the last run of its test.
\`npm run qualify -- librdkafka --brokers 3 0011 0033\` repeats some, and what came of each last is in
[qualification/librdkafka-of-three.json](qualification/librdkafka-of-three.json). \`--kafka\` runs the same on three nodes of Apache Kafka 4.3.1.

**${passed(rows)} passed, ${failed.length} failed (${expected.length} of them by what the test or the library takes for granted), ${rows.length - passed(rows) - failed.length} had
nothing to run; in ${struck.length} a broker was killed, and of these ${passed(struck)} passed.**

| test | name | of three | killed after | s | remark |
|---|---|---|---|---|---|
${rows.map(line).join('\n')}
`
}

/** When it was killed, unless the test was over by then. */
function killedWithin({ killedAfterSeconds, seconds }: RowOfThree): number | null {
  return killedAfterSeconds !== null && killedAfterSeconds <= seconds ? killedAfterSeconds : null
}

function line(row: RowOfThree): string {
  const { test, result, names, remark, seconds } = row
  const cells = [
    test.id,
    names.map(text => text.replace(/^\d+_/, '')).join(', '),
    result === 'fail' ? '**fail**' : result,
    killedWithin(row)?.toFixed(1) ?? '',
    seconds.toFixed(1),
    whyExpected(test.id, remark) ?? remark.replaceAll('|', '\\|').slice(0, 200),
  ]
  return `| ${cells.join(' | ')} |`
}
