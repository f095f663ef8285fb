import type { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { StoreError, StoreUnavailable } from '../metadata/store.ts'
import type { ControllerLink } from './controller-link.ts'
import { Deposed } from './controller-shell.ts'
import { announce } from './announce.ts'
import { Following, type TakeOptions } from './following.ts'
import type { KnownLog } from './known-log.ts'
import { suitable } from './look.ts'
import { makeOffice, type OfficeHooks, type ReadLog } from './make-office.ts'
import type { HeldOffice } from './office.ts'
import type { ClusterOptions } from './options.ts'
import { replay } from './replay.ts'

export interface SuccessionOptions {
  readonly cluster: ClusterOptions
  readonly known: KnownLog
  readonly link: ControllerLink
  readonly image: () => MetadataImage
  readonly brokerEpoch: () => number
  readonly publish: (image: MetadataImage, records: readonly MetadataRecord[]) => void
  /** The store holds what this broker may not follow; null: it does so no longer. */
  readonly quarantined: (error: StoreError | null) => void
  /** Nothing may go on. */
  readonly failed: (error: Error) => void
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** Whoever held the office again so soon after it was taken by force, and refuses connections still, lives (durability.md 1.5). */
const forceIntervalMs = 30_000

/**
 * Who of several brokers is the controller, as one of them sees it: it holds the office or follows the log, and goes from
 * the one to the other whenever the office is won or lost (durability.md 1.4, 1.5). Two may believe for a moment that they hold
 * it: the log tells, since what the former one appends is lost.
 */
export class Succession {
  readonly #options: SuccessionOptions
  #office: HeldOffice | null = null
  #candidate: HeldOffice | null = null
  #following: Following | null = null
  /** By broker: when its office was taken by force last, or would have been. */
  readonly #forcedAtMs = new Map<number, number>()
  #isTaking = false
  #isQuarantined = false
  #isStopped = false

  constructor(options: SuccessionOptions) {
    this.#options = options
  }

  get office(): HeldOffice | null {
    return this.#office
  }

  get isFollowing(): boolean {
    return this.#following !== null
  }

  /** There may be another controller to be asked. */
  hurry(): void {
    this.#following?.hurry()
  }

  /** `office` was claimed elsewhere, by the only broker of a cluster. */
  hold(office: HeldOffice): void {
    this.#office = office
  }

  /** The end of an office that `hold` was given; true where it was that one. */
  drop(office: HeldOffice): boolean {
    if (this.#office !== office) return false
    office.stop()
    this.#office = null
    return true
  }

  follow(): void {
    if (this.#isStopped || this.#following !== null) return
    const { cluster, known, link, image, brokerEpoch, failed, warn } = this.#options
    known.setOwned(false)
    this.#following = new Following({
      env: cluster.env,
      brokerId: cluster.brokerId,
      lease: cluster.store.lease,
      known,
      link,
      image,
      brokerEpoch,
      takeOffice: options => this.#takeOffice(options),
      readStore: () => this.#readStore(),
      isQuarantined: () => this.#isQuarantined,
      mayForce: id => this.#mayForce(id),
      failed,
      warn,
    })
  }

  /** Claims the office over what was read while the lease was ours; rejects where it is not to be had. */
  async claim(read: ReadLog): Promise<void> {
    const { known } = this.#options
    known.setOwned(true)
    const office = makeOffice(
      this.#options.cluster,
      read,
      known,
      this.#hooks(() => office),
    )
    this.#candidate = office
    try {
      await office.shell.start()
      const { failure } = office.shell
      if (failure !== null) throw failure
    } catch (error) {
      office.stop()
      await known.alone(() => office.shell.settled())
      throw error
    } finally {
      this.#candidate = null
    }
    if (this.#isStopped) return office.stop()
    this.#following?.stop()
    this.#following = null
    this.#office = office
    this.#announce()
  }

  #announce(): void {
    const { cluster, link, known, image, brokerEpoch, failed } = this.#options
    const { brokerId } = cluster
    announce({ brokerId, brokerEpoch: brokerEpoch(), link, known, image: image(), failed })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#following?.stop()
    this.#office?.stop()
    this.#candidate?.stop()
    await this.#candidate?.shell.stop()
    await this.#office?.shell.stop()
    await this.#options.known.alone(() => Promise.resolve())
  }

  #hooks(office: () => HeldOffice): OfficeHooks {
    return {
      onPublish: (image, records) => this.#options.publish(image, records),
      onFailure: error => {
        if (this.#office === office()) this.lost(office(), error)
      },
    }
  }

  /** `office` failed. */
  lost(office: HeldOffice, error: Error): void {
    const { failed, warn } = this.#options
    this.drop(office)
    if (this.#isStopped) return
    if (!isPassing(error)) return failed(error)
    warn('This broker is the controller no longer', { reason: error.message })
    void this.#leave(office)
  }

  /** Back to following, once nothing of the office touches the store any more. */
  async #leave({ shell }: HeldOffice): Promise<void> {
    await this.#options.known.alone(() => shell.settled())
    await this.#releaseLease()
    this.follow()
  }

  async #takeOffice({ force, deadId, silence = null }: TakeOptions): Promise<void> {
    if (this.#isTaking || this.#isStopped || this.#office !== null) return
    this.#isTaking = true
    try {
      await this.#tryOffice(force)
      const isForced = force && this.#office !== null
      if (isForced && deadId !== undefined) this.#forcedAtMs.set(deadId, this.#nowMs)
      if (deadId !== undefined) this.office?.foundDead(deadId)
      if (silence !== null) this.office?.foundSilent(silence)
    } catch (error) {
      this.#missed(error as Error)
    } finally {
      this.#isTaking = false
    }
  }

  /**
   * A process that refuses only this broker's connections goes on renewing its lease, and does the same in return: the two would pass the
   * office to and fro. So it is taken by force once; as long as that place goes on refusing, only the lease tells.
   */
  #mayForce(id: number): boolean {
    const forcedAtMs = this.#forcedAtMs.get(id) ?? -Infinity
    if (this.#nowMs - forcedAtMs >= forceIntervalMs) return true
    this.#forcedAtMs.set(id, this.#nowMs)
    return false
  }

  get #nowMs(): number {
    return this.#options.cluster.env.clock.monotonic()
  }

  async #tryOffice(force: boolean): Promise<void> {
    const { cluster, known } = this.#options
    const { store, env } = cluster
    const acquiredAtMs = env.clock.monotonic()
    if (!(await store.lease.acquire({ force }))) return
    try {
      known.setOwned(true)
      const log = await known.alone(() => store.readAll())
      if (this.#isStopped) return
      const image = suitable(replay(log), cluster)
      known.catchUp(log)
      this.#quarantined(null)
      await this.claim({ log, image, acquiredAtMs })
    } finally {
      if (this.#office === null) {
        known.setOwned(false)
        await this.#releaseLease()
      }
    }
  }

  /** Another was faster, or the store does not answer: both pass. */
  #missed(error: Error): void {
    if (this.#isStopped || error instanceof StoreUnavailable || error instanceof Deposed) return
    if (error instanceof StoreError && error.reason !== 'failed') {
      return this.#quarantined(error)
    }
    this.#options.failed(error)
  }

  #quarantined(error: StoreError | null): void {
    this.#isQuarantined = error !== null
    this.#options.quarantined(error)
  }

  async #readStore(): Promise<void> {
    const { cluster, known } = this.#options
    try {
      await known.alone(async () => {
        if (this.#isTaking || this.#isStopped || this.#office !== null) return
        const log = await cluster.store.readAll()
        if (this.#isStopped) return
        suitable(replay(log), cluster)
        known.catchUp(log)
        this.#quarantined(null)
      })
    } catch (error) {
      this.#missed(error as Error)
    }
  }

  async #releaseLease(): Promise<void> {
    try {
      await this.#options.cluster.store.lease.release()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) this.#missed(error as Error)
    }
  }
}

/** The office is gone, and the broker goes on. */
function isPassing(error: Error): boolean {
  return error instanceof Deposed || (error instanceof StoreError && error.reason !== 'failed')
}
