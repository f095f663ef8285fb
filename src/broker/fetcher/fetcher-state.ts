import type { Random } from '../../env/env.ts'
import type { Uuid } from '../../lib/uuid.ts'
import type { ReplicationThrottle } from '../throttle/replication-throttle.ts'
import { Backoff } from '../wire/client/backoff.ts'
import { errorName, type ErrorName } from '../wire/errors.ts'
import type { Infer } from '../wire/field.ts'
import type { fetch } from '../wire/messages/index.ts'
import { FetchSession } from './fetch-session.ts'
import type { FetchedResult, FollowedPartition, Told } from './followed-partition.ts'
import { Followed } from './followed.ts'
import type { FollowingRoom } from './following-room.ts'
import { fetchRequest, type FetchDraft, type FetchSizes } from './fetch-request.ts'

export interface FetcherStateOptions {
  readonly replicaId: number
  /** Of this broker's registration, as of now (KIP-903). */
  brokerEpoch(): number
  /** The settings of now. */
  sizes(): FetchSizes
  readonly throttle: Pick<ReplicationThrottle, 'isListed' | 'isExceeded' | 'record'>
  readonly room: Pick<FollowingRoom, 'isShort' | 'isNeeded'>
  readonly random: Random
}

type FetchAnswer = Infer<typeof fetch.response>
type PartitionAnswer = FetchAnswer['responses'][number]['partitions'][number]

/** What is to be done for a partition with what its leader said. The one who does it tells what became of it. */
export type Step =
  | (Whose & { readonly kind: 'append'; readonly records: Uint8Array; readonly told: Told })
  | (Whose & { readonly kind: 'truncate'; readonly diverging: EpochEnd })
  | (Whose & { readonly kind: 'leave-range' })

export interface Whose {
  readonly followed: Followed
  readonly generation: number
  /** The one that the leader was asked for. */
  readonly leaderEpoch: number
}

interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

interface Round {
  readonly isFull: boolean
  /** Another request went on with the session while this one waited at the leader. */
  isSuperseded: boolean
}

/** The first pause after an error of a partition: leaders and followers hear of an election at about the same time. */
const backoffMsMin = 50

/** How often who is held back, by the throttle or for want of room, is looked at. */
const heldLookMs = 100

/**
 * What one fetcher knows and decides (issue 11, part 5): which partitions it asks its leader for, with which request, and
 * what to do with the answer. No I/O; times are monotonic milliseconds.
 *
 * One request is under way at a time, and while what an answer brought is written none, so that each request says how far
 * the log has come: that is the acknowledgement. One that waits at the leader is overtaken by the next where a
 * partition comes to it meanwhile, and would have to wait for the end of a long poll. A partition that has an error, or
 * parts from its leader, is out of the session until it is ready again, and the others go on without it. An answer counts
 * only where the partition still stands where it was asked for, in the same epoch (R3).
 */
export class FetcherState {
  readonly #options: FetcherStateOptions
  readonly #session = new FetchSession()
  readonly #byTopic = new Map<Uuid, Map<number, Followed>>()
  /** Ready, and not as the session has them. */
  readonly #changed = new Set<Followed>()
  /** In the session, and not ready. */
  readonly #leaving = new Set<Followed>()
  readonly #delayed = new Set<Followed>()
  readonly #held = new Set<Followed>()
  readonly #rounds: Round[] = []
  #readyCount = 0
  #appendingCount = 0
  #hurries = false
  #lastTurn = 0
  #lookAtHeldMs = 0

  constructor(options: FetcherStateOptions) {
    this.#options = options
  }

