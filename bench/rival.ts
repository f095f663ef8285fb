import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A broker under comparison: where it listens, where its segments are, and what it costs. */
export interface Rival {
  readonly name: string
  readonly address: string
  readonly dataDir: string
  readonly pid: number
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '..')
const kafkaLibraries = join(root, '.cache/clients/java-4.3.1-core/lib')

/** LogCluster as the README starts it, on free ports. */
export async function startLogCluster(): Promise<Rival> {
  const dataDir = mkdtempSync(join(tmpdir(), 'logcluster-bench-'))
  const port = await freePort()
  const args = ['src/broker/main.ts', '--set', `listeners=PLAINTEXT://127.0.0.1:${port}`]
  args.push('--set', `log.dirs=${dataDir}`, '--set', 'http.address=127.0.0.1:0')
  return await start('LogCluster', spawn(process.execPath, args, { cwd: root }), {
    dataDir,
    port,
    ready: 'Broker ready',
  })
}

/** Apache Kafka from Maven Central: one node, KRaft, its own start script's heap of 1 GiB, all else by default. */
export async function startKafka(): Promise<Rival> {
  if (!existsSync(kafkaLibraries)) {
    throw new Error(`Apache Kafka is not in ${kafkaLibraries}: node tools/clients.ts fetches it`)
  }
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-bench-kafka-'))
  const dataDir = join(folder, 'data')
  const [port, controllerPort] = [await freePort(), await freePort()]
  const config = join(folder, 'server.properties')
  writeFileSync(config, kafkaProperties(dataDir, port, controllerPort))
  writeFileSync(join(folder, 'log4j2.properties'), log4jProperties)
  const java = [
    '-Xms1G',
    '-Xmx1G',
    '-XX:+UseG1GC',
    '-XX:MaxGCPauseMillis=20',
    '-XX:InitiatingHeapOccupancyPercent=35',
    '-XX:+ExplicitGCInvokesConcurrent',
    `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
    '-cp',
    `${kafkaLibraries}/*:${join(kafkaLibraries, '../../java-4.3.1/lib')}/*`,
  ]
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'bGF0ZXJhbHRoaW5raW5nMQ', '-c', config]
  execFileSync('java', [...java, ...format], { stdio: ['ignore', 'ignore', 'pipe'] })
  return await start('Apache Kafka', spawn('java', [...java, 'kafka.Kafka', config]), {
    dataDir,
    port,
    ready: 'Kafka Server started',
    folder,
  })
}

function kafkaProperties(dataDir: string, port: number, controllerPort: number): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
log.dirs=${dataDir}
num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
`
}

const log4jProperties = `appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%m%n
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
`

async function start(
  name: string,
  child: ChildProcess,
  { dataDir, port, ready, folder }: Place,
): Promise<Rival> {
  let output = ''
  const take = (text: Buffer): void => void (output = (output + String(text)).slice(-100_000))
  child.stdout!.on('data', take)
  child.stderr!.on('data', take)
  const deadlineMs = Date.now() + 60_000
  while (!output.includes(ready)) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      child.kill('SIGKILL')
      throw new Error(`${name} did not start:\n${output.slice(-5000)}`)
    }
    await sleep(50)
  }
  return {
    name,
    address: `127.0.0.1:${port}`,
    dataDir,
    pid: child.pid!,
    stop: async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null) await new Promise(resolve => child.once('exit', resolve))
      rmSync(folder ?? dataDir, { recursive: true, force: true })
    },
  }
}

interface Place {
  readonly dataDir: string
  readonly port: number
  /** What it says when it serves. */
  readonly ready: string
  /** What is removed in the end; the data directory by default. */
  readonly folder?: string
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
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
