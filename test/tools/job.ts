import { join } from 'node:path'
import type { ClientName } from '../../tools/clients.ts'
import type { Cluster } from '../helpers/cluster.ts'
import { javaCommand } from '../helpers/programs.ts'
import { run, type RunResult } from '../helpers/run.ts'

/** What a job works on: a broker of its own. */
export interface Site {
  /** `127.0.0.1:PORT`. */
  readonly address: string
  /** Where the broker has its segments. */
  readonly dataDir: string
  /** For whatever the job writes. */
  readonly folder: string
  /** All brokers, of which the address is the first one's; null where there is one. */
  readonly cluster: Cluster | null
}

/** Something that people do with a tool, and what has to come of it. */
export interface Job {
  readonly tool: string
  /** Also the name by which it is chosen. */
  readonly name: string
  readonly proves: string
  /** What must have been fetched beside Kafka's command line. */
  readonly kit: ClientName
  /** What an operator sets or knows; null for nothing. */
  readonly note: string | null
  /** Part of `npm test`. */
  readonly quick: boolean
  /** Brokers that it needs, ids from 0; one, where left out. */
  readonly brokerCount?: number
  /** Rejects where it is not so. */
  run(site: Site): Promise<void>
}

/** One of Kafka's own tools, on the site's broker. */
export function tool(site: Site, mainClass: string, ...args: string[]): Promise<RunResult> {
  const { file, args: given } = javaCommand(mainClass)
  const at = ['--bootstrap-server', site.address]
  return run(file, [...given, ...at, ...args], { timeoutMs: 120_000, anyStatus: true })
}

/** As `tool`, which must succeed; its standard output. */
export async function told(site: Site, mainClass: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await tool(site, mainClass, ...args)
  if (status !== 0) throw new Error(`${mainClass} ended with ${status}: ${stdout}\n${stderr}`)
  return stdout
}

export function expectIn(text: string, ...parts: (string | RegExp)[]): void {
  for (const part of parts) {
    const has = typeof part === 'string' ? text.includes(part) : part.test(text)
    if (!has) throw new Error(`no ${part} in: ${text.slice(0, 1500)}`)
  }
}

export async function createTopic(site: Site, topic: string, ...more: string[]): Promise<void> {
  await told(site, topics, '--create', '--topic', topic, ...more)
}

/** By the console producer, one record a line. */
export async function produceLines(
  site: Site,
  topic: string,
  lines: readonly string[],
): Promise<void> {
  const { file, args } = javaCommand(`${tools}.ConsoleProducer`)
  const to = ['--bootstrap-server', site.address, '--topic', topic]
  await run(file, [...args, ...to], { input: lines.map(line => `${line}\n`).join('') })
}

/** The first `count` lines of a topic by the console consumer. */
export async function consumeLines(
  site: Site,
  topic: string,
  count: number,
  ...more: string[]
): Promise<string[]> {
  const from = ['--topic', topic, '--from-beginning', '--max-messages', String(count)]
  const limit = ['--timeout-ms', '30000']
  const stdout = await told(site, `${tools}.consumer.ConsoleConsumer`, ...from, ...limit, ...more)
  return stdout.split('\n').slice(0, -1)
}

export const tools = 'org.apache.kafka.tools'
export const topics = `${tools}.TopicCommand`

export function fileOf({ folder }: Site, name: string): string {
  return join(folder, name)
}
