import { Alarm } from '../../env/alarm.ts'
import { DiskError, type Clock, type Random, type Timer } from '../../env/env.ts'
import { Backoff } from '../wire/client/backoff.ts'
import { AnsweredError, WireClientError } from '../wire/client/client-error.ts'
import type { Borrowed, WireClient } from '../wire/client/client.ts'
import type { Infer } from '../wire/field.ts'
import { fetch } from '../wire/messages/index.ts'
import { fetchVersion } from './fetch-request.ts'
import type { FetchFailure, FetchNumbers } from './fetch-numbers.ts'
import { FetcherState, type FetcherStateOptions, type Step, type Whose } from './fetcher-state.ts'
import type { FetchedResult, FollowedPartition } from './followed-partition.ts'
import type { Followed } from './followed.ts'
import { leaderRanges } from './leader-ranges.ts'

export interface FetcherOptions extends FetcherStateOptions {
  readonly clock: Clock
  readonly random: Random
  readonly leader: number
  /** A connection of its own to the leader, logged in. */
  connectTo(brokerId: number): Promise<WireClient>
  /** Milliseconds that an answer, or a connection, may take (`replica.socket.timeout.ms`); it gets a second more than the wait at the leader at least. */
  answerTimeoutMs(): number
  readonly numbers: FetchNumbers
  /** What failed, for the log: `followed` is null where it is the connection or the whole request. */
  onFailure(failure: Failure): void
}

export interface Failure {
  readonly leader: number
  readonly why: FetchFailure
  readonly message: string
  readonly followed: Followed | null
}

type Fetched = Borrowed<Infer<typeof fetch.response>>

/** What an answer may take beyond the wait at the leader. */
const answerSlackMs = 1000

