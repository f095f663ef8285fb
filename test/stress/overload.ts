import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { concat, writeInt32 } from '../../src/lib/bytes.ts'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import type { Api, Draft, Fields } from '../../src/broker/wire/field.ts'
import { requestFrame } from '../../src/broker/wire/frame.ts'
import { apiVersions, fetch, metadata, produce } from '../../src/broker/wire/messages/index.ts'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { produceRequest, BrokerClient } from '../helpers/broker-client.ts'
import { metricsOf, type Sample, sumOf } from '../helpers/metrics.ts'
import { LargeGroup } from './large-group.ts'
import { MemoryCgroup, type CgroupReport } from './memory-cgroup.ts'
import { Neighbour } from './neighbour.ts'

const mebibyte = 1024 * 1024
const limitBytes = 512 * mebibyte
/** `queued.max.request.bytes` where memory is not limited. */
const requestBudgetBytes = 256 * mebibyte
const perAddressMax = 2000
/** `socket.request.max.bytes` by default. */
const largest = 100 * mebibyte

export interface OverloadOptions {
  /** 1 is the whole load; CI takes less. */
  readonly scale: number
  readonly progress?: (text: string) => void
}

export interface OverloadResult {
  readonly scale: number
  readonly cgroup: CgroupReport
  /** The most that the gauge of request memory ever showed, in MiB. */
  readonly requestMemoryPeakMiB: number
  /** Times that a connection had to wait for request memory. */
  readonly requestMemoryWaits: number
  /** By stage: how many took part, and how often the neighbours were served meanwhile. */
  readonly stages: Readonly<Record<string, { readonly count: number; readonly rounds: number }>>
  /** By reason, as `/metrics` told in the end. */
  readonly refused: Readonly<Record<string, number>>
  readonly closed: Readonly<Record<string, number>>
  readonly failures: readonly string[]
  readonly seconds: number
}

/** Everything at once that clients can do to a broker of 512 MiB, while two others go on. */
export async function runOverload(options: OverloadOptions): Promise<OverloadResult> {
  const cgroup = new MemoryCgroup(limitBytes)
  const broker = await startBroker({
    wrapper: cgroup.wrapper,
    settings: {
      'connections.frame.timeout.ms': '5000',
      'queued.max.request.bytes': String(requestBudgetBytes),
      'max.connections.per.ip': String(perAddressMax),
      'group.initial.rebalance.delay.ms': '500',
      'num.partitions': '1',
    },
  })
  try {
    return await new Overload(broker, cgroup, options).run()
  } finally {
    await broker[Symbol.asyncDispose]()
    cgroup.remove()
  }
}

const frames = makeFrames()

class Overload {
  readonly #broker: TestBroker
  readonly #cgroup: MemoryCgroup
  readonly #options: OverloadOptions
  readonly #sockets: Socket[] = []
  readonly #failures: string[] = []
  readonly #stages: Record<string, { count: number; rounds: number }> = {}
  #neighbours: Neighbour[] = []
  #requestMemoryPeak = 0
  #isWatching = true

  constructor(broker: TestBroker, cgroup: MemoryCgroup, options: OverloadOptions) {
    this.#broker = broker
    this.#cgroup = cgroup
    this.#options = options
  }

