import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'

const root = join(import.meta.dirname, '../..')

export interface LocalClusterOptions {
  readonly count: number
  readonly dataDir: string
  /** Of the first broker, for clients; those of the others, of HTTP and of the private listeners follow. */
  readonly port: number
  readonly settings?: Readonly<Record<string, string>>
}

/** `npm start -- --brokers N`, and what it says. */
export class LocalCluster {
  output = ''
  readonly #process: ChildProcess
  readonly #options: LocalClusterOptions
  readonly #ended: Promise<number | null>

  private constructor(options: LocalClusterOptions) {
    this.#options = options
    const { count, dataDir, port, settings = {} } = options
    const given = {
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'http.address': `127.0.0.1:${port + 100}`,
      'log.dirs': dataDir,
      ...settings,
    }
    const sets = Object.entries(given).flatMap(([name, value]) => ['--set', `${name}=${value}`])
    const args = [join(root, 'src/broker/main.ts'), '--brokers', String(count), ...sets]
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const hear = (chunk: Buffer): void => void (this.output += chunk.toString())
    this.#process.stdout!.on('data', hear)
    this.#process.stderr!.on('data', hear)
    this.#ended = new Promise(resolve => this.#process.once('close', resolve))
  }

  /** Not waited for: what a start that is refused says can be read. */
  static launch(options: LocalClusterOptions): LocalCluster {
    return new LocalCluster(options)
  }

  /** Resolves when all brokers serve. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const cluster = new LocalCluster(options)
    try {
      await cluster.says(/^ {2}metadata /m)
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  get addresses(): string[] {
    const { count, port } = this.#options
    return Array.from({ length: count }, (_, id) => `127.0.0.1:${port + id}`)
  }

  /** Of the process that was a broker when all of them served first. */
  pidAtFirst(id: number): number {
    return Number(new RegExp(`^ {2}broker ${id} .* process (\\d+)$`, 'm').exec(this.output)![1])
  }

  get pid(): number {
    return this.#process.pid!
  }

  /** Waits for a line. */
  says(line: RegExp): Promise<string> {
    return eventually(
      `${line}`,
      () => this.output,
      text => line.test(text),
    )
  }

  /** Resolves to the exit code, null where a signal ended it. */
  ended(): Promise<number | null> {
    return this.#ended
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Ctrl-C. */
  async stop(): Promise<number | null> {
    this.signal('SIGINT')
    return this.#ended
  }

  /** In a hurry: the brokers end when their parent is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.signal('SIGTERM')
      this.signal('SIGTERM')
    }
    await this.#ended
  }
}

/** A port after which the next ones are free too, and those that `--brokers` takes beside them. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const wanted = Array.from({ length: count }, (_, id) => [
      port + id,
      port + 100 + id,
      port + 10_000 + id,
    ])
    const taken = await Promise.all(wanted.flat().map(isTaken))
    if (!taken.includes(true)) return port
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(true))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}
