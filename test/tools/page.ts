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

What tools around Apache Kafka do with LogCluster, each a small program with an assertion, on a broker of its own. All of them
pass on Apache Kafka 4.3.1 too (\`npm run qualify -- tools --kafka\`). The quick ones, marked *q*, are part of \`npm test\`.

**${passed} pass, ${outcomes.length - passed} fail.**

| tool | job | what has to come of it | result | to set or to know |
|---|---|---|---|---|
${outcomes.map(line).join('')}`
}

function line({ job, failure }: Outcome): string {
  const result = failure === null ? 'pass' : `**FAIL**: ${oneLine(failure)}`
  const name = `${job.name}${job.quick ? ' *q*' : ''}`
  return `| ${job.tool} | ${name} | ${job.proves} | ${result} | ${job.note ?? ''} |\n`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim().slice(0, 200)
}