  async run(): Promise<OverloadResult> {
    const began = Date.now()
    const { port } = this.#broker
    await this.#prepare()
    this.#neighbours = await Promise.all(
      ['neighbour-1', 'neighbour-2'].map(name => Neighbour.join(port, { name, pauseMs: 20 })),
    )
    const watch = this.#watch()
    try {
      await this.#stage('idle connections', 3000, count => this.#idle(count))
      await this.#stage('slow readers of records', 200, count => this.#slowReaders(count))
      await this.#stage('slow readers of answers', 200, count => this.#unreadMetadata(count))
      await this.#stage('pipelines of 10,000', 10, count => this.#pipelines(count))
      await this.#stage('slow writers', 300, count => this.#slowWriters(count))
      await this.#stage('half sent', 400, count => this.#halfSent(count))
      await this.#stage('announced and not sent', 1000, count =>
        this.#announced(count, largest, 100),
      )
      await this.#stage('announced and begun', 200, count =>
        this.#announced(count, largest, mebibyte),
      )
      await this.#stage('storm', 3000, count => this.#storm(count))
      await this.#stage('turned away', 500, count => this.#tooMany(count))
      await this.#allTimedOut()
      this.#dropAll()
      await this.#stage('group', 500, count => this.#group(count))
    } catch (error) {
      this.#failures.push(messageOf(error))
    }
    this.#isWatching = false
    await watch
    for (const one of this.#neighbours) {
      await one.stop().catch((error: unknown) => this.#failures.push(messageOf(error)))
    }
    return this.#result(began)
  }

  async #result(began: number): Promise<OverloadResult> {
    const cgroup = this.#cgroup.report()
    if (!this.#broker.isRunning) {
      this.#failures.push(`the broker ended: ${this.#broker.output.slice(-2000)}`)
    }
    if (cgroup.oomKills > 0) this.#failures.push(`${cgroup.oomKills} processes were killed`)
    if (this.#requestMemoryPeak > requestBudgetBytes) {
      this.#failures.push(`${this.#requestMemoryPeak} bytes of requests in memory`)
    }
    // What went wrong before is told where nothing answers, too.
    const samples = await metricsOf(this.#broker).catch((error: unknown) => {
      this.#failures.push(`/metrics: ${messageOf(error)}`)
      return []
    })
    return {
      scale: this.#options.scale,
      cgroup,
      requestMemoryPeakMiB: Math.round(this.#requestMemoryPeak / mebibyte),
      requestMemoryWaits: sumOf(samples, 'logcluster_request_memory_waits_total') || 0,
      stages: this.#stages,
      refused: byReason(samples, 'logcluster_connections_refused_total'),
      closed: byReason(samples, 'logcluster_connections_closed_total'),
      failures: this.#failures,
      seconds: Math.round((Date.now() - began) / 1000),
    }
  }

  /** While a stage is on, and after it, the neighbours are served: it ends only when they were. */
  async #stage(name: string, whole: number, act: (count: number) => Promise<void>): Promise<void> {
    const count = Math.max(1, Math.round(whole * this.#options.scale))
    const before = this.#rounds()
    await act(count)
    await Promise.all(this.#neighbours.map(neighbour => neighbour.more(10)))
    const rounds = this.#rounds() - before
    this.#stages[name] = { count, rounds }
    const { peakMiB, residentMiB } = this.#cgroup.report()
    this.#options.progress?.(
      `${name}: ${count}; neighbours ${rounds}; ${residentMiB} MiB resident, peak ${peakMiB} MiB`,
    )
  }

  #waits(): Promise<number> {
    return this.#broker.metric('logcluster_request_memory_waits_total')
  }

  /** A figure that never is as it must be is a failure, and the campaign goes on. */
  async #until(
    what: string,
    look: () => number | Promise<number>,
    isSo: (figure: number) => boolean,
  ): Promise<void> {
    await eventually(what, look, isSo).catch((error: unknown) => {
      this.#failures.push(messageOf(error))
    })
  }

  #rounds(): number {
    return this.#neighbours.reduce((sum, { rounds }) => sum + rounds, 0)
  }

  /** Looks at the gauge all the time. */
  async #watch(): Promise<void> {
    while (this.#isWatching && this.#broker.isRunning) {
      const bytes = await this.#broker.metric('logcluster_request_memory_bytes').catch(() => 0)
      this.#requestMemoryPeak = Math.max(this.#requestMemoryPeak, bytes)
      await sleep(100)
    }
  }

  /** A topic of 64 MiB for those who read records, and many topics for those who ask for metadata. */
  async #prepare(): Promise<void> {
    using client = await BrokerClient.connect(this.#broker.port, { timeoutMs: 60_000 })
    await client.createTopics([{ name: 'large' }])
    const batch = encodeBatch({ records: [{ value: 'x'.repeat(1_000_000) }] })
    for (let count = 0; count < 64; count++)
      await client.produce({ topic: 'large', partition: 0 }, batch)
    const names = Array.from({ length: 500 }, (_, at) => `many-${at}-${'n'.repeat(100)}`)
    await client.createTopics(names.map(name => ({ name })))
  }

  /** Each asks once, then says nothing. */
  async #idle(count: number): Promise<void> {
    const frame = frames.versions
    await this.#openMany(count, 'idle', socket => socket.write(frame))
  }

  /** Each asks for 64 MiB in 64 fetches, and reads nothing. */
  async #slowReaders(count: number): Promise<void> {
    const asked = concat(Array.from({ length: 64 }, () => frames.fetch))
    await this.#openMany(count, 'readers', socket => void socket.pause().write(asked))
  }

  /** Each asks 64 times for all topics, answers that are in memory, and reads nothing. */
  async #unreadMetadata(count: number): Promise<void> {
    const asked = concat(Array.from({ length: 64 }, () => frames.metadata))
    await this.#openMany(count, 'readers', socket => void socket.pause().write(asked))
  }

  async #pipelines(count: number): Promise<void> {
    const asked = concat(Array.from({ length: 10_000 }, () => frames.metadata))
    await this.#openMany(count, 'readers', socket => void socket.pause().write(asked))
  }

  /** A byte each at a time, of a produce that will never be whole. */
  async #slowWriters(count: number): Promise<void> {
    const frame = frames.produce
    const writers = await this.#openMany(count, 'writers', () => {})
    for (let at = 0; at < 40; at++) {
      for (const socket of writers) socket.write(frame.subarray(at, at + 1))
      await sleep(10)
    }
  }

  /** A request is announced; `sent` bytes of it come. */
  async #announced(count: number, announced: number, sent: number): Promise<void> {
    const begun = new Uint8Array(sent)
    writeInt32(begun, 0, announced - 4)
    await this.#openMany(count, 'announcers', socket => socket.write(begun))
  }

  /** More than the budget has: it must be filled, and who does not fit into it must be counted. */
  async #halfSent(count: number): Promise<void> {
    const before = await this.#waits()
    await this.#announced(count, 2 * mebibyte, mebibyte)
    const fullBytes = Math.min(count * mebibyte, (requestBudgetBytes * 7) / 10)
    const waiting = count - requestBudgetBytes / mebibyte
    const peak = () => this.#requestMemoryPeak
    await this.#until('the budget is filled', peak, bytes => bytes >= fullBytes)
    const all = before + waiting
    await this.#until(
      `${all} have waited`,
      () => this.#waits(),
      count => count >= all,
    )
  }

  /** Connections that come, ask, and go at once without a word. */
  async #storm(count: number): Promise<void> {
    const frame = frames.metadata
    for (let opened = 0; opened < count; opened += 250) {
      const wave = await this.#openMany(250, 'storm', socket => socket.write(frame))
      for (const socket of wave) socket.destroy()
    }
  }

  /** More from one address than it may have: each of those is closed, and counted. */
  async #tooMany(count: number): Promise<void> {
    const before = await this.#refusedForAddress()
    const crowd = await this.#openMany(perAddressMax + count, 'crowd', () => {})
    const all = before + count
    await this.#until(
      'refused',
      () => this.#refusedForAddress(),
      refused => refused >= all,
    )
    const refused = (await this.#refusedForAddress()) - before
    const closed = crowd.filter(socket => socket.destroyed || socket.readableEnded).length
    if (refused !== count) this.#failures.push(`${refused} of ${count} refusals are counted`)
    if (closed > refused) this.#failures.push(`${closed} closed, ${refused} counted`)
    for (const socket of crowd) socket.destroy()
  }

  #refusedForAddress(): Promise<number> {
    const label = 'reason="max.connections.per.ip"'
    return this.#broker.metric('logcluster_connections_refused_total', label)
  }

  /** Everybody who began a request and did not end it is closed for that, and counted. */
  async #allTimedOut(): Promise<void> {
    const stages = ['slow writers', 'half sent', 'announced and not sent', 'announced and begun']
    const expected = stages.reduce((sum, name) => sum + this.#stages[name]!.count, 0)
    const counted = () =>
      this.#broker.metric('logcluster_connections_closed_total', 'reason="frame-timeout"')
    await this.#until(`${expected} too slow are counted`, counted, count => count >= expected)
    const all = await counted()
    if (all !== expected) this.#failures.push(`${all} of ${expected} too slow are counted`)
  }

  async #group(count: number): Promise<void> {
    const addressOf = () => '127.0.9.1'
    const group = await LargeGroup.connect(this.#broker.port, count, addressOf)
    await group.becomeStable()
    const beats = await group.heartbeat()
    const left = await group.leave()
    const codes = [...beats, ...left]
    if (codes.some(code => code !== 0)) this.#failures.push(`the group: ${codes.join()}`)
    this.#options.progress?.(`group of ${count} stable after ${group.joinRounds} rounds`)
  }

  /** Opens connections from the address of a role, some hundreds at a time. */
  async #openMany(count: number, role: Role, act: (socket: Socket) => unknown): Promise<Socket[]> {
    const opened: Socket[] = []
    while (opened.length < count) {
      const wave = Math.min(250, count - opened.length)
      const sockets = await Promise.all(
        Array.from({ length: wave }, (_, at) => {
          const block = role === 'crowd' ? 0 : Math.floor((opened.length + at) / perAddressMax)
          return this.#open(`127.0.${addresses[role]}.${1 + block}`)
        }),
      )
      for (const socket of sockets) act(socket)
      opened.push(...sockets)
      if (!this.#broker.isRunning) throw new Error('the broker ended')
    }
    this.#sockets.push(...opened)
    return opened
  }

  #open(localAddress: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#broker.port, host: '127.0.0.1', localAddress })
      socket.once('connect', () => {
        socket.resume()
        resolve(socket)
      })
      socket.once('error', reject)
      socket.on('error', () => {})
    })
  }

  #dropAll(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy()
  }
}

