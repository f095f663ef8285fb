import type { Row } from './cell.ts'
import { clients } from './clients.ts'
import type { Scenario } from './scenarios.ts'

/** docs/clients.md, from a run of everything. */
export function table(rows: readonly Row[], scenarios: readonly Scenario[]): string {
  const cells = rows.flatMap(row => row.cells)
  const count = (result: string): number => cells.filter(cell => cell.result === result).length
  return `# Clients

<!-- Written by \`npm run qualify -- scenarios\`: repeat that instead of a change here. -->

Other people's programs, unchanged, against one broker process. \`npm run qualify -- scenarios\` repeats all of it and
writes this page, \`npm run qualify -- scenarios kcat codec-zstd\` repeats some and only prints. The quick ones, marked *q*, are part of
\`npm test\`. What a scenario promises is checked with the client itself and with a witness of ours: end offsets over the wire,
and the headers of the batches on disk (clients that believe a broker cannot take a codec send uncompressed without a word).

**${count('pass')} pass, ${count('FAIL')} fail, ${count('n/a')} not applicable**: the library has no such verb, by the reason below.

${grid(rows, scenarios)}
## What each proves

${scenarios.map(scenarioLine).join('')}
## Versions

${rows.map(versionLine).join('')}
## Remarks

${remarks(rows)}`
}

/** docs/clients-of-three.md, from one run of everything or from several. */
export function tableOfThree(rows: readonly Row[], scenarios: readonly Scenario[]): string {
  const cells = rows.flatMap(row => row.cells)
  const count = (result: string): number => cells.filter(cell => cell.result === result).length
  return `# Clients on three brokers, of which one is killed

<!-- Written by \`npm run qualify -- scenarios --brokers 3\`: repeat that instead of a change here. -->

The [scenarios of one broker](clients.md), on three with a replica of every partition on each. In the middle of each scenario, when
it has its first acknowledged records, the broker that leads its partition 0 is killed by SIGKILL; for *commit-resume*,
*group-of-three* and *static-restart* it is the one that coordinates the group. The scenario goes on at once, and 4 s
later the broker is started again. The next scenario begins when all replicas are in sync again. What each has to prove is the
same, and none passes where nobody was killed. *acks-1* and *acks-all* produce their second half to the new leader;
*broker-restart* besides stops the leader in order. \`npm run qualify -- scenarios --brokers 3 CLIENT SCENARIO ...\` repeats some,
and what came of each cell last is in [qualification/clients-of-three.json](qualification/clients-of-three.json).
\`--kafka\` runs the same on three nodes of Apache Kafka 4.3.1.

**${count('pass')} pass, ${count('FAIL')} fail, ${count('n/a')} not applicable**: the library has no such verb, by the reason below.

${grid(rows, scenarios)}
## What the application does

As for [one broker](clients.md#remarks), and where one of three dies:

${livesThroughDeath}
## Remarks

${remarks(rows)}`
}

const livesThroughDeath = clients
  .filter(client => client.livesThroughDeath !== null)
  .map(client => `- ${client.name}: ${client.livesThroughDeath}.\n`)
  .join('')

function grid(rows: readonly Row[], scenarios: readonly Scenario[]): string {
  const head = `| scenario | ${rows.map(nameOf).join(' | ')} |\n`
  const rule = `|---|${rows.map(() => '---|').join('')}\n`
  const lines = scenarios.map(({ name, quick }) => {
    const results = rows.map(row => resultOf(row, name))
    return `| ${name}${quick ? ' *q*' : ''} | ${results.join(' | ')} |\n`
  })
  return head + rule + lines.join('')
}

function nameOf({ client, dataPath }: Row): string {
  return dataPath === 'native' ? client : `${client}, fallback`
}

function resultOf({ cells, missing }: Row, scenario: string): string {
  if (missing !== null) return 'not run'
  const cell = cells.find(one => one.scenario === scenario)
  if (cell === undefined) return 'not run'
  const told = cell.result === 'FAIL' ? '**FAIL**' : cell.result
  return cell.result === 'pass' && cell.remark !== '' ? `${told}*` : told
}

function scenarioLine({ name, proves }: Scenario): string {
  return `- **${name}**: ${proves}.\n`
}

function versionLine(row: Row): string {
  return `- ${nameOf(row)}: ${row.missing === null ? row.version : `not run: ${row.missing}`}\n`
}

/** Cells of a client with the same words stand together. */
function remarks(rows: readonly Row[]): string {
  const lines = rows.flatMap(row => {
    const told = row.cells.filter(({ remark }) => remark !== '')
    const words = [...new Set(told.map(({ result, remark }) => `${result}, ${oneLine(remark)}`))]
    return words.map(word => {
      const of = told.filter(({ result, remark }) => `${result}, ${oneLine(remark)}` === word)
      return `- ${nameOf(row)}, ${of.map(({ scenario }) => scenario).join(' ')}: ${word}\n`
    })
  })
  return lines.join('')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim().slice(0, 300)
}
