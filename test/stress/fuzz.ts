import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { hex } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { alterConfigs, apiByKey, joinGroup } from '../../src/broker/wire/messages/index.ts'
import { readResponse } from '../../src/broker/wire/frame.ts'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { encodeRecords } from '../../src/broker/log/batch/records.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { runParts } from './campaign-parts.ts'
import type { PartCounts } from './campaign.ts'
import { FrameCases, type FrameCase, type FrameKind, type Served } from './frame-cases.ts'
import { mapFrame } from './frame-map.ts'
import { Neighbour } from './neighbour.ts'
import {
  collectedSize,
  collectsWhenTold,
  settledSize,
  sizeOf,
  type CollectedSize,
  type ProcessSize,
} from './process-size.ts'
import type { Regression } from './regressions.ts'
import { fuzzTopics, RequestMaker } from './request-maker.ts'

export interface FuzzOptions {
  readonly frames: number
  readonly seed: number
  /** `off`: the TypeScript fallback, which TLS listeners will use. */
  readonly native?: 'on' | 'off'
  readonly progress?: (text: string) => void
}

export interface FuzzResult {
  readonly seed: number
  readonly native: 'on' | 'off'
  readonly frames: number
  /** How many frames the list of cuts and edges has, and how many of them were sent. */
  readonly listed: { readonly all: number; readonly sent: number }
  /** APIs and versions that were sent to. */
  readonly apis: Readonly<Record<string, readonly [min: number, max: number]>>
  readonly outcomes: Readonly<Record<FrameKind, Readonly<Record<Outcome, number>>>>
  /** Resident memory was never more while the frames were sent; the parts after them have no bound of their own. */
  readonly framesPeakMiB: number
  readonly parts: PartCounts
  /** What the neighbour did meanwhile: each time it produced, fetched, committed, and read the commit. */
  readonly neighbourRounds: number
  /** Before the first frame, when each API had been asked once; and after the last, when everybody had left. */
  readonly before: ProcessSize
  readonly after: ProcessSize
  /** Without garbage after each round: the campaign, and then as much of it again as tells whether it leaves anything behind. */
  readonly rounds: readonly CollectedSize[]
  readonly failures: readonly string[]
  /** The last frames before something failed, as `regressions.ts` lists them: the cause may be another one's. */
  readonly suspects: readonly string[]
  readonly seconds: number
}

const laneCount = 12
/**
 * What allocators keep for the next time when all has ended and the broker has given back what it does by itself: some
 * 50 MiB natively and 75 on the fallback, give or take 20. A heap that was large once and is not given back is 180 more.
 */
const keptMiBMax = 128
/** The broker collects every five seconds where it is idle. */
const settleMsMax = 30_000
/** A further round finds all that there: resident memory then differs by some 15 MiB, what is held by two. */
const grownMiBMax = { residentMiB: 16, heldMiB: 8 }
/** Where a round added more, another one tells noise from what grows each time. */
const roundsMax = 5
const framesOfFurtherRoundMax = 5000
/** Topics that frames created are removed after so many frames, as an operator would. */
const framesBetweenCleanings = 4000

