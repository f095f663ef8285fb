import type { BrokerImage, MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import { isActive } from '../../metadata/replicas.ts'
import type { Answer, Heartbeat } from './commands.ts'
import type { BrokerSilence } from './events.ts'
import { isOnlyBroker } from './register-broker.ts'
import { refusalOf } from './refusals.ts'

/** What a broker's signs of life come to. */
export interface BrokerDuty {
  readonly type: 'fence' | 'unfence' | 'shutDown'
  readonly brokerId: number
}

interface Session {
  /** Of the broker's start that this is the session of. */
  readonly brokerEpoch: number
  heardAtMs: number
  /** null until this controller hears of it. */
  last: Heartbeat | null
  /** It may not be unfenced before it has applied this one: its own registration is in it (durability.md R2). */
  readonly neededSequence: number
  /** It may not go before all who live have applied this one; null: it does not want to go. */
  departureSequence: number | null
  /** Its connection was reset, and it did not come back. */
  isGone: boolean
}

/**
 * A process is fenced before the end of its session no more often than this, so that one that lives, and whose connections break, does not
 * move leaders all the time.
 */
const earlyFencingIntervalMs = 30_000

/** For a broker that was found silent, and lives, to say so. */
const silenceGraceMs = 1_000

/** A pause between two ticks that is longer than this was one of this controller: it counts against nobody. */
const tickGapMsMax = 1_000

/**
 * Which brokers live, as far as this controller knows. Only in memory: a new controller gives everybody a session's time, because nobody could
 * be heard while there was none (reliability: a change of the controller fences nobody). Time is what ticks told last.
 */
export class Sessions {
  readonly #sessionMs: number
  readonly #byId = new Map<number, Session>()
  readonly #fencedEarlyAtMs = new Map<number, number>()
  /** What was committed when this controller began. */
  readonly #sequenceAtStart: number
  #nowMs: number | null = null

  constructor(sessionMs: number, sequenceAtStart: number) {
    this.#sessionMs = sessionMs
    this.#sequenceAtStart = sequenceAtStart
  }

  tick(nowMs: number): void {
    const before = this.#nowMs
    // Before the first tick there was no time.
    const ownPauseMs = before === null ? nowMs : Math.max(0, nowMs - before - tickGapMsMax)
    for (const session of this.#byId.values()) session.heardAtMs += ownPauseMs
    this.#nowMs = nowMs
  }

  /** `records` made `image` of the one before. Who is new, to this controller or at all, is given a session's time. */
  committed(image: MetadataImage, records: readonly MetadataRecord[]): void {
    for (const record of records) {
      if (record.type === 'brokerRegistered') {
        const { brokerId, brokerEpoch } = record
        this.#byId.set(brokerId, this.#newSession(brokerEpoch, image.sequence))
        // So the process before it had ended, as was said.
        this.#fencedEarlyAtMs.delete(brokerId)
      } else if (record.type === 'brokerStateChanged' && record.isShuttingDown) {
        const session = this.#byId.get(record.brokerId)
        if (session !== undefined) session.departureSequence ??= image.sequence
      }
    }
    for (const [id, { brokerEpoch }] of this.#byId) {
      if (image.brokers.get(id)?.epoch !== brokerEpoch) this.#byId.delete(id)
    }
    for (const { id, epoch } of image.brokers.values()) {
      if (this.#byId.has(id)) continue
      this.#byId.set(id, this.#newSession(epoch, this.#sequenceAtStart))
    }
  }

  /** What the broker is told; from what is committed, so that it is told even where nothing can be. */
  heard(image: MetadataImage, heartbeat: Heartbeat): Answer {
    const { brokerId, brokerEpoch, appliedSequence } = heartbeat
    const broker = image.brokers.get(brokerId)
    const session = this.#byId.get(brokerId)
    if (broker === undefined || session === undefined) {
      const message = `Broker ${brokerId} is not registered. Register it.`
      return refusalOf({ error: 'BROKER_ID_NOT_REGISTERED', message })
    }
    if (broker.epoch !== brokerEpoch || session.brokerEpoch !== brokerEpoch) {
      const message = `Broker ${brokerId} is registered in epoch ${broker.epoch}, and not in ${brokerEpoch}: it was started again since.`
      return refusalOf({ error: 'STALE_BROKER_EPOCH', message })
    }
    session.heardAtMs = this.#nowMs ?? 0
    session.last = heartbeat
    session.isGone = false
    return {
      type: 'heartbeatTaken',
      isCaughtUp: appliedSequence >= image.sequence,
      isFenced: broker.isFenced,
      mayShutDown: this.#mayShutDown(image, broker),
    }
  }

  /** The registered brokers as readers of the log, by their ids. */
  describe({ brokers }: MetadataImage): Answer {
    const followers = [...brokers.keys()]
      .toSorted((a, b) => a - b)
      .map(brokerId => {
        const session = this.#byId.get(brokerId)
        const last = session?.last ?? null
        const heardMsAgo =
          last === null ? null : Math.max(0, (this.#nowMs ?? 0) - session!.heardAtMs)
        return { brokerId, appliedSequence: last?.appliedSequence ?? -1, heardMsAgo }
      })
    return { type: 'quorumDescribed', followers }
  }

  /**
   * The broker's connection was reset, and nobody is where it was: its process has ended. That of one that is fenced, or stops in
   * order, moves no leader any more: it does not count, or a crash right after a restart would be waited for.
   */
  connectionReset({ brokers }: MetadataImage, brokerId: number): void {
    const session = this.#byId.get(brokerId)
    const nowMs = this.#nowMs
    if (session === undefined || nowMs === null) return
    const broker = brokers.get(brokerId)
    if (broker?.isFenced === true || broker?.isShuttingDown === true) {
      session.isGone = true
      return
    }
    const before = this.#fencedEarlyAtMs.get(brokerId)
    if (before !== undefined && nowMs - before < earlyFencingIntervalMs) return
    this.#fencedEarlyAtMs.set(brokerId, nowMs)
    session.isGone = true
  }

  /**
   * The broker that was the controller before was asked all the time, and answered nothing. So its session goes on from there, and is not
   * given anew as that of the others, whom nobody asked.
   */
  foundSilent({ brokerId, sinceMs }: BrokerSilence): void {
    const session = this.#byId.get(brokerId)
    const nowMs = this.#nowMs
    if (session === undefined || session.last !== null || nowMs === null) return
    const earliestMs = nowMs - this.#sessionMs + silenceGraceMs
    session.heardAtMs = Math.min(session.heardAtMs, Math.max(sinceMs, earliestMs))
  }

  /** It was heard of within a session's time, in the epoch in which it is registered. */
  isLive(brokerId: number): boolean {
    const session = this.#byId.get(brokerId)
    if (session === undefined || session.last === null) return false
    return !session.isGone && !this.#isExpired(session)
  }

  lastBeat(brokerId: number): number | null {
    return this.#byId.get(brokerId)?.last?.beat ?? null
  }

  /** What is to be done about brokers now, among those of `image`. */
  duties(image: MetadataImage): BrokerDuty[] {
    return [...image.brokers.values()].flatMap(broker => {
      const type = this.#dutyOf(image, broker)
      return type === null ? [] : [{ type, brokerId: broker.id }]
    })
  }

  #dutyOf(image: MetadataImage, broker: BrokerImage): BrokerDuty['type'] | null {
    const session = this.#byId.get(broker.id)
    if (session === undefined || session.brokerEpoch !== broker.epoch) return null
    if (isOnlyBroker(image, broker.id)) return broker.isFenced ? 'unfence' : null
    const { last } = session
    const isLost = session.isGone || this.#isExpired(session)
    const isDone = this.#mayShutDown(image, broker)
    if (!broker.isFenced) {
      if (isLost || isDone || last?.wantsFence === true) return 'fence'
      return last?.wantsShutdown === true && !broker.isShuttingDown ? 'shutDown' : null
    }
    if (last === null || isLost || last.wantsFence || last.wantsShutdown) return null
    if (broker.isShuttingDown || isLostDirectory(image, broker)) return null
    return last.appliedSequence >= session.neededSequence ? 'unfence' : null
  }

  /** Whoever lives has read that it leads nothing any more. The only broker has nobody to hand over to. */
  #mayShutDown(image: MetadataImage, { id, isFenced, isShuttingDown }: BrokerImage): boolean {
    const session = this.#byId.get(id)
    if (session?.last?.wantsShutdown !== true) return false
    if (isFenced || isOnlyBroker(image, id)) return true
    const departure = session.departureSequence ?? this.#sequenceAtStart
    if (!isShuttingDown) return false
    return [...image.brokers.values()].every(
      each => !isActive(each) || this.#appliedBy(each.id) >= departure,
    )
  }

  #appliedBy(brokerId: number): number {
    return this.#byId.get(brokerId)?.last?.appliedSequence ?? -1
  }

  #isExpired({ heardAtMs }: Session): boolean {
    return this.#nowMs !== null && this.#nowMs - heardAtMs > this.#sessionMs
  }

  #newSession(brokerEpoch: number, neededSequence: number): Session {
    return {
      brokerEpoch,
      heardAtMs: this.#nowMs ?? 0,
      last: null,
      neededSequence,
      departureSequence: null,
      isGone: false,
    }
  }
}

/** What its disk has counts no more: it leads nothing, however long it runs. */
function isLostDirectory(image: MetadataImage, { directoryId }: BrokerImage): boolean {
  return image.isFailed(directoryId) || image.isRetired(directoryId)
}
