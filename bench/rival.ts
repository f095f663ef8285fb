import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as apache from '../tools/kafka.ts'

/** A broker under comparison: where it listens, where its segments are, and what it costs. */
export interface Rival extends apache.StartedBroker {
  readonly name: string
}

const root = join(import.meta.dirname, '..')

/** LogCluster as the README starts it, on free ports. */
export async function startLogCluster(): Promise<Rival> {
  const name = 'LogCluster'
  const dataDir = mkdtempSync(join(tmpdir(), 'logcluster-bench-'))
  const port = await apache.freePort()
  const args = ['src/broker/main.ts', '--set', `listeners=PLAINTEXT://127.0.0.1:${port}`]
  args.push('--set', `log.dirs=${dataDir}`, '--set', 'http.address=127.0.0.1:0')
  const child = spawn(process.execPath, args, { cwd: root })
  const place = { dataDir, port, ready: 'Broker ready' }
  return { name, ...(await apache.started(name, child, place)) }
}

/** Apache Kafka with as many partitions a topic as we have by default, all else by its own. */
export async function startKafka(): Promise<Rival> {
  const properties = { 'num.partitions': '4' }
  return { name: 'Apache Kafka', ...(await apache.startKafka({ properties })) }
}

/** Processor time of the whole process so far, in seconds. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Resident memory without file pages, in MiB: what is not page cache. */
export function anonymousMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']))
