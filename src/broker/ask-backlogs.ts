import type { Clock, Timer } from '../env/env.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Elsewhere, Question } from './insight/elsewhere.ts'
import type { WireClient } from './wire/client/client.ts'
import { describeBacklogs } from './wire/private/index.ts'

export interface BacklogAskerOptions {
  readonly clock: Clock
  readonly cluster: Pick<Cluster, 'connectTo'>
  readonly elsewhere: Elsewhere
  /** What is to be asked now, by the leader. */
  readonly questions: () => Map<number, readonly Question[]>
}

/** Twice within a usual scrape. */
const periodMs = 5_000
const answerTimeoutMs = 4_000
/** Of one request: whoever answers looks at an index for each. */
const offsetsMax = 1_000

/**
 * Asks the leaders of partitions, again and again, how far groups are behind there that this broker coordinates. A leader that does
 * not answer is asked in the next round; what it said before is told on for a while, and then nothing.
 */
export class BacklogAsker {
  readonly #options: BacklogAskerOptions
  readonly #clients = new Map<number, Promise<WireClient>>()
  readonly #asked = new Set<number>()
  #timer: Timer | null = null

  constructor(options: BacklogAskerOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = this.#options.clock.every(periodMs, () => this.#round())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const client of this.#clients.values()) void client.then(it => it.close()).catch(() => {})
  }

  #round(): void {
    this.#options.elsewhere.forget()
    for (const [leader, questions] of this.#options.questions()) {
      if (this.#asked.has(leader)) continue
      this.#asked.add(leader)
      void this.#ask(leader, questions).finally(() => this.#asked.delete(leader))
    }
  }

  /** Never rejects. */
  async #ask(leader: number, questions: readonly Question[]): Promise<void> {
    const connecting = this.#clients.get(leader) ?? this.#options.cluster.connectTo(leader)
    this.#clients.set(leader, connecting)
    try {
      const client = await connecting
      for (const part of partsOf(questions)) await this.#askFor(client, part)
    } catch {
      // The next round looks where the leader is by then.
      if (this.#clients.get(leader) === connecting) this.#clients.delete(leader)
      void connecting.then(it => it.close()).catch(() => {})
    }
  }

  async #askFor(client: WireClient, questions: readonly Question[]): Promise<void> {
    if (this.#timer === null) return
    const topics = Array.from(
      Map.groupBy(questions, ({ topic }) => topic),
      ([name, ofTopic]) => ({
        name,
        partitions: ofTopic.map(({ partition: partitionIndex, offsets }) => {
          return { partitionIndex, offsets: [...offsets] }
        }),
      }),
    )
    const limits = { timeoutMs: answerTimeoutMs }
    const answer = await client.request(describeBacklogs, { topics }, limits)
    for (const { name: topic, partitions } of answer.topics) {
      for (const told of partitions) {
        if (told.errorCode !== 0) continue
        const backlogs = told.backlogs.map(({ offset, bytes, timestamp }) => {
          const timestampMs = Number(timestamp)
          return {
            offset: Number(offset),
            bytes: Number(bytes),
            timestampMs: timestampMs < 0 ? null : timestampMs,
          }
        })
        const [startOffset, highWatermark] = [
          Number(told.logStartOffset),
          Number(told.highWatermark),
        ]
        const partition = told.partitionIndex
        this.#options.elsewhere.told({ topic, partition, startOffset, highWatermark, backlogs })
      }
    }
  }
}

/** In parts of about `offsetsMax` offsets. */
function* partsOf(questions: readonly Question[]): Iterable<readonly Question[]> {
  let part: Question[] = []
  let count = 0
  for (const question of questions) {
    part.push(question)
    count += question.offsets.length
    if (count < offsetsMax) continue
    yield part
    part = []
    count = 0
  }
  if (part.length > 0) yield part
}
