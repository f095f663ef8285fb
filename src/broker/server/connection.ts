import type {
  CloseReason,
  Clock,
  Connection,
  ConnectionEvents,
  Frame,
  OutPart,
} from '../../env/env.ts'
import { ConnectionFault, type Answer } from '../handlers/handler.ts'
import type { Session } from '../security/session.ts'
import type { AnswerError } from './answer-errors.ts'
import {
  apiKeyOf,
  encodeAnswer,
  encodeFallback,
  sending,
  type Dispatch,
  type Dispatcher,
} from './dispatch.ts'
import { failedLoginPause, LoginWatch } from './login-watch.ts'
import { OpenRequest, unknownFacts, type Outcome, type RequestFacts } from './open-request.ts'
import type { OutputBudget } from './output-budget.ts'
import { faultTexts, Quiet, type QuietLimits } from './quiet.ts'
import type { Turns, TurnShare } from './turns.ts'

/** What a connection needs of the server it belongs to, and what it tells it. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly dispatcher: Dispatcher
  readonly limits: ConnectionBounds
  readonly output: OutputBudget
  readonly turns: Turns
  /** For a connection that came. */
  openSession(): Session
  /** Too many bytes are dirty: producers are not read. */
  isUnderPressure(): boolean
  /** An answer told errors. */
  refused(connection: ServerConnection, facts: RequestFacts, errors: readonly AnswerError[]): void
  /** The client could not log in, and will be closed. */
  turnedAway(connection: ServerConnection, why: string): void
  /** The client did what is answered by closing. */
  faulted(connection: ServerConnection, facts: RequestFacts | null, fault: ConnectionFault): void
  /** Something of ours failed. An InvariantError ends the process. */
  failed(connection: ServerConnection, facts: RequestFacts | null, error: unknown): void
  /** Said once, last. `reason` is ours where we closed it, else the network's. */
  ended(connection: ServerConnection, reason: string, detail: string): void
}

interface ConnectionBounds extends QuietLimits {
  readonly requestsInFlightMax: number
  readonly queuedOutputBytesMax: number
}

const produceKey = 0

/**
 * One client: requests are handled in the order of their arrival (G14), several at a time but for what comes behind
 * a Produce, and answered in that order too (G13). Above its bounds it is not read; frames that came in the same
 * poll wait in the backlog.
 */
export class ServerConnection implements ConnectionEvents {
  readonly listenerName: string
  readonly connection: Connection
  /** As its last request told it. */
  clientId: string | null = null
  readonly session: Session
  readonly #login: LoginWatch
  readonly #host: ConnectionHost
  /** Requests that are handled and whose answer has not left, by arrival. */
  readonly #open: OpenRequest[] = []
  readonly #backlog: Frame[] = []
  /** Bytes of answers that wait for an earlier one. */
  #heldBytes = 0
  /** What the budget of all connections counts for this one. */
  #countedBytes = 0
  readonly #quiet: Quiet
  readonly #share: TurnShare
  /** `stopping`: what was taken is answered, then it ends. `ending`: its output leaves, nothing else. */
  #state: 'serving' | 'stopping' | 'ending' | 'closed' = 'serving'
  #isPaused = false
  #isAdvancing = false
  #advancesSoon = false
  #hasProduced = false
  /** Why we closed it. */
  #reason: string | null = null

  constructor(host: ConnectionHost, connection: Connection, listenerName: string) {
    this.#host = host
    this.connection = connection
    this.listenerName = listenerName
    this.session = host.openSession()
    const nowMs = host.clock.monotonic()
    this.#login = new LoginWatch(this.session, nowMs)
    this.#quiet = new Quiet(host.limits, nowMs)
    this.#share = host.turns.share(() => this.drained())
  }

  get isIdle(): boolean {
    return this.#open.length === 0 && this.#backlog.length === 0
  }

