import { judge } from './goals.ts'
import { type Result, type Results, type Row, rowsOf } from './results.ts'
import type { Scenario } from './scenario.ts'

/** The page about all that was measured, in Markdown. */
export function pageOf(scenarios: readonly Scenario[], results: Results): string {
  const measured = scenarios.flatMap(scenario => {
    const result = results[scenario.name]
    return result === undefined ? [] : [sectionOf(scenario, result)]
  })
  return `# Beside Apache Kafka

<!-- Written by \`npm run bench -- versus-kafka\`: repeat that instead of a change here. -->

One broker of each on one machine, or three. Apache Kafka as its start script runs it (KRaft, heap of 1 GiB, G1), LogCluster as \`npm start\` does;
both forget a deleted topic after a second. Where nothing else is said, both run all the time and take turns, and the client is librdkafka in C
([load.c](../../bench/load.c)). Medians of the rounds; the ratio is that of each round, below 1 where LogCluster needs less. The client runs on
the same processors, and for the seconds of a whole run it is the client that counts most: what a broker costs is its processor time.

\`\`\`
npm run bench -- versus-kafka [SCENARIO ...] [ROUNDS]
\`\`\`

repeats all of it or what is named (Java, a C compiler, librdkafka by \`node tools/librdkafka.ts\`; root for the throttled disk), three rounds
unless told, and leaves what was not repeated as it is. Every round is in [versus-kafka.json](versus-kafka.json).

${goalsOf(scenarios, results)}
How far LogCluster is from a loop in C that does the same, \`npm run bench -- limits\` says; what a cold range costs in wake-ups,
\`npm run bench -- wake-ups\`.

${measured.join('\n')}
What this does not show: TLS, more than some minutes of load, another disk than this one.
`
}

function goalsOf(scenarios: readonly Scenario[], results: Results): string {
  const lines = scenarios.flatMap(({ name, title, goals }) =>
    goals.map(goal => {
      const { value, isMet } = judge(goal, name, results)
      const [seen, verdict] =
        value === null ? ['', 'not measured'] : [` ${figure(value)}`, isMet ? 'met' : '**missed**']
      const what = `${goal.measure}${addition[goal.of]}`
      const where = value === null ? title : `[${title}](#${anchorOf(title)})`
      return `| ${where} | ${what} | ${goal.most} |${seen} | ${verdict} |`
    }),
  )
  return `| goals | of | at most | measured | |
|---|---|---|---|---|
${lines.join('\n')}
`
}

const addition = { ours: '', worst: ': worst round', ratio: ': ratio' } as const

/** As GitHub makes them of headings. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')
}

export function sectionOf({ name, title, text }: Scenario, result: Result): string {
  const { machine, rounds } = result
  const load = machine.loadBefore
  const others = load === null ? '' : `; load in the minute before: ${load.toFixed(2)}`
  return `## ${title}

${text}

| measure | LogCluster | Apache Kafka | ratio | spread |
|---|---|---|---|---|
${rowsOf(rounds).map(lineOf).join('\n')}

\`${name}\`, ${result.date.slice(0, 10)}, ${roundsOf(rounds.length)}, Apache Kafka ${result.kafka}; ${machine.cores} processors (${machine.cpu}), ${Math.round(machine.memoryBytes / 2 ** 30)} GiB${others}.
`
}

function roundsOf(count: number): string {
  return count === 1 ? 'one round' : `${count} rounds`
}

function lineOf({ name, ours, kafka, ratio }: Row): string {
  const theirs = kafka === null ? '' : ` ${figure(kafka)}`
  if (ratio === null) return `| ${name} | ${figure(ours)} |${theirs} | | |`
  const spread = `${figure(ratio.least)} to ${figure(ratio.most)}`
  return `| ${name} | ${figure(ours)} |${theirs} | ${figure(ratio.median)} | ${spread} |`
}

/** Two decimals, and more where nothing would be left: three digits that say something, thousands whole. */
export function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  if (value >= 0.1 || value === 0) return value.toFixed(2)
  return String(Number(value.toPrecision(2)))
}
