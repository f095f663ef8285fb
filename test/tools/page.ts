import type { Job } from './job.ts'

export interface Outcome {
  readonly job: Job
  /** Null where it passed. */
  readonly failure: string | null
}

/** docs/tools.md, from a run of every job. */
export function page(outcomes: readonly Outcome[]): string {
  const passed = outcomes.filter(({ failure }) => failure === null).length
  return `# With your tools

<!-- Written by \`npm run qualify -- tools\`: repeat that instead of a change here. -->

What tools around Apache Kafka do with LogCluster, each a small program with an assertion, on a broker of its own;
\`npm run qualify -- tools --kafka\` runs the same on Apache Kafka 4.3.1. The quick ones, marked *q*, are part of \`npm test\`.

**${passed} pass, ${outcomes.length - passed} fail.**

| tool | job | what has to come of it | result | to set or to know |
|---|---|---|---|---|
${outcomes.map(line).join('')}
## To set in tools that are not run here

${notRun.map(([tool, what]) => `- ${tool}: ${what}.\n`).join('')}
[What client libraries do](clients.md), with what an application has to set, is a page of its own.
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
