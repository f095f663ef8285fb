import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '../helpers/cluster.ts'
import { ToolsProcess } from './tools-process.ts'
import { type Transcript, Typist } from './transcript.ts'

const file = join(import.meta.dirname, 'recorded/kafka-4.3.1.json')

/** What Apache Kafka 4.3.1 said. */
export function readTranscript(): Transcript {
  return JSON.parse(readFileSync(file, 'utf8')) as Transcript
}

export function writeTranscript(transcript: Transcript): void {
  writeFileSync(file, `${JSON.stringify(transcript, null, 2)}\n`)
}

export async function typeOn(cluster: Cluster): Promise<Transcript> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-transcript-'))
  using tools = new ToolsProcess()
  try {
    return await Typist.type(cluster, tools, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface Difference {
  readonly command: string
  /** Lines that only ours said. */
  readonly ours: readonly string[]
  readonly kafkas: readonly string[]
}

/** The commands that were not answered by the same lines, whatever their order. */
export function differencesOf(ours: Transcript, kafkas: Transcript): Difference[] {
  const commands = new Set([...Object.keys(kafkas), ...Object.keys(ours)])
  return [...commands].flatMap(command => {
    const [here, there] = [ours[command] ?? [], kafkas[command] ?? []]
    const only = { command, ours: without(here, there), kafkas: without(there, here) }
    return only.ours.length + only.kafkas.length === 0 ? [] : [only]
  })
}

/** Each line of `lines` as often as it is there more often than in `others`. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return lines.filter(line => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}
