import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../src/env/real/clock.ts'
import { HttpKeyValues } from '../../src/etcd/http-key-values.ts'
import { freePort } from '../kubernetes/control-plane/ports.ts'
import { eventually } from './eventually.ts'
import { stopped } from './stopped.ts'

/** Why there is no etcd to be had here; null where there is. */
export function whyNoEtcd(): string | null {
  const { error } = spawnSync('etcd', ['--version'])
  return error === undefined ? null : 'there is no etcd in PATH: apt-get install etcd-server'
}

/** One etcd, in a folder of its own. */
export class Etcd {
  readonly #folder = mkdtempSync(join(tmpdir(), 'logcluster-etcd-'))
  readonly #host: string
  readonly #ports: readonly [client: number, peer: number]
  #process: ChildProcess | null = null

  private constructor(host: string, ports: readonly [number, number]) {
    this.#host = host
    this.#ports = ports
  }

  /** `host`: an address of this machine, where those who ask can reach it. */
  static async start(host = '127.0.0.1'): Promise<Etcd> {
    const etcd = new Etcd(host, [await freePort(host), await freePort(host)])
    try {
      await etcd.start()
    } catch (error) {
      await etcd.end()
      throw error
    }
    return etcd
  }

  /** host:port. */
  get address(): string {
    return `${this.#host}:${this.#ports[0]}`
  }

  connect(): HttpKeyValues {
    return new HttpKeyValues({ urls: [`http://${this.address}`], clock: realClock })
  }

  /** Again, over what it had. */
  async start(): Promise<void> {
    const [client, peer] = this.#ports.map(port => `http://${this.#host}:${port}`)
    const places = {
      'data-dir': this.#folder,
      'listen-client-urls': client!,
      'advertise-client-urls': client!,
      'listen-peer-urls': peer!,
      'initial-advertise-peer-urls': peer!,
      'initial-cluster': `default=${peer!}`,
    }
    const args = Object.entries(places).map(([name, value]) => `--${name}=${value}`)
    this.#process = spawn('etcd', args, { stdio: 'ignore' })
    const keyValues = this.connect()
    try {
      await eventually('etcd answers', () =>
        keyValues.range({ from: 'x' }).then(
          () => true,
          () => false,
        ),
      )
    } finally {
      keyValues.close()
    }
  }

  async kill(): Promise<void> {
    const process = this.#process
    if (process === null) return
    this.#process = null
    process.kill('SIGKILL')
    await once(process, 'exit')
  }

  /** Stopped and not gone: it holds its connections, and answers nobody. */
  async pause(): Promise<void> {
    if (this.#process !== null) await stopped([this.#process.pid!])
  }

  goOn(): void {
    this.#process?.kill('SIGCONT')
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true })
  }
}
