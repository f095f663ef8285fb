import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterNames } from './cluster-names.ts'
import type { ApiAccess } from './control-plane/access.ts'
import { ApiReader } from './control-plane/api-reader.ts'
import { TruthClient } from './truth-client.ts'
import { failureKind, type Failures } from './truth-failures.ts'
import { type Gaps, type Lie, type Ready, TruthRule, type Work } from './truth-rule.ts'

export interface TruthCheckerOptions {
  readonly plane: Pick<ApiAccess, 'kubeconfig'>
  readonly names: Pick<ClusterNames, 'resolve'>
  readonly namespace: string
  /** Of the LogCluster. */
  readonly name: string
  /** Of the listener for clients in the cluster. */
  readonly port?: number
}

/** What was seen, until it was stopped. */
export interface TruthReport {
  readonly lies: readonly Lie[]
  /** Milliseconds that a request waited for its success, over all its attempts. */
  readonly longestWaitMs: number
  /** Milliseconds in which no write was acknowledged, between two that were. */
  readonly writeGapsMs: Gaps
  readonly succeeded: Readonly<Record<Work, number>>
  readonly failed: Readonly<Record<Work, number>>
  readonly failures: Readonly<Record<Work, Failures>>
  /** Records that were acknowledged and did not come back. */
  readonly lost: number
  /** Why the last attempt that failed did so; '' where none did. */
  readonly lastFailure: Readonly<Record<Work, string>>
}

/**
 * Produces and fetches every 200 ms, watches what a LogCluster says of itself meanwhile, and holds it against what
 * was so (`TruthRule`). It runs beside a scenario, from before the cluster is made or in the middle of its life:
 *
 *     const truth = new TruthChecker({ plane, names, namespace: 'streaming', name: 'orders' })
 *     ... what the scenario does ...
 *     truthful(await truth.stop(), { longestWaitMsMax: 10_000 })
 */
export class TruthChecker {
  /** How many attempts did. */
  readonly succeeded = { produce: 0, fetch: 0 }
  readonly failed = { produce: 0, fetch: 0 }
  readonly #failures: Readonly<Record<Work, Record<string, number>>> = { produce: {}, fetch: {} }
  /** Why the last attempt that failed did so; '' where none did. */
  readonly lastFailure = { produce: '', fetch: '' }
  readonly #rule = new TruthRule()
  readonly #reader: ApiReader
  readonly #path: string
  readonly #producer: TruthClient
  readonly #consumer: TruthClient
  readonly #acknowledged = new Set<string>()
  readonly #read = new Set<string>()
  readonly #loops: readonly Promise<void>[]
  readonly #began = performance.now()
  #serial = 0
  #offset = 0
  #isExcused = false
  #isStopping = false

