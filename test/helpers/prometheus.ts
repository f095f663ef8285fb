import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { kitFolder } from '../../tools/clients.ts'
import { freePort } from '../kubernetes/control-plane/ports.ts'
import { eventually } from './eventually.ts'

export interface ScrapeTarget {
  readonly job: string
  /** `host:port` */
  readonly address: string
  readonly labels?: Readonly<Record<string, string>>
}

/** A series with its value now. */
export interface Point {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A real Prometheus that scrapes its targets each second and evaluates its rules as often; gone when it is disposed of. */
export class Prometheus {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #url: string

  static async start(
    targets: readonly ScrapeTarget[],
    ruleFiles: readonly string[],
  ): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'logcluster-prometheus-'))
    const config = join(folder, 'prometheus.yml')
    writeFileSync(config, stringify(configOf(targets, ruleFiles)))
    const port = await freePort('127.0.0.1')
    const prometheus = new Prometheus(folder, config, port)
    try {
      await eventually('Prometheus is ready', () => prometheus.#isReady())
      return prometheus
    } catch (error) {
      await prometheus[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(folder: string, config: string, port: number) {
    this.#folder = folder
    this.#url = `http://127.0.0.1:${port}`
    this.#process = spawn(
      join(kitFolder('promtool'), 'usr/bin/prometheus'),
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    )
  }

  /** What `expr` is now: one point for a scalar, none where there is nothing. @throws where it is no PromQL */
  async query(expr: string): Promise<Point[]> {
    const data = (await this.#get('query', { query: expr })) as QueryData
    if (data.resultType === 'scalar') return [{ labels: {}, value: Number(data.result[1]) }]
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }

  /** The labels of each series that a selector finds. */
  async series(selector: string): Promise<Readonly<Record<string, string>>[]> {
    return (await this.#get('series', { 'match[]': selector })) as Record<string, string>[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) {
      await once(this.#process, 'exit')
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.#url}/-/ready`)).ok
    } catch {
      return false
    }
  }

  async #get(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const response = await fetch(
      `${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`,
    )
    const answer = (await response.json()) as { data: unknown; error?: string }
    if (answer.error !== undefined)
      throw new Error(`${answer.error}: ${Object.values(parameters).join(' ')}`)
    return answer.data
  }
}

type QueryData =
  | { readonly resultType: 'scalar'; readonly result: readonly [number, string] }
  | {
      readonly resultType: 'vector'
      readonly result: readonly {
        readonly metric: Record<string, string>
        readonly value: readonly [number, string]
      }[]
    }

function configOf(targets: readonly ScrapeTarget[], ruleFiles: readonly string[]): object {
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    // A job is there once, with all of its targets.
    scrape_configs: [...Map.groupBy(targets, ({ job }) => job)].map(([job, ofJob]) => ({
      job_name: job,
      static_configs: ofJob.map(({ address, labels = {} }) => ({ targets: [address], labels })),
    })),
  }
}
