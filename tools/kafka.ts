import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A broker that was started to be compared: where it listens, and where its segments are. */
export interface StartedBroker {
  readonly address: string
  readonly dataDir: string
  readonly pid: number
  /** When its process was started, in nanoseconds of the monotonic clock. */
  readonly spawnedAtNs: bigint
  /** From then until it said that it serves. */
  readonly readyAfterMs: number
  /** The end of what it said so far. */
  output(): string
  /** Sends a signal and waits for the end; the data stay. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** The same once more over what is on disk, after `end`. */
  again(): Promise<StartedBroker>
  /** SIGTERM, waits for the end, and removes the data. */
  stop(): Promise<void>
}

export interface KafkaOptions {
  /** Over what one node needs; all else is at Kafka's defaults. */
  readonly properties?: Readonly<Record<string, string>>
  /** Where its data are, in a folder of their own. By default where temporary files are. */
  readonly parent?: string
  /** MiB; by default as in Kafka's own start script. */
  readonly heapMiB?: number
  /** Where clients connect; by default one that is free. */
  readonly port?: number
  /** It is killed where it does not serve by then; a minute by default. */
  readonly readyMsMax?: number
}

const root = join(import.meta.dirname, '..')
const kafkaLibraries = join(root, '.cache/clients/java-4.3.1-core/lib')

/** Apache Kafka from Maven Central on free ports: one node, KRaft, broker and controller in one process. */
export async function startKafka(options: KafkaOptions = {}): Promise<StartedBroker> {
  const [free, controllerPort] = await freePorts(2)
  const node = { id: 1, port: options.port ?? free!, controllerPort: controllerPort! }
  return await startNode(options, [node], 0)
}

/** The same as one cluster of so many nodes, their ids from `firstId` or 1 on, each of them broker and controller. */
export async function startKafkas(
  count: number,
  options: Omit<KafkaOptions, 'port'> & { readonly firstId?: number } = {},
): Promise<StartedBroker[]> {
  const { firstId = 1 } = options
  const ports = await freePorts(2 * count)
  const nodes = Array.from({ length: count }, (_, at) => ({
    id: firstId + at,
    port: ports[2 * at]!,
    controllerPort: ports[2 * at + 1]!,
  }))
  return await Promise.all(nodes.map((_, at) => startNode(options, nodes, at)))
}

interface Node {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
}

/** Starts one of `nodes`; where they are several, none of them serves before most are there. */
async function startNode(
  options: KafkaOptions,
  nodes: readonly Node[],
  at: number,
): Promise<StartedBroker> {
  const { properties = {}, parent = tmpdir(), heapMiB = 1024, readyMsMax = 60_000 } = options
  if (!existsSync(kafkaLibraries)) {
    throw new Error(`Apache Kafka is not in ${kafkaLibraries}: node tools/clients.ts fetches it`)
  }
  const folder = mkdtempSync(join(parent, 'logcluster-kafka-'))
  const dataDir = join(folder, 'data')
  const config = join(folder, 'server.properties')
  const whole = { ...ofNode(dataDir, nodes, nodes[at]!), ...properties }
  writeFileSync(
    config,
    Object.entries(whole)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  writeFileSync(join(folder, 'log4j2.properties'), log4jProperties)
  const java = [
    `-Xms${heapMiB}M`,
    `-Xmx${heapMiB}M`,
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
  const spawnIt = () => spawn('java', [...java, 'kafka.Kafka', config])
  const place = {
    dataDir,
    port: nodes[at]!.port,
    ready: 'Kafka Server started',
    readyMsMax,
    folder,
  }
  return await started('Apache Kafka', spawnIt, place)
}

function ofNode(dataDir: string, nodes: readonly Node[], own: Node): Record<string, string> {
  const { id, port, controllerPort } = own
  const copies = String(Math.min(3, nodes.length))
  const voters = nodes.map(node => `${node.id}@127.0.0.1:${node.controllerPort}`)
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': dataDir,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': '1',
  }
}

const log4jProperties = `appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%m%n
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
`

/** Starts a broker's process and waits until it says that it serves. It is killed where it does not. */
export async function started(
  name: string,
  spawnIt: () => ChildProcess,
  place: Place,
): Promise<StartedBroker> {
  const spawnedAtNs = process.hrtime.bigint()
  const child = spawnIt()
  const exited = new Promise(resolve => child.once('exit', resolve))
  let output = ''
  const served = new Promise<bigint>(resolve => {
    const take = (text: Buffer): void => {
      output = (output + String(text)).slice(-100_000)
      if (place.log !== undefined) appendFileSync(place.log, text)
      if (output.includes(place.ready)) resolve(process.hrtime.bigint())
    }
    child.stdout!.on('data', take)
    child.stderr!.on('data', take)
  })
  const patience = new AbortController()
  const tooLate = sleep(place.readyMsMax, null, patience)
  const servedAtNs = await Promise.race([served, exited.then(() => null), tooLate])
  patience.abort()
  if (servedAtNs === null) {
    child.kill('SIGKILL')
    throw new Error(`${name} did not start:\n${output.slice(-5000)}`)
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    await exited
  }
  const { dataDir, folder = dataDir } = place
  return {
    address: `127.0.0.1:${place.port}`,
    dataDir,
    pid: child.pid!,
    spawnedAtNs,
    readyAfterMs: Number(servedAtNs - spawnedAtNs) / 1e6,
    output: () => output,
    end,
    again: () => started(name, spawnIt, place),
    stop: async () => {
      await end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Place {
  readonly dataDir: string
  readonly port: number
  /** What it says when it serves. */
  readonly ready: string
  /** It is killed where it does not by then. */
  readonly readyMsMax: number
  /** What is removed in the end; the data directory by default. */
  readonly folder?: string
  /** A file to which all that it says is appended, by this start and by the next ones. */
  readonly log?: string
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port!
}

/** So many, no two of them the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  const ports = await Promise.all(servers.map(portOf))
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

async function portOf(server: Server): Promise<number> {
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
