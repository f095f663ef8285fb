import { sleep, type Clock } from '../../env/clock.ts'
import { deferred } from '../../lib/deferred.ts'
import type { KubernetesApi } from './api.ts'
import { ApiError, isAlreadyExists, isConflict } from './api-error.ts'
import {
  Election,
  type ElectionEffect,
  type ElectionEvent,
  type LeaseClaim,
  type LeaseRecord,
} from './election.ts'
import type { DraftOf, Lease } from './objects.ts'
import { resources } from './resources.ts'

export interface LeaderOptions {
  /** Not the one that asks the leader before it writes. */
  readonly api: Pick<KubernetesApi, 'get' | 'create' | 'replace'>
  readonly clock: Clock
  readonly namespace: string
  readonly name: string
  /** Of this process and no other, before or after: the pod's name and something by chance. */
  readonly identity: string
  /** It led and does no more: the process must end. */
  readonly onLost: () => void
  readonly onFailure: (reason: string) => void
}

/** Longer than any answer about a Lease takes; two of them fit into the time to renew. */
const answerMs = 4000

/** Holds the Lease for this process, by `Election`. */
export class Leader {
  readonly #options: LeaderOptions
  readonly #election: Election
  readonly #leading = deferred<void>()
  #isStopped = false
  /** The Lease as it was last read or written, for the fields that the election does not know. */
  #lease: Lease | null = null

  constructor(options: LeaderOptions) {
    this.#options = options
    this.#election = new Election(options.identity)
  }

  /** Resolves when this process leads. */
  get leading(): Promise<void> {
    return this.#leading.promise
  }

  /** Whether this process may act now; asked right before each write. */
  mayAct(): boolean {
    return this.#election.mayAct(this.#options.clock.monotonic())
  }

  /** Who holds the Lease as far as we know. */
  get holder(): string {
    return this.#election.holder
  }

  /** Campaigns and then renews, until it is stopped or has lost. */
  async run(): Promise<void> {
    let effect = this.#step({ type: 'tick' })
    while (effect !== null && !this.#isStopped) {
      const event = await this.#perform(effect)
      if (this.#isStopped) return
      effect = this.#step(event)
    }
  }

  /** Gives the Lease up, so that the next need not wait. Only when nothing acts any more. */
  async release(): Promise<void> {
    this.#isStopped = true
    const claim = this.#election.release()
    if (claim === null) return
    try {
      await this.#write(claim)
    } catch (error) {
      // It runs out by itself.
      this.#options.onFailure(messageOf(error))
    }
  }

  #step(event: ElectionEvent): Lasting | null {
    let lasting: Lasting | null = null
    for (const effect of this.#election.step(event, this.#options.clock.monotonic())) {
      if (effect.do === 'lead') this.#leading.resolve()
      else if (effect.do === 'lose') this.#options.onLost()
      else lasting = effect
    }
    return lasting
  }

  async #perform(effect: Lasting): Promise<ElectionEvent> {
    const { clock } = this.#options
    try {
      switch (effect.do) {
        case 'wait':
          await sleep(clock, effect.delayMs)
          return { type: 'tick' }
        case 'read':
          return { type: 'read', record: await this.#inTime(this.#read()) }
        case 'write': {
          const sentAtMs = clock.monotonic()
          const record = await this.#inTime(this.#write(effect.claim))
          return { type: 'wrote', record, sentAtMs }
        }
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (isConflict(error) || isAlreadyExists(error)) return { type: 'conflict' }
      this.#options.onFailure(error.message)
      return { type: 'failed' }
    }
  }

  /** What it takes longer counts as failed: an answer that hangs must not hide that the time is over. */
  async #inTime<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const late = deferred<never>()
    const timer = this.#options.clock.after(answerMs, () =>
      late.reject(new ApiError('unknown', { message: `no answer within ${answerMs} ms` })),
    )
    asked.catch(() => {})
    try {
      return await Promise.race([asked, late.promise])
    } finally {
      timer.cancel()
    }
  }

  async #read(): Promise<LeaseRecord | null> {
    const { api, namespace, name } = this.#options
    this.#lease = await api.get(resources.leases, { namespace, name })
    return this.#lease === null ? null : recordOf(this.#lease)
  }

  async #write(claim: LeaseClaim): Promise<LeaseRecord> {
    const { api, clock, namespace, name } = this.#options
    const { isNew, holder, durationSeconds, transitions } = claim
    const now = microTime(clock.now())
    const draft: DraftOf<Lease> = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name },
      spec: {
        ...this.#lease?.spec,
        holderIdentity: holder,
        leaseDurationSeconds: durationSeconds,
        leaseTransitions: transitions,
        renewTime: now,
        ...(isNew ? { acquireTime: now } : {}),
      },
    }
    const known = this.#lease
    const { resourceVersion } = claim
    this.#lease =
      known === null || resourceVersion === null
        ? await api.create(resources.leases, draft)
        : // By the election's own version: an answer that came late may have brought another here.
          await api.replace(resources.leases, {
            ...draft,
            metadata: { ...known.metadata, resourceVersion },
          })
    return recordOf(this.#lease)
  }
}

type Lasting = Exclude<ElectionEffect, { readonly do: 'lead' | 'lose' }>

function recordOf({ spec, metadata: { resourceVersion } }: Lease): LeaseRecord {
  return {
    holder: spec?.holderIdentity ?? '',
    durationSeconds: spec?.leaseDurationSeconds ?? 0,
    transitions: spec?.leaseTransitions ?? 0,
    resourceVersion,
  }
}

/** Milliseconds since 1970 as Kubernetes' MicroTime, which wants six digits. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown failure'
}