  /** Partitions that are followed. */
  *partitions(): IterableIterator<Followed> {
    for (const followed of this.#all()) if (followed.state !== 'gone') yield followed
  }

  /** The partition follows this leader from now on, or in another epoch. */
  follow(partition: FollowedPartition): void {
    const { topicId, partition: index } = partition.id
    let ofTopic = this.#byTopic.get(topicId)
    if (ofTopic === undefined) this.#byTopic.set(topicId, (ofTopic = new Map()))
    let followed = ofTopic.get(index)
    if (followed === undefined) ofTopic.set(index, (followed = new Followed(partition)))
    const leaderEpoch = partition.following?.leaderEpoch ?? -1
    const isKnown = followed.partition === partition && followed.leaderEpoch === leaderEpoch
    if (isKnown && followed.state !== 'gone') return
    followed.partition = partition
    followed.leaderEpoch = leaderEpoch
    followed.backoff = null
    this.#restart(followed)
    this.#makeReady(followed)
  }

  /** It follows this leader no longer. */
  unfollow({ id }: FollowedPartition): void {
    const followed = this.#byTopic.get(id.topicId)?.get(id.partition)
    if (followed === undefined) return
    this.#restart(followed)
    this.#takeOut(followed, 'gone')
    if (!followed.isInSession) this.#remove(followed)
  }

  /** The next request; null where there is none to be sent now. It is to be encoded at once: its rows are used again. */
  next(nowMs: number): FetchDraft | null {
    this.#lookAtDelayed(nowMs)
    this.#lookAtHeld(nowMs)
    if (this.#appendingCount > 0) return null
    const [waiting, another] = this.#rounds
    if (waiting !== undefined) {
      // A full one begins a session, which an answer of the old one must not end.
      const mayOvertake = another === undefined && !waiting.isFull && !this.#session.isFull
      if (!mayOvertake || !this.#hurries) return null
    }
    this.#holdBack(nowMs)
    if (this.#readyCount === 0) return this.#rest()
    if (waiting !== undefined) waiting.isSuperseded = true
    this.#hurries = false
    const { isFull } = this.#session
    const asked = isFull ? this.#everybody() : [...this.#changed]
    const forgotten = isFull ? [] : this.#forget()
    this.#changed.clear()
    const sizes = this.#options.sizes()
    for (const followed of asked) {
      followed.ask(sizes.partitionBytesMax)
      followed.isInSession = true
    }
    this.#rounds.push({ isFull, isSuperseded: false })
    const { replicaId } = this.#options
    const replica = { replicaId, replicaEpoch: this.#options.brokerEpoch() }
    return fetchRequest({ replica, sizes, ...this.#session.advance(), asked, forgotten })
  }

  /** When `next` is to be asked again though nothing happens; Infinity where that is of no use. */
  get dueMs(): number {
    let dueMs = this.#held.size > 0 ? this.#lookAtHeldMs : Infinity
    for (const followed of this.#delayed) dueMs = Math.min(dueMs, followed.dueMs)
    return dueMs
  }

  /** The answer to the oldest request that has none yet. `note` is told each error. */
  answered(
    answer: FetchAnswer,
    nowMs: number,
    note: (error: ErrorName, followed: Followed | null) => void,
  ): Step[] {
    const round = this.#rounds.shift()
    const error = errorName(answer.errorCode)
    if (error !== 'NONE') {
      if (round?.isSuperseded === true && error === 'INVALID_FETCH_SESSION_EPOCH') return []
      this.#lose(error)
      note(error, null)
      return []
    }
    if (round?.isFull === true) this.#begin(answer.sessionId)
    const steps: Step[] = []
    for (const { topicId, partitions } of answer.responses) {
      const ofTopic = this.#byTopic.get(topicId)
      for (const told of partitions) {
        const followed = ofTopic?.get(told.partitionIndex)
        if (followed?.state !== 'ready') continue
        // It moved on after the request was sent: it is asked for anew, from where it stands.
        if (!followed.isAsAsked) {
          this.#changed.add(followed)
          continue
        }
        const step = this.#take(followed, told, nowMs)
        if (typeof step !== 'string') steps.push(step)
        else note(step, followed)
      }
    }
    return steps
  }

  /** What became of an append. */
  appended({ followed, generation }: Whose, result: FetchedResult, nowMs: number): void {
    this.#appendingCount--
    if (followed.generation !== generation) return
    followed.state = 'ready'
    if (!result.ok) return this.#delay(followed, nowMs)
    followed.backoff = null
    const isBehind = followed.partition.fetchPosition.offset < followed.highWatermark
    followed.isInSync = !isBehind
    followed.behindSinceMs = isBehind ? (followed.behindSinceMs ?? nowMs) : null
    if (followed.hasMoved) this.#changed.add(followed)
  }

  /**
   * The log was cut, or begins anew, or an epoch without records was dropped: it goes on from where it stands. False where
   * the answer would be the same again: it waits as after an error, or both would be busy with nothing else.
   */
  resumed({ followed, generation }: Whose, nowMs: number): boolean {
    if (followed.generation !== generation) return true
    if (followed.isWhereAsked) {
      this.#delay(followed, nowMs)
      return false
    }
    this.#makeReady(followed)
    return true
  }

  /** That failed. */
  failed({ followed, generation }: Whose, nowMs: number): void {
    if (followed.generation !== generation) return
    if (followed.state !== 'delayed') this.#delay(followed, nowMs)
  }

  /** The connection is gone, and with it whatever was under way. */
  disconnected(): void {
    this.#rounds.length = 0
    this.#session.restart()
    this.#emptySession()
  }

  /** What was begun for it does not count any more. */
  #restart(followed: Followed): void {
    followed.generation++
    followed.highWatermark = -1
    followed.behindSinceMs = null
    followed.isInSync = false
  }

  #take(followed: Followed, told: PartitionAnswer, nowMs: number): Step | ErrorName {
    const error = errorName(told.errorCode)
    const leaderEpoch = followed.row.currentLeaderEpoch
    const whose = { followed, generation: followed.generation, leaderEpoch }
    if (error === 'OFFSET_OUT_OF_RANGE') {
      this.#takeOut(followed, 'busy')
      return { ...whose, kind: 'leave-range' }
    }
    if (error !== 'NONE') {
      this.#delay(followed, nowMs)
      return error
    }
    const { divergingEpoch: diverging, highWatermark, logStartOffset } = told
    if (diverging.epoch !== -1 || diverging.endOffset !== -1) {
      this.#takeOut(followed, 'busy')
      return { ...whose, kind: 'truncate', diverging }
    }
    const records = told.records ?? nothing
    followed.state = 'appending'
    followed.highWatermark = highWatermark
    this.#appendingCount++
    if (records.length > 0) {
      followed.turn = ++this.#lastTurn
      const { throttle } = this.#options
      if (throttle.isListed(followed.partition.id)) throttle.record(records.length, nowMs)
    }
    const { fetchOffset } = followed.row
    const about = { leaderEpoch, fetchOffset, highWatermark, logStartOffset }
    return { ...whose, kind: 'append', records, told: about }
  }

  /** The request may not be sent with the old session. */
  #lose(error: ErrorName): void {
    if (error === 'FETCH_SESSION_ID_NOT_FOUND') this.#session.forget()
    else this.#session.restart()
    this.#emptySession()
  }

  #begin(sessionId: number): void {
    this.#session.begin(sessionId)
    if (sessionId === 0) this.#emptySession()
  }

  #emptySession(): void {
    for (const followed of this.#all()) {
      followed.isInSession = false
      if (followed.state === 'gone') this.#remove(followed)
    }
    this.#leaving.clear()
  }

  /** Nothing can be asked for: a session without partitions is none. */
  #rest(): null {
    if (this.#rounds.length > 0) return null
    this.#session.restart()
    this.#emptySession()
    return null
  }

  /** All that are ready, who got records last at the end. */
  #everybody(): Followed[] {
    const ready = [...this.#all()].filter(({ state }) => state === 'ready')
    return ready.toSorted((a, b) => a.turn - b.turn)
  }

  /** Those that the session has and that are not ready, as the next request names them. */
  #forget(): Followed[] {
    const forgotten = [...this.#leaving]
    this.#leaving.clear()
    for (const followed of forgotten) {
      followed.isInSession = false
      if (followed.state === 'gone') this.#remove(followed)
    }
    return forgotten
  }

  #makeReady(followed: Followed): void {
    if (followed.state !== 'ready') {
      if (followed.state !== 'appending') this.#readyCount++
      followed.state = 'ready'
    }
    this.#delayed.delete(followed)
    this.#held.delete(followed)
    this.#leaving.delete(followed)
    this.#changed.add(followed)
    this.#hurries = true
  }

  #takeOut(followed: Followed, state: Exclude<Followed['state'], 'ready' | 'appending'>): void {
    if (followed.state === 'ready' || followed.state === 'appending') this.#readyCount--
    followed.state = state
    this.#changed.delete(followed)
    this.#delayed.delete(followed)
    this.#held.delete(followed)
    if (followed.isInSession) this.#leaving.add(followed)
  }

  #delay(followed: Followed, nowMs: number): void {
    const delayMsMax = Math.max(backoffMsMin, this.#options.sizes().backoffMs)
    followed.backoff ??= new Backoff(this.#options.random, { delayMsMin: backoffMsMin, delayMsMax })
    this.#takeOut(followed, 'delayed')
    followed.dueMs = nowMs + followed.backoff.next()
    this.#delayed.add(followed)
  }

  #lookAtDelayed(nowMs: number): void {
    for (const followed of this.#delayed) if (followed.dueMs <= nowMs) this.#makeReady(followed)
  }

  /** Who is held back goes on once nothing speaks against it any more. */
  #lookAtHeld(nowMs: number): void {
    if (this.#held.size === 0 || nowMs < this.#lookAtHeldMs) return
    this.#lookAtHeldMs = nowMs + heldLookMs
    const mustWait = this.#whoWaits(nowMs)
    for (const followed of this.#held) if (!mustWait(followed)) this.#makeReady(followed)
  }

  #holdBack(nowMs: number): void {
    const mustWait = this.#whoWaits(nowMs)
    if (mustWait === nobody) return
    if (this.#held.size === 0) this.#lookAtHeldMs = nowMs + heldLookMs
    for (const followed of this.#all()) {
      if (followed.state !== 'ready' || !mustWait(followed)) continue
      this.#takeOut(followed, 'held')
      this.#held.add(followed)
    }
  }

  /** KIP-73: who is listed and not in sync, while the rate is exceeded; and whoever the cluster can do without, on a disk that is full. */
  #whoWaits(nowMs: number): (followed: Followed) => boolean {
    const { throttle, room } = this.#options
    const isExceeded = throttle.isExceeded(nowMs)
    const isShort = room.isShort(nowMs)
    if (!isExceeded && !isShort) return nobody
    return ({ isInSync, partition: { id } }) =>
      (isExceeded && !isInSync && throttle.isListed(id)) || (isShort && !room.isNeeded(id))
  }

  #remove({ partition: { id } }: Followed): void {
    const ofTopic = this.#byTopic.get(id.topicId)!
    ofTopic.delete(id.partition)
    if (ofTopic.size === 0) this.#byTopic.delete(id.topicId)
  }

  *#all(): IterableIterator<Followed> {
    for (const ofTopic of this.#byTopic.values()) yield* ofTopic.values()
  }
}

const nothing = new Uint8Array(0)
const nobody = (): boolean => false