/**
 * The front door of the room: one fetcher. It has a connection to one leader, asks it for what `FetcherState` says, and does what that makes of the
 * answers. While the connection cannot be had it tries again, with growing pauses; at once when the leader has
 * registered anew. A leader that does not answer in time is hung, or cut off: the connection is given up.
 */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #state: FetcherState
  readonly #alarm: Alarm
  #client: WireClient | null = null
  /** Raised by each attempt to connect: an older one that succeeds late is not wanted any more. */
  #attempt = 0
  #isConnecting = false
  #connectDeadline: Timer | null = null
  /** Of attempts to connect; null after one that was answered. */
  #backoff: Backoff | null = null
  #retry: Timer | null = null
  #isStopped = false
  /** Monotonic milliseconds of the last answer. */
  #heardMs: number

  constructor(options: FetcherOptions) {
    this.#options = options
    this.#state = new FetcherState(options)
    this.#alarm = new Alarm(options.clock, () => this.#goOn())
    this.#heardMs = options.clock.monotonic()
  }

  /** Partitions that it follows. */
  partitions(): Iterable<Followed> {
    return this.#state.partitions()
  }

  /** Monotonic milliseconds of the leader's last answer, or of the beginning. */
  get heardMs(): number {
    return this.#heardMs
  }

  follow(partition: FollowedPartition): void {
    this.#state.follow(partition)
    this.#goOn()
  }

  unfollow(partition: FollowedPartition): void {
    this.#state.unfollow(partition)
  }

  /** The leader is another process than before, maybe at another place: the old connection is worth nothing. */
  reconnect(): void {
    this.#backoff = null
    this.#endAttempt()
    this.#drop()
    this.#goOn()
  }

  stop(): void {
    this.#isStopped = true
    this.#endAttempt()
    this.#alarm.cancel()
    this.#drop()
  }

  /** What a leader has for anything, before it counts as hung. */
  #timeoutMs(): number {
    const { waitMsMax } = this.#options.sizes()
    return Math.max(this.#options.answerTimeoutMs(), waitMsMax + answerSlackMs)
  }

  /** Sends what there is to send, or connects, or sets the alarm. */
  #goOn(): void {
    if (this.#isStopped) return
    const client = this.#client
    if (client === null) return this.#connect()
    const { clock, numbers } = this.#options
    for (;;) {
      const request = this.#state.next(clock.monotonic())
      if (request === null) break
      numbers.requests++
      const timeoutMs = this.#timeoutMs()
      client.borrow(fetch, request, { version: fetchVersion, timeoutMs }).then(
        answer => this.#take(client, answer),
        (error: unknown) => this.#lost(client, error),
      )
    }
    this.#alarm.ringBy(this.#state.dueMs)
  }

  #connect(): void {
    if (this.#isConnecting || this.#retry !== null) return
    this.#isConnecting = true
    const attempt = ++this.#attempt
    // A process that is stopped is connected to by its kernel, and never lets anybody log in.
    const timeoutMs = this.#timeoutMs()
    const late = new WireClientError('timeout', `no connection within ${timeoutMs} ms`)
    this.#connectDeadline = this.#options.clock.after(timeoutMs, () =>
      this.#notConnected(late, attempt),
    )
    this.#options.connectTo(this.#options.leader).then(
      client => this.#connected(client, attempt),
      (error: unknown) => this.#notConnected(error, attempt),
    )
  }

  #connected(client: WireClient, attempt: number): void {
    if (attempt !== this.#attempt) return client.close()
    this.#endAttempt()
    this.#client = client
    void client.closed.then(error => this.#lost(client, error))
    this.#goOn()
  }

  #notConnected(error: unknown, attempt: number): void {
    if (attempt !== this.#attempt) return
    this.#endAttempt()
    this.#note(error)
    this.#connectLater()
  }

  /** Whatever comes of the attempt from here on is not wanted. */
  #endAttempt(): void {
    this.#attempt++
    this.#isConnecting = false
    this.#connectDeadline?.cancel()
    this.#connectDeadline = null
  }

  #connectLater(): void {
    this.#backoff ??= this.#freshBackoff()
    this.#retry = this.#options.clock.after(this.#backoff.next(), () => {
      this.#retry = null
      this.#goOn()
    })
  }

  /** The connection ended, or a request could not be sent on it. */
  #lost(client: WireClient, error: unknown): void {
    if (client !== this.#client) return
    this.#note(error)
    this.#drop()
    if (!this.#isStopped) this.#connectLater()
  }

  #drop(): void {
    this.#retry?.cancel()
    this.#retry = null
    const client = this.#client
    this.#client = null
    client?.close()
    this.#state.disconnected()
  }

  #take(client: WireClient, answer: Fetched): void {
    if (client !== this.#client) return answer.release()
    const nowMs = this.#options.clock.monotonic()
    this.#heardMs = nowMs
    let isRefused = false
    const steps = this.#state.answered(answer.value, nowMs, (error, followed) => {
      if (followed === null && !sessionErrors.has(error)) isRefused = true
      this.#tell({ why: error, message: `the leader answered ${error}`, followed })
    })
    if (isRefused) {
      answer.release()
      this.#drop()
      return this.#connectLater()
    }
    this.#backoff = null
    this.#perform(client, steps, answer)
    this.#goOn()
  }

  #perform(client: WireClient, steps: readonly Step[], answer: Fetched): void {
    const outOfRange: Whose[] = []
    let held = 1
    const release = (): void => {
      if (--held === 0) answer.release()
    }
    for (const step of steps) {
      if (step.kind === 'leave-range') outOfRange.push(step)
      else if (step.kind === 'truncate') {
        const { followed, diverging, leaderEpoch } = step
        const { epoch, endOffset } = diverging
        const told = `leader epoch ${epoch} ends at ${endOffset} there`
        this.#settle(step, told, followed.partition.truncate(diverging, leaderEpoch))
      } else {
        held++
        this.#options.numbers.bytes += step.records.length
        step.followed.partition.appendFetched(step.records, step.told, result => {
          release()
          this.#appended(step, result)
        })
      }
    }
    release()
    if (outOfRange.length > 0) void this.#leaveRanges(client, outOfRange)
  }

  #appended(step: Step, result: FetchedResult): void {
    const { clock } = this.#options
    this.#state.appended(step, result, clock.monotonic())
    if (!result.ok) {
      this.#tell({ why: result.error, message: result.message, followed: step.followed })
    }
    this.#goOn()
  }

  async #leaveRanges(client: WireClient, asked: readonly Whose[]): Promise<void> {
    const asking = {
      replicaId: this.#options.replicaId,
      timeoutMs: this.#timeoutMs(),
    }
    try {
      const ranges = await leaderRanges(client, asking, asked)
      for (const each of asked) {
        const range = ranges.get(each)
        const { followed, leaderEpoch } = each
        if (range === undefined) this.#failed(each, 'OFFSET_OUT_OF_RANGE', 'no range was told')
        else {
          const { startOffset, endOffset } = range
          const told = `the log there has offsets ${startOffset} to ${endOffset}`
          this.#settle(each, told, followed.partition.leaveRange(range, leaderEpoch))
        }
      }
    } catch (error) {
      if (!(error instanceof WireClientError)) throw error
      for (const each of asked) this.#failed(each, 'OFFSET_OUT_OF_RANGE', error.message)
    }
  }

  /** Goes on when `work` on the log of a partition is done, by what the leader `told`. What the disk refused may go better later. */
  #settle(whose: Whose, told: string, work: Promise<void>): void {
    void work.then(
      () => {
        if (!this.#state.resumed(whose, this.#options.clock.monotonic())) {
          const message = `the leader does not have what was asked for, and ${told}: nothing to cut here`
          this.#tell({ why: 'OFFSET_OUT_OF_RANGE', message, followed: whose.followed })
        }
        this.#goOn()
      },
      (error: unknown) => {
        if (!(error instanceof DiskError)) throw error
        this.#failed(whose, 'KAFKA_STORAGE_ERROR', error.message)
      },
    )
  }

  #failed(whose: Whose, why: FetchFailure, message: string): void {
    this.#state.failed(whose, this.#options.clock.monotonic())
    this.#tell({ why, message, followed: whose.followed })
    this.#goOn()
  }

  #note(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof WireClientError) this.#tell({ why: error.reason, message, followed: null })
    else if (error instanceof AnsweredError)
      this.#tell({ why: error.error, message, followed: null })
    else this.#tell({ why: 'login', message, followed: null })
  }

  #tell(failure: Omit<Failure, 'leader'>): void {
    const { numbers, leader } = this.#options
    numbers.failed(failure.why)
    this.#options.onFailure({ leader, ...failure })
  }

  #freshBackoff(): Backoff {
    const delayMsMax = Math.max(backoffMsMin, this.#options.sizes().backoffMs)
    return new Backoff(this.#options.random, { delayMsMin: backoffMsMin, delayMsMax })
  }
}

/** The first pause before another attempt to connect. */
const backoffMsMin = 50

/** After these the next request begins a session anew, at once. */
const sessionErrors: ReadonlySet<string> = new Set([
  'FETCH_SESSION_ID_NOT_FOUND',
  'INVALID_FETCH_SESSION_EPOCH',
  'FETCH_SESSION_TOPIC_ID_ERROR',
])
