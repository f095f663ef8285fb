import { leaseDurationMs, renewDeadlineMs } from '../lease-times.ts'
import type { Clock } from '../../../env/clock.ts'
import type { GetReply, KubernetesObject, NamedObjects } from '../../../kubernetes/named-objects.ts'
import { isWholeNumber } from '../../../lib/whole-number.ts'
import { isObject } from '../shape.ts'
import type { Lease, LeaseHolder, LeaseView } from '../store.ts'
import { storeUnavailable } from './look.ts'

export interface RingLeaseOptions {
  readonly objects: NamedObjects
  /** Of the Lease object. */
  readonly name: string
  /** Whoever has the same one is the same holder: a broker that starts again does not wait for itself. */
  readonly identity: string
  readonly clock: Clock
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/**
 * The Lease object, judged by this broker's own clock alone: another's counts as given up when it has not changed here for
 * its whole duration, one's own from before the request that renewed it was sent. Whoever holds the office renews it.
 *
 * It only keeps two brokers from getting into each other's way: what is true is decided in the ring. So where the
 * object does not exist, which brokers may not change, whoever goes on does so unwritten, until the operator has made it
 * again; others leave a controller alone that they hear (`isMissing`).
 */
export class RingLease implements Lease {
  readonly #options: RingLeaseOptions
  /** Its last known state, and when this broker first saw it, in monotonic milliseconds. */
  #seen: { readonly object: KubernetesObject; readonly sinceMs: number } | null = null
  #deadlineMs = -Infinity
  /** This broker goes on, and there is no object that could say so. */
  #isUnwritten = false
  #isRenewing = false

  constructor(options: RingLeaseOptions) {
    this.#options = options
  }

  async observe(): Promise<LeaseView> {
    const found = await this.#look()
    if (found.type === 'missing') {
      return { isHeld: false, isMine: this.#isUnwritten, holder: null, isMissing: true }
    }
    const holder = this.#holder()
    const { identity } = this.#options
    return {
      isHeld: holder !== '' && !this.#isStale(),
      isMine: holder === identity,
      holder: brokerOf(holder),
    }
  }

  async acquire({ force }: { readonly force: boolean }): Promise<boolean> {
    const sentAtMs = this.#options.clock.monotonic()
    const found = await this.#look()
    if (found.type === 'unavailable') throw storeUnavailable(found)
    if (found.type === 'missing') {
      const { name, warn } = this.#options
      warn('The Lease does not exist; the broker goes on without. The operator makes it', { name })
      this.#goOnUnwritten(sentAtMs)
      return true
    }
    this.#isUnwritten = false
    const holder = this.#holder()
    const { identity } = this.#options
    const isFree = holder === '' || holder === identity || this.#isStale()
    if (!isFree && !force) return false
    return await this.#write(identity, holder !== identity)
  }

  async renew(): Promise<boolean> {
    const { identity, clock } = this.#options
    if (!this.#isRenewing) {
      this.#isRenewing = true
      try {
        const wasWritten = this.#holder() === identity
        const isWritten = wasWritten && (await this.#write(identity, false))
        if (!isWritten) await this.#lookAgain(wasWritten || this.#isUnwritten)
      } finally {
        this.#isRenewing = false
      }
    }
    const isMine = this.#isUnwritten || this.#holder() === identity
    return isMine && clock.monotonic() < this.#deadlineMs
  }

  async release(): Promise<void> {
    this.#isUnwritten = false
    if (this.#holder() !== this.#options.identity) return
    this.#deadlineMs = -Infinity
    await this.#write('', false)
  }

  /** What could not be renewed is another's by now, or it is gone and nobody's, or it is there again and free. */
  async #lookAgain(wasMine: boolean): Promise<void> {
    const { identity, clock } = this.#options
    const sentAtMs = clock.monotonic()
    const found = await this.#look()
    if (!wasMine || found.type === 'unavailable') return
    if (found.type === 'missing') return this.#goOnUnwritten(sentAtMs)
    if (!this.#isUnwritten) return
    this.#isUnwritten = false
    if (this.#holder() === '') await this.#write(identity, true)
  }

  #goOnUnwritten(sentAtMs: number): void {
    this.#isUnwritten = true
    this.#deadlineMs = sentAtMs + renewDeadlineMs
  }

  async #look(): Promise<GetReply> {
    const reply = await this.#options.objects.get('Lease', this.#options.name)
    if (reply.type === 'found') this.#saw(reply.object)
    if (reply.type === 'missing') this.#seen = null
    return reply
  }

  /** False: it was not written, or nobody knows; the next look tells. */
  async #write(holderIdentity: string, isTaken: boolean): Promise<boolean> {
    const { objects, clock } = this.#options
    const before = this.#seen?.object
    if (before === undefined) return false
    const sentAtMs = clock.monotonic()
    const spec = this.#spec()
    const now = microTime(clock.now())
    const transitions = Number(spec['leaseTransitions'] ?? 0) + (isTaken ? 1 : 0)
    const reply = await objects.update('Lease', {
      ...before,
      spec: {
        ...spec,
        holderIdentity,
        leaseDurationSeconds: leaseDurationMs / 1_000,
        renewTime: now,
        ...(isTaken ? { acquireTime: now } : {}),
        leaseTransitions: transitions,
      },
    })
    if (reply.type !== 'stored') return false
    this.#saw(reply.object)
    this.#deadlineMs = sentAtMs + renewDeadlineMs
    return true
  }

  #saw(object: KubernetesObject): void {
    const isSame = this.#seen?.object.metadata.resourceVersion === object.metadata.resourceVersion
    const sinceMs = isSame ? this.#seen!.sinceMs : this.#options.clock.monotonic()
    this.#seen = { object, sinceMs }
  }

  #isStale(): boolean {
    if (this.#seen === null) return true
    return this.#options.clock.monotonic() - this.#seen.sinceMs >= leaseDurationMs
  }

  #holder(): string {
    const holder = this.#spec()['holderIdentity']
    return typeof holder === 'string' ? holder : ''
  }

  #spec(): Readonly<Record<string, unknown>> {
    const spec = this.#seen?.object['spec']
    return isObject(spec) ? spec : {}
  }
}

/** What a broker calls itself in a Lease. */
export function leaseIdentity(brokerId: number): string {
  return `broker-${brokerId}`
}

/** null for a name that no broker gave itself. */
function brokerOf(identity: string): LeaseHolder | null {
  const digits = /^broker-(\d+)$/.exec(identity)?.[1]
  return isWholeNumber(digits) ? { brokerId: Number(digits) } : null
}

/** Kubernetes' MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
