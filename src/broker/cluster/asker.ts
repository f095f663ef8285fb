import type { Clock } from '../../env/clock.ts'
import { sleep } from '../../env/clock.ts'
import type { Fields } from '../wire/field.ts'
import {
  alterPartitionsCall,
  type Call,
  type Caller,
  heartbeatCall,
  otherCall,
  producerIdsCall,
  registrationCall,
} from './calls.ts'
import type { Answer, Command, Refusal } from './controller/commands.ts'
import { type ControllerLink, NotSent } from './controller-link.ts'
import type { Office } from './office.ts'
import type { PartitionChange, PartitionChangeOutcome } from './partition-changes.ts'

export interface AskerOptions {
  readonly clock: Clock
  readonly link: ControllerLink
  readonly office: () => Office | null
  readonly caller: () => Caller
  /** True when the image here has record `sequence`; false after `timeoutMs`. */
  readonly seen: (sequence: number, timeoutMs: number) => Promise<boolean>
}

/** What became of one attempt. */
export type Attempt =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** Nobody got it: there is no controller to be found. */
  | { readonly kind: 'unsent' }
  /** It may have happened, or may still. */
  | { readonly kind: 'unknown' }

const askTimeoutMs = 30_000
const retryDelayMs = 100
/** A leader hears by then that its change was not taken, and asks again when it knows more. */
const alterTimeoutMs = 5_000

/** Asks the controller, wherever it is. */
export class Asker {
  readonly #options: AskerOptions
  readonly #alterations: {
    readonly changes: readonly PartitionChange[]
    readonly resolve: (outcomes: PartitionChangeOutcome[]) => void
  }[] = []
  #isAltering = false

  constructor(options: AskerOptions) {
    this.#options = options
  }

  /** One attempt. Never rejects. */
  async once(command: Command, timeoutMs: number): Promise<Attempt> {
    const office = this.#options.office()
    if (office !== null) {
      const asked = office.ask(command, timeoutMs)
      return asked.then(
        answer => ({ kind: 'answered', answer }) as const,
        () => ({ kind: 'unknown' }) as const,
      )
    }
    if (command.type === 'registerBroker') return this.#call(registrationCall, command, timeoutMs)
    if (command.type === 'heartbeat') return this.#call(heartbeatCall, command, timeoutMs)
    if (command.type === 'alterPartitions') {
      return this.#call(alterPartitionsCall, command, timeoutMs)
    }
    if (command.type === 'allocateProducerIds') {
      return this.#call(producerIdsCall, command, timeoutMs)
    }
    return this.#call(otherCall, command, timeoutMs)
  }

  /** Until somebody answers who is the controller. Never rejects. */
  async ask(command: Command, timeoutMs = askTimeoutMs): Promise<Answer> {
    const { clock } = this.#options
    const untilMs = clock.monotonic() + timeoutMs
    for (;;) {
      const attempt = await this.once(command, Math.max(1, untilMs - clock.monotonic()))
      if (attempt.kind === 'unknown') return outcomeUnknown
      if (attempt.kind === 'answered' && !isFromNobody(attempt.answer)) return attempt.answer
      if (clock.monotonic() + retryDelayMs > untilMs) return noController
      await sleep(clock, retryDelayMs)
    }
  }

  /** One batch at a time: what is wanted meanwhile goes together with the next. Never rejects. */
  alterPartitions(changes: readonly PartitionChange[]): Promise<PartitionChangeOutcome[]> {
    return new Promise(resolve => {
      this.#alterations.push({ changes, resolve })
      if (!this.#isAltering) void this.#alterAll()
    })
  }

  async #alterAll(): Promise<void> {
    this.#isAltering = true
    while (this.#alterations.length > 0) {
      const asked = this.#alterations.splice(0)
      const outcomes = await this.#alter(asked.flatMap(({ changes }) => changes))
      for (const { changes, resolve } of asked) resolve(outcomes.splice(0, changes.length))
    }
    this.#isAltering = false
  }

  async #alter(partitions: readonly PartitionChange[]): Promise<PartitionChangeOutcome[]> {
    const { brokerId, brokerEpoch } = this.#options.caller()
    const command = { type: 'alterPartitions', brokerId, brokerEpoch, partitions } as const
    const attempt = await this.once(command, alterTimeoutMs)
    if (attempt.kind === 'unknown') return partitions.map(() => ({ kind: 'unknown' }))
    if (attempt.kind === 'unsent') {
      return partitions.map(() => ({ kind: 'rejected', error: 'NOT_CONTROLLER' }))
    }
    const { answer } = attempt
    if (answer.type === 'partitionsAltered') {
      return answer.results.map(({ error, leaderEpoch, partitionEpoch, isr, isRecovering }) =>
        error === 'NONE'
          ? { kind: 'committed', leaderEpoch, partitionEpoch, isr, isRecovering }
          : { kind: 'rejected', error },
      )
    }
    const error = answer.type === 'refused' ? answer.error : 'UNKNOWN_SERVER_ERROR'
    // A controller that was asked and lost its store meanwhile says so by a time-out.
    if (error === 'REQUEST_TIMED_OUT') return partitions.map(() => ({ kind: 'unknown' }))
    return partitions.map(() => ({ kind: 'rejected', error }))
  }

  async #call<C extends Command, Request extends Fields, Response extends Fields>(
    call: Call<C, Request, Response>,
    command: C,
    timeoutMs: number,
  ): Promise<Attempt> {
    const { link, caller, clock, seen } = this.#options
    const address = link.target
    if (address === null) return { kind: 'unsent' }
    const askedMs = clock.monotonic()
    const untilMs = askedMs + timeoutMs
    const { api, lane } = call
    try {
      const asked = { address, lane, api, timeoutMs: timeoutMs + graceMs }
      const response = await link.request(asked, call.toRequest(command, caller(), timeoutMs))
      const answer = call.toAnswer(response, command)
      if (answer.type === 'heartbeatTaken') link.answered(askedMs)
      const { sequence = 0 } = response as { readonly sequence?: number }
      const leftMs = Math.max(0, untilMs - clock.monotonic())
      // Whoever is told that it was done finds it in the image.
      const isSeen = sequence === 0 || (await seen(sequence, leftMs))
      return isSeen ? { kind: 'answered', answer } : { kind: 'unknown' }
    } catch (error) {
      return { kind: error instanceof NotSent ? 'unsent' : 'unknown' }
    }
  }
}

/** For the way there and back: the controller itself says within the time of a request that it is over. */
const graceMs = 1_000

function isFromNobody(answer: Answer): boolean {
  return answer.type === 'refused' && answer.error === 'NOT_CONTROLLER'
}

const noController: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message:
    'No controller answered within the time of the request: nothing was changed. Try again later.',
}

const outcomeUnknown: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message:
    'The controller went away meanwhile: it may have happened or not. Look before you try again.',
}