  frames(frames: readonly Frame[]): void {
    this.#guarded(null, () => {
      if (this.#state !== 'serving') {
        for (const frame of frames) frame.release()
        return
      }
      this.#quiet.heard(this.#host.clock.monotonic())
      this.#backlog.push(...frames)
      this.#advance()
    })
  }

  drained(): void {
    this.#guarded(null, () => this.#advance())
  }

  closed({ kind, detail }: CloseReason): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#countOutput(0)
    this.#guarded(null, () => {
      for (const frame of this.#backlog.splice(0)) frame.release()
    })
    this.#abandonOpen()
    this.#host.ended(this, kind === 'local' ? (this.#reason ?? kind) : kind, detail)
  }

  /** The pressure of dirty bytes came or went. */
  pressureChanged(): void {
    if (this.#hasProduced) this.#guarded(null, () => this.#advance())
  }

  /** Takes no more requests, answers those it took, and ends. */
  stop(): void {
    if (this.#state !== 'serving') return
    this.#state = 'stopping'
    this.#reason = 'stop'
    this.#guarded(null, () => {
      for (const request of this.#open) request.hurry()
      this.#advance()
    })
  }

  /** Closes at once; what is not answered is not. */
  close(reason: string): void {
    if (this.#state === 'closed') return
    this.#reason = reason
    this.connection.close()
  }

  /** Called now and then: closes a connection that is silent, stuck, or too slow with a frame. */
  sweep(nowMs: number): void {
    if (this.#state === 'closed') return
    const why = this.#login.whyClose(nowMs, this.connection.partialBytes)
    if (why !== null) {
      this.#turnAway('login-timeout', why)
      return this.connection.close()
    }
    const { partialBytes, queuedBytes, isStarved } = this.connection
    const isOwed = !this.isIdle
    const view = { partialBytes, queuedBytes, isStarved, isOwed, isHeldBack: this.#isPaused }
    const verdict = this.#quiet.judge(nowMs, view)
    if (verdict === null) return
    if (verdict !== 'idle') {
      this.#host.faulted(this, null, new ConnectionFault(verdict, faultTexts[verdict]))
    }
    this.close(verdict)
  }

  /** Handles what the bounds allow, sends what is ready, and reads on or not. */
  #advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      do {
        while (this.#mayGoOn) this.#take(this.#backlog.shift()!)
        this.#sendReady()
      } while (this.#mayGoOn)
    } finally {
      this.#isAdvancing = false
    }
    if (this.#state === 'stopping' && this.isIdle) this.#end()
    this.#readOrNot()
  }

  get #mayGoOn(): boolean {
    return this.#backlog.length > 0 && this.#mayTake() && !this.#share.isOver
  }

  #mayTake(): boolean {
    if (this.#state !== 'serving' && this.#state !== 'stopping') return false
    const { requestsInFlightMax, queuedOutputBytesMax } = this.#host.limits
    const queuedBytes = this.connection.queuedBytes + this.#heldBytes
    this.#countOutput(queuedBytes)
    if (this.#open.length >= requestsInFlightMax) return false
    if (queuedBytes >= queuedOutputBytesMax) return false
    const isOwed = queuedBytes > 0 || this.#open.length > 0
    if (isOwed && this.#host.output.isOver) return false
    if (this.#mustWaitForProduce()) return false
    return !(this.#hasProduced && this.#state === 'serving' && this.#host.isUnderPressure())
  }

  /**
   * What comes behind a Produce sees what that wrote, as in Kafka, which takes one request of a connection at a
   * time: it waits until the Produce is done. Other Produces do not, so that one write is enough for many.
   */
  #mustWaitForProduce(): boolean {
    const next = this.#backlog[0]
    if (!this.#hasProduced || next === undefined || apiKeyOf(next.bytes) === produceKey)
      return false
    return this.#open.some(({ facts, outcome }) => facts.apiKey === produceKey && outcome === null)
  }

  #countOutput(bytes: number): void {
    this.#host.output.change(bytes - this.#countedBytes)
    this.#countedBytes = bytes
  }

  #readOrNot(): void {
    if (this.#state === 'closed') return
    const isPaused = this.#state !== 'serving' || this.#share.isWaiting || !this.#mayTake()
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    if (isPaused) this.connection.pause()
    else this.connection.resume()
  }

  #take(frame: Frame): void {
    const dispatch = this.#dispatch(frame)
    const facts = dispatch.facts ?? unknownFacts
    this.clientId = facts.clientId ?? this.clientId
    if (facts.apiKey === produceKey) this.#hasProduced = true
    const { connection, listenerName, session } = this
    const place = { connection, frame, listenerName, session }
    const request = new OpenRequest(facts, place, this.#host.clock.monotonic())
    this.#open.push(request)
    if (this.#state === 'stopping') request.hurry()
    if (dispatch.kind !== 'fault' && !session.admits(facts.apiKey)) {
      request.handled()
      return this.#fail(request, new ConnectionFault('not-logged-in', mustLogIn))
    }
    switch (dispatch.kind) {
      case 'request':
        request.meter = dispatch.route.meter
        request.meter.requests.value++
        return this.#handle(dispatch, frame, request)
      case 'fallback':
        request.meter = dispatch.meter
        request.meter.requests.value++
        request.meter.error('UNSUPPORTED_VERSION')
        request.handled()
        return this.#settle(request, sending(encodeFallback(facts)))
      case 'fault':
        request.handled()
        return this.#fail(request, dispatch.fault)
    }
  }

  #dispatch(frame: Frame): Dispatch {
    try {
      return this.#host.dispatcher.dispatch(frame.bytes)
    } catch (error) {
      frame.release()
      throw error
    }
  }

  #handle(dispatch: Dispatch & { kind: 'request' }, frame: Frame, request: OpenRequest): void {
    let answer: Answer | Promise<Answer>
    try {
      answer = this.#host.dispatcher.handle(dispatch, frame.bytes, request)
    } catch (error) {
      request.handled()
      return this.#fail(request, error)
    }
    request.handled()
    const { failure } = this.session
    if (failure !== null) {
      this.#turnAway('login-failed', failure)
      const last = answer
      answer = failedLoginPause(this.#host.clock).then(() => last)
    }
    if (!(answer instanceof Promise)) return this.#answer(dispatch, request, answer)
    answer.then(
      later => this.#late(request, () => this.#answer(dispatch, request, later)),
      (error: unknown) => {
        if (this.#open.includes(request)) this.#late(request, () => this.#fail(request, error))
        else if (!(error instanceof ConnectionFault)) this.#host.failed(this, request.facts, error)
      },
    )
  }

  /** It may not come in. What it was answered still leaves; counted now, since it may not wait for that. */
  #turnAway(reason: string, why: string): void {
    if (this.#state === 'serving') this.#reason = reason
    this.#host.turnedAway(this, why)
    this.#takeNoMore()
  }

  /** An answer that came by promise; it goes nowhere where the connection has ended meanwhile. */
  #late(request: OpenRequest, act: () => void): void {
    if (!this.#open.includes(request)) return
    this.#guarded(request.facts, act)
    this.#advanceSoon()
  }

  /** Behind the promises that are settled already: answers that one write made ready leave together. */
  #advanceSoon(): void {
    if (this.#advancesSoon) return
    this.#advancesSoon = true
    void Promise.resolve().then(() => {
      this.#advancesSoon = false
      this.#guarded(null, () => this.#advance())
    })
  }

  #answer({ route }: Dispatch & { kind: 'request' }, request: OpenRequest, answer: Answer): void {
    if (answer === null) return this.#settle(request, { kind: 'silent' })
    const errors = route.findErrors(answer)
    if (errors.length > 0) {
      for (const { error } of errors) route.meter.error(error)
      this.#host.refused(this, request.facts, errors)
    }
    this.#settle(request, sending(encodeAnswer(route, request.facts, answer)))
  }

  /** The request is answered by the end of the connection, after the answers to those before it. */
  #fail(request: OpenRequest, error: unknown): void {
    if (error instanceof ConnectionFault) {
      this.#host.faulted(this, request.facts === unknownFacts ? null : request.facts, error)
      request.meter?.error(error.reason)
      this.#reason ??= error.reason
    } else {
      this.#reason ??= 'failure'
      this.#host.failed(this, request.facts, error)
    }
    this.#settle(request, { kind: 'close' })
    // What follows a broken frame cannot be trusted.
    this.#takeNoMore()
  }

  #takeNoMore(): void {
    for (const frame of this.#backlog.splice(0)) frame.release()
    if (this.#state === 'serving') this.#state = 'stopping'
  }

  #settle(request: OpenRequest, outcome: Outcome): void {
    request.settle(outcome)
    if (outcome.kind === 'send') this.#heldBytes += outcome.bytes
  }

  /** Sends every answer that no open request stands before. */
  #sendReady(): void {
    let isEnd = false
    const ready: OutPart[] = []
    const nowMs = this.#host.clock.monotonic()
    while (this.#open[0]?.outcome && !isEnd) {
      const request = this.#open.shift()!
      const outcome = request.outcome!
      if (outcome.kind === 'send') {
        this.#heldBytes -= outcome.bytes
        this.#quiet.sent(outcome.bytes, nowMs)
        for (const part of outcome.parts) ready.push(part)
      }
      request.meter?.observe((nowMs - request.receivedAtMs) / 1000)
      isEnd = outcome.kind === 'close'
    }
    if (ready.length > 0) this.connection.send(ready)
    if (isEnd) this.#end()
  }

  #abandonOpen(): void {
    for (const request of this.#open.splice(0)) {
      this.#guarded(request.facts, () => request.abandon())
    }
  }

  #end(): void {
    if (this.#state === 'closed' || this.#state === 'ending') return
    this.#state = 'ending'
    this.#abandonOpen()
    this.connection.end()
  }

  /** Whatever fails in `act` closes this connection and nothing else; a broken invariant is the host's to end. */
  #guarded(facts: RequestFacts | null, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#host.failed(this, facts, error)
      this.close('failure')
    }
  }
}

const mustLogIn = 'this listener serves nobody who has not logged in by SASL'