/** The campaign against one broker process. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const broker = await startBroker({
    native: options.native ?? 'on',
    nodeArgs: collectsWhenTold,
    settings: {
      'num.partitions': '1',
      'log.segment.delete.delay.ms': '100',
      'group.initial.rebalance.delay.ms': '0',
      'connections.frame.timeout.ms': '5000',
      'offsets.topic.num.partitions': '5',
    },
  })
  const fuzz = new Fuzz(broker, options)
  try {
    return await fuzz.run()
  } finally {
    await broker[Symbol.asyncDispose]()
  }
}

class Fuzz {
  readonly #broker: TestBroker
  readonly #options: FuzzOptions
  readonly #random: Prng
  readonly #maker: RequestMaker
  readonly #failures: string[] = []
  /** What was sent last, one place a lane and some more. */
  readonly #recent: FrameCase[] = []
  readonly #outcomes = {
    cut: none(),
    edge: none(),
    damaged: none(),
    whole: none(),
  }
  #sent = 0
  #framesPeakMiB: number | null = null
  #isCleaning: Promise<void> | null = null

  constructor(broker: TestBroker, options: FuzzOptions) {
    this.#broker = broker
    this.#options = options
    this.#random = new Prng(options.seed)
    this.#maker = new RequestMaker(this.#random)
  }

  async run(): Promise<FuzzResult> {
    const began = Date.now()
    const { frames, seed } = this.#options
    const served = await this.#served()
    const neighbour = await Neighbour.join(this.#broker.port)
    await this.#clean()
    await this.#warmUpCodecs()
    await this.#warmUp(served)
    await neighbour.more(20)
    const before = sizeOf(this.#broker.pid)
    const cases = this.#cases(served, frames)
    const rounds: CollectedSize[] = []
    let parts: PartCounts = {}
    let after = before
    try {
      parts = await this.#round(served, cases, neighbour)
      after = await neighbour.rest(() => this.#settled(before))
      rounds.push(await neighbour.rest(() => collectedSize(this.#broker)))
      await this.#comesToRest(served, neighbour, rounds)
    } catch (error) {
      this.#failed('the campaign', error)
    }
    if (!this.#broker.isRunning) {
      this.#failures.push(`the broker ended: ${this.#broker.output.slice(-4000)}`)
    }
    await neighbour.stop().catch((error: unknown) => this.#failed('the neighbour', error))
    if (this.#broker.isRunning) await this.#broker.stop().catch(e => this.#failed('the stop', e))
    return {
      seed,
      native: this.#options.native ?? 'on',
      frames: this.#sent,
      listed: { all: cases.listedOf, sent: cases.listedCount },
      apis: ranges(served),
      outcomes: this.#outcomes,
      framesPeakMiB: this.#framesPeakMiB ?? 0,
      parts,
      neighbourRounds: neighbour.rounds,
      before,
      after,
      rounds,
      failures: this.#failures,
      suspects: this.#failures.length === 0 ? [] : this.#recent.map(asRegression),
      seconds: Math.round((Date.now() - began) / 1000),
    }
  }

  /** All frames of a list, and then what no frame can be. */
  async #round(
    served: readonly Served[],
    cases: FrameCases,
    neighbour: Neighbour,
  ): Promise<PartCounts> {
    await Promise.all(Array.from({ length: laneCount }, () => this.#lane(cases)))
    this.#framesPeakMiB ??= sizeOf(this.#broker.pid).peakMiB
    await this.#clean()
    const counts = await runParts(
      {
        broker: this.#broker,
        random: this.#random,
        maker: this.#maker,
        served,
        renew: () => this.#clean(),
      },
      cases.count,
      this.#options.progress ?? (() => {}),
    )
    await neighbour.more(30)
    await this.#clean()
    return counts
  }

  /** Further rounds, until one adds nothing to what is there without garbage. Rejects where each adds more. */
  async #comesToRest(
    served: readonly Served[],
    neighbour: Neighbour,
    rounds: CollectedSize[],
  ): Promise<void> {
    const count = Math.min(this.#options.frames, framesOfFurtherRoundMax)
    while (rounds.length < roundsMax) {
      await this.#round(served, this.#cases(served, count), neighbour)
      const after = await neighbour.rest(() => collectedSize(this.#broker))
      const isNoMore = (['residentMiB', 'heldMiB'] as const).every(what => {
        return after[what] <= Math.max(...rounds.map(each => each[what])) + grownMiBMax[what]
      })
      rounds.push(after)
      if (isNoMore) return
    }
    throw new Error(`each round leaves more behind: ${JSON.stringify(rounds)}`)
  }

  #cases(served: readonly Served[], count: number): FrameCases {
    const parts = { random: this.#random, maker: this.#maker }
    return new FrameCases(parts, served, count)
  }

  /** Every API that the broker lists, in every version of it that has a table. */
  async #served(): Promise<Served[]> {
    using client = await BrokerClient.connect(this.#broker.port)
    const { apiKeys } = await client.apiVersions()
    return apiKeys.flatMap(({ apiKey, maxVersion }) => {
      const api = apiByKey(apiKey)!
      const [min] = api.versions
      return Array.from({ length: maxVersion - min + 1 }, (_, at) => ({ api, version: min + at }))
    })
  }

  /** Each once, so that what is compiled and kept for good counts as there before. */
  async #warmUp(served: readonly Served[]): Promise<void> {
    for (const { api, version } of served) {
      const header = { correlationId: 1, clientId: 'warm-up' }
      const { bytes } = mapFrame(api, version, header, this.#maker.request(api))
      using client = await this.#connectRaw()
      await outcomeOf(client, bytes)
    }
  }

  /** The thread of the codecs stays once it is there. */
  async #warmUpCodecs(): Promise<void> {
    using client = await this.#connect()
    const batch = encodeBatch({
      records: { codec: 1, bytes: gzipSync(encodeRecords([{ key: 'a', value: 'b' }])), count: 1 },
      baseTimestamp: Date.now(),
    })
    const { errorCode } = await client.produce({ topic: 'compacted', partition: 0 }, batch)
    if (errorCode !== 0) throw new Error(`The codecs did not warm up: ${errorCode}`)
  }

  async #lane(cases: FrameCases): Promise<void> {
    let client = await this.#connectRaw()
    for (let next = cases.next(); next !== null; next = cases.next()) {
      if (this.#failures.length > 0) return
      if (!client.isOpen) client = await this.#connectRaw()
      const outcome = await this.#send(client, next)
      if (outcome === 'parked') client.close()
      this.#outcomes[next.kind][outcome]++
      await this.#count()
    }
    client.close()
  }

  async #send(client: RawClient, frame: FrameCase): Promise<Outcome> {
    this.#recent.push(frame)
    if (this.#recent.length > 4 * laneCount) this.#recent.shift()
    try {
      return await outcomeOf(client, frame.bytes, { heard: answer => this.#learn(frame, answer) })
    } catch (error) {
      this.#failed(`A ${frame.kind} frame, for regressions.ts: ${asRegression(frame)}`, error)
      throw error
    }
  }

  async #count(): Promise<void> {
    this.#sent++
    if (this.#sent % 5_000 === 0) {
      const { residentMiB, descriptors } = sizeOf(this.#broker.pid)
      this.#options.progress?.(`${this.#sent} frames, ${residentMiB} MiB, ${descriptors} open`)
    }
    if (this.#sent % framesBetweenCleanings === 0) {
      this.#isCleaning = this.#clean(false).finally(() => (this.#isCleaning = null))
    }
    await this.#isCleaning
  }

  /** A member id that the broker gave may be used by later frames. */
  #learn({ api, version, kind }: FrameCase, answer: Uint8Array): void {
    if (kind !== 'whole' || api.key !== joinGroup.key) return
    const { memberId } = readResponse(joinGroup, version, answer).value
    if (memberId !== '') this.#maker.learnMemberId(memberId)
  }

  /** All topics of the fuzz go, its own come again, and the broker's settings are as it was started with. */
  async #clean(isSettled = true): Promise<void> {
    using client = await this.#connect()
    await client.request(alterConfigs, 2, {
      resources: ['', '1'].map(resourceName => ({ resourceType: 4, resourceName, configs: [] })),
      validateOnly: false,
    })
    const { topics } = await client.metadata()
    const names = topics.flatMap(({ name, isInternal }) => {
      return name === null || isInternal || name === 'neighbour' ? [] : [name]
    })
    for (let at = 0; at < names.length; at += 500) {
      await client.deleteTopics(names.slice(at, at + 500))
    }
    const made = await client.createTopics(
      fuzzTopics.map(name => ({
        name,
        configs: name === 'compacted' ? { 'cleanup.policy': 'compact' } : {},
      })),
    )
    // Frames under way may make them first, and then they are not the campaign's: the parts begin when none are.
    if (!isSettled) return
    const wrong = made.topics.find(({ errorCode }) => errorCode !== 0)
    if (wrong !== undefined) throw new Error(`${wrong.name}: ${wrong.errorMessage}`)
  }

  #connectRaw(): Promise<RawClient> {
    return RawClient.connect(this.#broker.port, { timeoutMs: 60_000 })
  }

  #connect(): Promise<BrokerClient> {
    return BrokerClient.connect(this.#broker.port, { timeoutMs: 60_000 })
  }

  /** Waits until the broker has given back what it need not keep, or for long enough. */
  async #settled(before: ProcessSize): Promise<ProcessSize> {
    const residentMiBMax = before.residentMiB + keptMiBMax
    // The partitions of topics that came since, a few, and what a libuv of the fallback keeps.
    const descriptorsMax = before.descriptors + 8
    const after = await settledSize(
      this.#broker.pid,
      size => size.residentMiB <= residentMiBMax && size.descriptors <= descriptorsMax,
      settleMsMax,
    )
    if (after.residentMiB > residentMiBMax) {
      this.#failures.push(`${after.residentMiB} MiB after, ${before.residentMiB} MiB before`)
    }
    if (after.descriptors > descriptorsMax) {
      this.#failures.push(`${after.descriptors} open files after, ${before.descriptors} before`)
    }
    return after
  }

  #failed(what: string, error: unknown): void {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : ''
    this.#failures.push(
      `${what}: ${error instanceof Error ? error.message : String(error)} ${cause}`,
    )
  }
}

function asRegression({ api, version, bytes }: FrameCase): string {
  const regression: Regression = {
    why: `${api.name} v${version}`,
    frame: hex(bytes),
    outcome: 'answered',
  }
  return `${inspect(regression, { breakLength: Infinity, maxStringLength: null })},`
}

function none(): Record<Outcome, number> {
  return { answered: 0, closed: 0, parked: 0 }
}

function ranges(served: readonly Served[]): FuzzResult['apis'] {
  const found: Record<string, [number, number]> = {}
  for (const { api, version } of served) {
    const range = (found[api.name] ??= [version, version])
    range[1] = Math.max(range[1], version)
  }
  return found
}
