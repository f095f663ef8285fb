import { clientKits } from '../../tools/clients.ts'
import { librdkafkaVersion } from '../../tools/librdkafka.ts'
import { specs, type Result } from './suite.ts'

/** docs/node-rdkafka.md. */
export function report(
  results: readonly Result[],
  about: { readonly asItIs: readonly Result[]; readonly dataPath: string },
): string {
  const failed = results.filter(({ isPassed }) => !isPassed)
  const version = clientKits['node-rdkafka'].version.split('-')[0]
  return `# node-rdkafka's own e2e suite

<!-- Written by \`npm run qualify -- node-rdkafka\`: repeat that instead of a change here. -->

The specs that node-rdkafka ${version}'s npm package brings (\`e2e/*.spec.js\`, run by mocha), compiled against librdkafka
${librdkafkaVersion}, each spec alone against a broker of its own (${about.dataPath} data path) with what the suite's own
\`docker-compose.yml\` and \`run_docker.sh\` set: \`group.initial.rebalance.delay.ms=0\` and topics \`test\` to \`test6\` with one
partition. Without \`producer-transaction.spec\`: there are no transactions yet. \`npm run qualify -- node-rdkafka\` repeats all of it,
\`npm run qualify -- node-rdkafka both\` one spec; CI runs \`--quick\`.

**${results.length - failed.length} passed, ${failed.length} failed.**

| spec | tests | passed | failed | s |
|---|---|---|---|---|
${specs.map(({ name }) => specLine(name, results)).join('\n')}

## What is not as in the package

The suite is unchanged, but \`test/node-rdkafka/quiet-disconnect.ts\` is loaded before the specs: a consumer that is to
disconnect pauses what it reads, and disconnects a tenth of a second later, when all that it had read was delivered.
Without it node-rdkafka 3.6.1 now and then hangs or crashes when a consumer that reads in a loop disconnects, whatever the
broker:

- It hangs where the loop's thread had handed over a record or the end of a partition that was not delivered yet.
  \`NodeDisconnect\` (\`src/kafka-consumer.cc:1390-1400\`) ends the thread and closes its \`uv_async_t\`; what is in \`m_asyncdata\`
  (\`src/workers.h:142-168\`) is neither delivered nor deleted, and \`rd_kafka_destroy\` waits for it for ever (gdb shows it
  joining a broker thread to which there still is a reference). \`both.spec\`'s consumers have \`fetch.wait.max.ms=1000\`, the
  thread asks for 1,000 ms at a time, so the end of the partition comes just when a test that has seen its record disconnects.
- It crashes where a listener of \`data\` disconnects, as \`groups.spec\`'s does, and more records were handed over with that
  one: \`NodeDisconnect\` deletes the callback that \`WorkMessage\` (\`src/workers.h:102-104\`) calls for the next (gdb shows
  \`HandleMessageCallback\` under \`m_async_message\`).

As it is in the package, \`both.spec\` hung in each of 2 runs on Apache Kafka 4.3.1, in each of 4 here, and with the bundled
librdkafka 2.12.0 too; \`groups.spec\` passed in 1 of 6 runs on Kafka (4 crashed), in 10 of 10 here, and in 1 of 22 here where
the client logged and two ran at once (20 crashed). With that file \`both.spec\` passed on both, and \`groups.spec\` in 6 of 6
runs on Kafka and 15 of 15 here.

\`test/node-rdkafka/races.ts\` is loaded too: \`should obey the timeout\` is tried up to four times. It asks for committed offsets
with a timeout of 0 ms and fails where it gets them: librdkafka's own thread can answer before the caller looks, on a busy
machine (seen once, in a gate beside others), whatever the broker.

\`both.spec\` as it is, in the run that wrote this: ${asItIsText(about.asItIs)}.

## All tests

| spec | test | result | s | remark |
|---|---|---|---|---|
${results.map(line).join('\n')}
`
}

function specLine(name: string, results: readonly Result[]): string {
  const own = results.filter(({ spec }) => spec === name)
  const passed = own.filter(({ isPassed }) => isPassed).length
  const seconds = own.reduce((sum, one) => sum + one.seconds, 0)
  const cells = [`${name}.spec`, own.length, passed, own.length - passed, seconds.toFixed(1)]
  return `| ${cells.join(' | ')} |`
}

function asItIsText(results: readonly Result[]): string {
  const passed = results.filter(({ isPassed }) => isPassed).length
  const [first] = results.filter(({ isPassed }) => !isPassed)
  if (first === undefined) return `${passed} passed, it did not hang`
  return `${passed} passed, then it failed in ${first.title} (${first.remark.slice(0, 40)})`
}

function line({ spec, title, isPassed, seconds, remark }: Result): string {
  const cells = [spec, title, isPassed ? 'pass' : '**fail**', seconds.toFixed(1), remark]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
