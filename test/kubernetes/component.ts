import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request as http } from 'node:http'
import { request as https } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stopped } from '../helpers/stopped.ts'
import {
  type DaemonOptions,
  ended,
  killAll,
  outputOf,
  processesOf,
  signalAll,
  startDaemon,
} from './processes.ts'

export interface ComponentOptions extends DaemonOptions {
  /** Answers 200 when it is ready. */
  readonly readyUrl: string
  /** The certificate of the authority, a path, where that is an https URL. */
  readonly authority?: string
}

/**
 * One program of a cluster, which can be taken away and come back as it was. How it is started stands in the
 * cluster's folder: any process can have it, not only the one that started the cluster.
 */
export class Component {
  readonly name: string
  readonly #folder: string

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.name = name
  }

  static define(options: ComponentOptions): Component {
    const { folder, name } = options
    mkdirSync(join(folder, 'components'), { recursive: true })
    writeFileSync(fileOf(folder, name), JSON.stringify(options, null, 2))
    return new Component(folder, name)
  }

  get isDefined(): boolean {
    return existsSync(fileOf(this.#folder, this.name))
  }

  /**
   * Resolves when it is ready; throws with the end of its log where it is not within `msMax`, or ended time and again. One that
   * ended is started once more, as its supervisor would: an API server on a busy machine gives up at what took it too long.
   */
  async start(msMax = 240_000): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} runs already`)
    const options = JSON.parse(
      readFileSync(fileOf(this.#folder, this.name), 'utf8'),
    ) as ComponentOptions
    let daemon = startDaemon(options)
    let starts = 1
    const end = performance.now() + msMax
    while (!(await isOk(options.readyUrl, options.authority))) {
      if (daemon.hasEnded) {
        const what = `${this.name} ended at its start:\n${this.output()}`
        if (starts++ === startsMax) throw new Error(what)
        console.warn(what)
        daemon = startDaemon(options)
      }
      if (performance.now() > end) {
        throw new Error(`${this.name} is not ready within ${msMax} ms:\n${this.output()}`)
      }
      await sleep(50)
    }
  }

  /** As its supervisor would: it may finish what it is at, and is killed after 15 s. */
  async stop(): Promise<void> {
    const pids = this.#pids
    signalAll(pids, 'SIGTERM')
    if (!(await ended(pids, 15_000))) await killAll(pids)
  }

  /** As the death of its machine. */
  async kill(): Promise<void> {
    await killAll(this.#pids)
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** It keeps its connections and answers nothing, until `resume`. */
  async pause(): Promise<void> {
    await stopped(this.#pids)
  }

  resume(): void {
    signalAll(this.#pids, 'SIGCONT')
  }

  get isRunning(): boolean {
    return this.#pids.length > 0
  }

  /** The end of what it said. */
  output(): string {
    return outputOf(this.#folder, this.name)
  }

  get #pids(): number[] {
    return processesOf(this.#folder, this.name)
  }
}

const startsMax = 3

/** As Kubernetes' programs and etcd read them: `--name=value`. */
export function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`)
}

function fileOf(folder: string, name: string): string {
  return join(folder, 'components', `${name}.json`)
}

/** Whether a GET is answered by 200 within a second; what refuses the connection does not. */
function isOk(url: string, authority?: string): Promise<boolean> {
  const ca = authority === undefined ? {} : { ca: readFileSync(authority) }
  const send = authority === undefined ? http : https
  return new Promise(resolve => {
    const asked = send(url, { ...ca, agent: false, timeout: 1000 }, answer => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.on('error', () => resolve(false))
    asked.end()
  })
}
