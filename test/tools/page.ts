import { KeptResults } from '../helpers/kept-results.ts'
import type { Job } from './job.ts'
import { jobs } from './jobs.ts'
import { lineDeviations } from './transcript-deviations.ts'
import { readTranscript } from './transcripts.ts'

export interface Outcome {
  readonly job: Job
  /** Null where it passed. */
  readonly failure: string | null
}

/** What came of each job last. */
export const keptOutcomes = new KeptResults<{
  readonly name: string
  readonly failure: string | null
}>('tools', ({ name }) => name)

/** docs/tools.md, from what was kept. */
export function pageOfKept(): string {
  const failures = new Map(keptOutcomes.all().map(({ name, failure }) => [name, failure]))
  const outcomes = jobs.flatMap((job): Outcome[] => {
    const failure = failures.get(job.name)
    return failure === undefined ? [] : [{ job, failure }]
  })
  return page(outcomes)
}

function page(outcomes: readonly Outcome[]): string {
  const passed = outcomes.filter(({ failure }) => failure === null).length
  return `# With your tools

<!-- Written by \`npm run qualify -- tools\`: repeat that instead of a change here. -->

What tools around Apache Kafka do with LogCluster, each a small program with an assertion, on brokers of its own;
\`npm run qualify -- tools --kafka\` runs the same on Apache Kafka 4.3.1. The quick ones, marked *q*, are part of \`npm test\`.

**${passed} pass, ${outcomes.length - passed} fail.**

| tool | job | what has to come of it | result | to set or to know |
|---|---|---|---|---|
${outcomes.map(line).join('')}
${besideKafka()}
## To set in tools that are not run here

${notRun.map(([tool, what]) => `- ${tool}: ${what}.\n`).join('')}
[What client libraries do](clients.md), with what an application has to set, is a page of its own.
`
}

/** What is compared line by line, and by which rows of compatibility.md it differs. */
function besideKafka(): string {
  const commands = Object.keys(readTranscript())
  const names = [...new Set(commands.map(command => command.split(' ')[0]!))]
  const counts = names.map(name => {
    return `\`${name}\` ${commands.filter(command => command.startsWith(`${name} `)).length}`
  })
  const rows = [...new Set(lineDeviations.map(({ row }) => row))]
  return `## Beside three nodes of Apache Kafka

${commands.length} commands (${counts.join(', ')}) are typed on three brokers of ours and on three nodes of Apache Kafka
4.3.1, with all of them there, with one killed, and with all of them again; what they print is compared line by line in \`npm test\`
(\`test/tools/transcript.ts\`). Sentences of errors are each broker's own. What differs is by these rows of [compatibility.md](compatibility.md):
${rows.join('; ')}.
`
}

const notRun = [
  [
    'Telegraf',
    '`version` of its Kafka plug-ins, to 2.6.0 or later: its library speaks by itself as to a broker of years ago, which has no zstd',
  ],
  [
    'kafka_exporter',
    'not to be scraped beside our own `/metrics`, which tells the same names: dashboards would count twice',
  ],
] as const

function line({ job, failure }: Outcome): string {
  const result = failure === null ? 'pass' : `**FAIL**: ${oneLine(failure)}`
  const name = `${job.name}${job.quick ? ' *q*' : ''}`
  return `| ${job.tool} | ${name} | ${job.proves} | ${result} | ${job.note ?? ''} |\n`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim().slice(0, 200)
}