  constructor({ plane, names, namespace, name, port = 9092 }: TruthCheckerOptions) {
    this.#reader = new ApiReader(plane.kubeconfig)
    this.#path = `/apis/logcluster.dev/v1beta1/namespaces/${namespace}/logclusters/${name}`
    const bootstrap = `${name}-bootstrap.${namespace}.svc:${port}`
    const topic = `truth-${process.pid}-${lastTopic++}`
    this.#producer = new TruthClient({ bootstrap, topic, names })
    this.#consumer = new TruthClient({ bootstrap, topic, names })
    this.#loops = [
      this.#again(() => this.#look()),
      this.#again(() => this.#attempt('produce', () => this.#produce())),
      this.#again(() => this.#attempt('fetch', () => this.#fetch())),
    ]
  }

  /** Holds nothing against the cluster for the time of `act`: it has no voice, since the operator is not there. */
  async whileVoiceless(act: () => Promise<void>): Promise<void> {
    this.#isExcused = true
    try {
      await act()
    } finally {
      this.#isExcused = false
    }
  }

  /** What was acknowledged until now need not come back: the scenario is about to accept the loss of the disk that has it. */
  giveUp(): void {
    this.#acknowledged.clear()
    this.#offset = 0
  }

  /** Ends what it does, and looks for the records that have not come back yet. */
  async stop(): Promise<TruthReport> {
    this.#isStopping = true
    await Promise.all(this.#loops)
    const longestWaitMs = Math.round(this.#rule.longestWaitMs(this.#nowMs))
    const writeGapsMs = this.#rule.writeGapsMs(this.#nowMs)
    await this.#drain()
    for (const each of [this.#reader, this.#producer, this.#consumer]) each.close()
    const { succeeded, failed, lastFailure } = this
    const { lies } = this.#rule
    const [failures, lost] = [this.#failures, this.#lost]
    return { lies, longestWaitMs, writeGapsMs, succeeded, failed, failures, lost, lastFailure }
  }

  get #nowMs(): number {
    return performance.now() - this.#began
  }

  async #again(act: () => Promise<void>): Promise<void> {
    while (!this.#isStopping) {
      const nextMs = performance.now() + intervalMs
      await act()
      await sleep(Math.max(0, nextMs - performance.now()))
    }
  }

  async #look(): Promise<void> {
    const ready = await this.#ask()
    this.#rule.see({ type: 'ready', ready: this.#isExcused ? null : ready, atMs: this.#nowMs })
  }

  async #ask(): Promise<Ready> {
    try {
      const found = await this.#reader.get<LogCluster>(this.#path)
      if (found === null) return null
      const ready = found.status?.conditions?.find(({ type }) => type === 'Ready')
      return ready?.status ?? 'Unknown'
    } catch {
      // Nobody can be asked: that is the API server's failure, and not the cluster's.
      return null
    }
  }

  async #attempt(work: Work, act: () => Promise<void>): Promise<void> {
    const beganAtMs = this.#nowMs
    const isOk = await act().then(
      () => true,
      (error: unknown) => {
        this.#failedBy(work, error)
        return false
      },
    )
    this[isOk ? 'succeeded' : 'failed'][work]++
    this.#rule.see({ type: 'attempt', work, isOk, beganAtMs, atMs: this.#nowMs })
  }

  #failedBy(work: Work, error: unknown): void {
    this.lastFailure[work] = String(error)
    const [failures, kind] = [this.#failures[work], failureKind(error)]
    failures[kind] = (failures[kind] ?? 0) + 1
  }

  async #produce(): Promise<void> {
    const value = String(this.#serial++)
    await this.#producer.produce(value)
    this.#acknowledged.add(value)
  }

  async #fetch(): Promise<void> {
    const { values, next } = await this.#consumer.fetch(this.#offset)
    for (const value of values) this.#read.add(value)
    this.#offset = next
  }

  get #lost(): number {
    return [...this.#acknowledged].filter(value => !this.#read.has(value)).length
  }

  async #drain(): Promise<void> {
    const end = performance.now() + drainMsMax
    while (this.#lost > 0 && performance.now() < end) {
      await this.#fetch().catch((error: unknown) => {
        this.#failedBy('fetch', error)
        return sleep(intervalMs)
      })
    }
  }
}

interface LogCluster {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: 'True' | 'False' | 'Unknown'
    }[]
  }
}

const intervalMs = 200
const drainMsMax = 15_000
let lastTopic = 0

export interface TruthLimits {
  readonly longestWaitMsMax: number
  /** Of the kinds of attempts that failed; where it is left out, all are. */
  readonly isExpected?: (kind: string) => boolean
}

/** @throws Error that says what a cluster said that was not so, what it lost, for how long it answered nobody, or what it should not have answered. */
export function truthful(report: TruthReport, limits: TruthLimits): void {
  const { lies, longestWaitMs, succeeded, lost, lastFailure } = report
  const sentences = lies.map(({ ready, fromMs, toMs }) => {
    const what = ready === 'True' ? 'neither produce nor fetch worked' : 'both worked'
    return `Ready=${ready} from ${Math.round(fromMs)} to ${Math.round(toMs)} ms, while ${what}`
  })
  if (lost > 0) sentences.push(`${lost} acknowledged records did not come back`)
  if (longestWaitMs > limits.longestWaitMsMax) {
    sentences.push(`a request waited ${longestWaitMs} ms, of ${limits.longestWaitMsMax} allowed`)
  }
  if (succeeded.produce === 0 || succeeded.fetch === 0) sentences.push('nothing was seen to work')
  sentences.push(...unexpected(report, limits))
  if (sentences.length === 0) return
  const why = Object.entries(lastFailure).map(([work, error]) => `the last ${work}: ${error}`)
  throw new Error(`${sentences.join('; ')}. What failed last: ${why.join('; ')}`)
}

function unexpected({ failures }: TruthReport, { isExpected }: TruthLimits): readonly string[] {
  if (isExpected === undefined) return []
  return Object.entries(failures).flatMap(([work, counts]) =>
    Object.entries(counts)
      .filter(([kind]) => !isExpected(kind))
      .map(([kind, count]) => `${work} failed ${count} times by ${kind}, which is not to be`),
  )
}
