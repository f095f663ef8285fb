import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownFailure } from '../../src/broker/server/connection-log.ts'

export interface BrokerOptions {
  /** Settings by name, over those that every test broker has. */
  readonly settings?: Readonly<Record<string, string>>
  /** `off` runs it on the TypeScript fallback. By default as this process was told, else with the addon. */
  readonly native?: 'on' | 'off'
  /** A data directory to start on; it is kept. By default a new one, removed in the end. */
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string>>
  /** Arguments for Node itself, before the script. */
  readonly nodeArgs?: readonly string[]
  /** Put before the command. It must become the broker, or run beside it, as `strace -D` does. */
  readonly wrapper?: readonly string[]
  /** The file to start instead of `src/broker/main.ts`, or of what `LOGCLUSTER_TEST_MAIN` names. */
  readonly main?: string
  /** Words after that file and before the settings: a command of `logcluster`. */
  readonly words?: readonly string[]
  readonly readyMsMax?: number
}

/** What the broker's ready line told. */
interface Ready {
  readonly msg: string
  readonly listeners: readonly string[]
  readonly http: string
}

const root = join(import.meta.dirname, '../..')

/** Starts a real broker process on free ports of the loopback address; resolves when it serves. */
export async function startBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const broker = new TestBroker(options)
  try {
    await broker.start()
    return broker
  } catch (error) {
    await broker[Symbol.asyncDispose]()
    throw error
  }
}

/** Runs `act` with a broker that is gone afterwards, and shows what the broker said where `act` failed. */
export async function withBroker(
  options: BrokerOptions,
  act: (broker: TestBroker) => Promise<void>,
): Promise<void> {
  const broker = await startBroker(options)
  try {
    await act(broker)
  } catch (error) {
    console.error(`The broker said:\n${broker.output.slice(-20_000)}`)
    throw error
  } finally {
    await broker[Symbol.asyncDispose]()
  }
}

/** One broker's life over any number of processes on one data directory and one port. */
export class TestBroker {
  readonly dataDir: string
  /** All that its processes wrote to stdout and stderr. */
  output = ''
  /** `127.0.0.1:PORT` of the Kafka listener, once started. */
  address = ''
  /** `127.0.0.1:PORT` of the HTTP server, once started. */
  http = ''
  readonly #options: BrokerOptions
  #process: ChildProcess | null = null
  #exit: Promise<Exit> = Promise.resolve({ code: null, signal: null })

  constructor(options: BrokerOptions) {
    this.#options = options
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'logcluster-test-'))
  }

  /** Another broker on a directory of its own, as this one but for `settings`. */
  twin(settings: Readonly<Record<string, string>>): Promise<TestBroker> {
    const { dataDir: _, ...options } = this.#options
    return startBroker({ ...options, settings: { ...options.settings, ...settings } })
  }

  get port(): number {
    return Number(this.address.split(':').at(-1))
  }

  get isRunning(): boolean {
    return this.#process !== null
  }

  /** Of the process that runs now. */
  get pid(): number {
    const pid = this.#process?.pid
    if (pid === undefined) throw new Error('the broker is not running')
    return pid
  }

  /** Starts a process, on the ports it had before if it ever ran, and waits until it serves. */
  async start(): Promise<void> {
    if (this.#process !== null) throw new Error('the broker is running')
    const command = [...(this.#options.wrapper ?? []), process.execPath, ...this.#arguments()]
    const child = spawn(command[0]!, command.slice(1), {
      cwd: this.dataDir,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    this.#exit = new Promise(resolve => {
      child.on('error', error => (this.output += `${error.message}\n`))
      child.on('close', (code, signal) => {
        this.#process = null
        resolve({ code, signal })
      })
    })
    const ready = await this.#ready(child)
    this.address = ready.listeners[0]!
    this.http = ready.http
  }

  /** SIGTERM, and waits for the end. Throws where the broker did not stop cleanly. */
  async stop(): Promise<void> {
    const { code, signal } = await this.#signal('SIGTERM', 30_000)
    if (code !== 0)
      throw new Error(`stop ended with ${code ?? signal}\n${this.output.slice(-4000)}`)
  }

  /** SIGKILL, at once. */
  async kill(): Promise<void> {
    await this.#signal('SIGKILL', 30_000)
  }

  /** Resolves when the process has ended by itself. */
  ended(): Promise<Exit> {
    return this.#exit
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://${this.http}/metrics`)
    return response.text()
  }

  /** Sum of all samples of one metric whose labels contain `labels`, `name="value"`; 0 where there is none. */
  async metric(name: string, ...labels: string[]): Promise<number> {
    const lines = (await this.metrics()).split('\n')
    return lines
      .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter(line => labels.every(label => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  /** Throws where a request made it fail: whatever a test sends and breaks, that is a bug. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    if (this.#options.dataDir === undefined) {
      rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 3 })
    }
    const failure = this.output.split('\n').find(line => line.includes(ownFailure))
    if (failure !== undefined) throw new Error(`The broker said: ${failure}`)
  }

  #arguments(): string[] {
    const settings = {
      listeners: `PLAINTEXT://${this.address === '' ? '127.0.0.1:0' : this.address}`,
      'http.address': this.http === '' ? '127.0.0.1:0' : this.http,
      'log.dirs': this.dataDir,
      ...this.#options.settings,
    }
    return [
      ...(this.#options.nodeArgs ?? []),
      this.#options.main ?? process.env['LOGCLUSTER_TEST_MAIN'] ?? join(root, 'src/broker/main.ts'),
      ...(this.#options.words ?? []),
      ...Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ]
  }

  /** Nothing of this process's own settings leaks in, but the choice of the data path. */
  #environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([name]) => !name.startsWith('LOGCLUSTER_') || name === 'LOGCLUSTER_NATIVE',
    )
    const native = this.#options.native
    return {
      ...Object.fromEntries(kept),
      ...(native === undefined ? {} : { LOGCLUSTER_NATIVE: native }),
      ...this.#options.env,
    }
  }

  #ready(child: ChildProcess): Promise<Ready> {
    const { readyMsMax = 30_000 } = this.#options
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer)
        reject(new Error(`The broker ${why}\n${this.output.slice(-8000)}`))
      }
      const timer = setTimeout(() => fail(`was not ready within ${readyMsMax} ms`), readyMsMax)
      void this.#exit.then(({ code, signal }) => fail(`ended with ${code ?? signal}`))
      let line = ''
      child.stderr!.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
      child.stdout!.on('data', (chunk: Buffer) => {
        const text = chunk.toString()
        this.output += text
        const lines = (line + text).split('\n')
        line = lines.pop()!
        const ready = lines.map(readyIn).find(found => found !== null)
        if (!ready) return
        clearTimeout(timer)
        resolve(ready)
      })
    })
  }

  async #signal(signal: NodeJS.Signals, waitMsMax: number): Promise<Exit> {
    const child = this.#process
    if (child === null) return this.#exit
    const timer = setTimeout(() => child.kill('SIGKILL'), waitMsMax)
    child.kill(signal)
    return this.#exit.finally(() => clearTimeout(timer))
  }
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The broker logs JSON; other lines, a person's, are passed over. */
function readyIn(line: string): Ready | null {
  if (!line.includes('"Broker ready"')) return null
  return JSON.parse(line.slice(line.indexOf('{'))) as Ready
}