/** The third part of the address that connections of a role come from, so that limits by address hold each by itself. */
const addresses = {
  idle: 10,
  readers: 11,
  writers: 12,
  announcers: 13,
  storm: 14,
  crowd: 15,
} as const
type Role = keyof typeof addresses

function makeFrames() {
  const header = { correlationId: 1, clientId: 'overload' }
  const all = { topics: null, includeClusterAuthorizedOperations: false }
  const rest = { allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: mebibyte }]
  const limits = {
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: mebibyte,
    isolationLevel: 0,
    sessionId: 0,
  }
  const topics = [{ topic: 'large', partitions }]
  const batch = encodeBatch({ records: [{ value: 'slow' }] })
  const place = { topic: 'large', partition: 0 }
  const names = { clientSoftwareName: 'x', clientSoftwareVersion: '1' }
  return {
    versions: frameOf(apiVersions, 3, header, names),
    metadata: frameOf(metadata, 9, header, { ...all, ...rest }),
    fetch: frameOf(fetch, 11, header, { ...limits, topics, forgottenTopicsData: [], rackId: '' }),
    produce: frameOf(produce, 9, header, produceRequest(place, batch, 1)),
  }
}

function frameOf<Request extends Fields>(
  api: Api<Request>,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string },
  value: Draft<Request>,
): Uint8Array {
  return concat(requestFrame(api, version, header, value) as Uint8Array[])
}

function byReason(samples: readonly Sample[], name: string): Record<string, number> {
  const found = samples.filter(sample => sample.name === name)
  return Object.fromEntries(found.map(({ labels, value }) => [labels['reason']!, value]))
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
