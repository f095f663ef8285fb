import { readInt32 } from '../../../../lib/bytes.ts'
import { FetchSession, type PartitionName, type SessionTraits } from './fetch-session.ts'
import type { Looked, Wish } from './wish.ts'

export interface SessionCacheOptions {
  /** Sessions at the same time (`max.incremental.fetch.session.cache.slots`). */
  readonly slots: number
  /** Partitions of all sessions together; whose would be beyond it does without a session. */
  readonly partitionsMax: number
  /** What ids are made of. */
  readonly random: { bytes(length: number): Uint8Array }
}

/** What a request says of sessions. */
export interface SessionRequest {
  /** 0: none. */
  readonly sessionId: number
  /** 0: begin one. -1: do without one. Above: go on with it. */
  readonly sessionEpoch: number
  /** The request's version has ids of topics. */
  readonly usesTopicIds: boolean
  readonly wishes: readonly Wish[]
  readonly forgotten: readonly PartitionName[]
}

/** How a request is to be answered. */
export type Opening =
  | { readonly kind: 'refused'; readonly error: SessionError }
  /** With everything that it asks for; a session begins with the answer where `beginsSession`. */
  | { readonly kind: 'full'; readonly beginsSession: boolean }
  /** With what is new of the session; `epoch` is the session's as long as no other request goes on with it. */
  | { readonly kind: 'incremental'; readonly session: FetchSession; readonly epoch: number }

type SessionError =
  | 'FETCH_SESSION_ID_NOT_FOUND'
  | 'INVALID_FETCH_SESSION_EPOCH'
  | 'FETCH_SESSION_TOPIC_ID_ERROR'

/** Some 60 MiB: a request can name millions of partitions, and a session would remember them. */
export const sessionPartitionsMax = 250_000

/** A session that nobody used for longer makes room; one that is older may have to make room for a larger one. */
const evictionMs = 120_000

const beginning = 0
const final = -1

interface Kept {
  readonly session: FetchSession
  lastUsedMs: number
  /** Partitions when it was last used: by this it is weighed against others. */
  size: number
  /** It was older than the eviction time when it was last used. */
  isOld: boolean
}

/**
 * The front door of the room: the sessions of all readers (KIP-227). They belong to no connection: whoever knows id and epoch goes on with one. Where
 * all slots are taken a new one replaces the one that was used least recently, if that is long ago, else the smallest of
 * those that are old, if the new one is larger; a follower's goes before a consumer's. Times are monotonic milliseconds.
 */
export class FetchSessionCache {
  readonly #options: SessionCacheOptions
  /** The one used least recently first. */
  readonly #kept = new Map<number, Kept>()
  #partitionCount = 0
  #evictionCount = 0

  constructor(options: SessionCacheOptions) {
    this.#options = options
  }

  /** Sessions. */
  get size(): number {
    return this.#kept.size
  }

  /** Partitions of all of them, as they were when each was last used. */
  get partitionCount(): number {
    return this.#partitionCount
  }

  /** Sessions that had to make room, since the start of the process. */
  get evictionCount(): number {
    return this.#evictionCount
  }

  /** Takes a request in. One that begins anew ends the session that it names. */
  open(request: SessionRequest, nowMs: number): Opening {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === beginning || sessionEpoch === final) {
      this.#remove(sessionId)
      return { kind: 'full', beginsSession: sessionEpoch === beginning }
    }
    const session = this.#kept.get(sessionId)?.session
    if (session === undefined) return refused('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== sessionEpoch) return refused('INVALID_FETCH_SESSION_EPOCH')
    if (session.traits.usesTopicIds !== request.usesTopicIds) {
      return refused('FETCH_SESSION_TOPIC_ID_ERROR')
    }
    session.update(request.wishes, request.forgotten)
    this.#touch(sessionId, nowMs)
    if (session.size === 0) {
      this.#remove(sessionId)
      return { kind: 'full', beginsSession: false }
    }
    if (this.#partitionCount > this.#options.partitionsMax) {
      this.#remove(sessionId)
      return refused('FETCH_SESSION_ID_NOT_FOUND')
    }
    session.advance()
    return { kind: 'incremental', session, epoch: session.epoch }
  }

  /** A session of what was asked for, each a partition of its own, and is answered; null where there is no room. */
  begin(
    answered: readonly Looked[],
    traits: Pick<SessionTraits, 'isPrivileged' | 'usesTopicIds'>,
    nowMs: number,
  ): FetchSession | null {
    const size = answered.length
    if (this.#partitionCount + size > this.#options.partitionsMax) return null
    if (!this.#makeRoom({ isPrivileged: traits.isPrivileged, size }, nowMs)) return null
    const id = this.#newId()
    const session = new FetchSession({ ...traits, id, createdMs: nowMs })
    session.begin(answered)
    this.#kept.set(id, { session, lastUsedMs: nowMs, size: 0, isOld: false })
    this.#touch(id, nowMs)
    return session
  }

  /** A number from 1 to 2^31-1 that no session has. */
  #newId(): number {
    for (;;) {
      const id = readInt32(this.#options.random.bytes(4), 0) & 0x7fffffff
      if (id !== 0 && !this.#kept.has(id)) return id
    }
  }

  #touch(id: number, nowMs: number): void {
    const kept = this.#kept.get(id)!
    const { session } = kept
    this.#kept.delete(id)
    this.#kept.set(id, kept)
    this.#partitionCount += session.size - kept.size
    kept.lastUsedMs = nowMs
    kept.size = session.size
    kept.isOld = nowMs - session.traits.createdMs > evictionMs
  }

  #makeRoom(wish: Rank, nowMs: number): boolean {
    if (this.#kept.size < this.#options.slots) return true
    const doomed = this.#evictable(wish, nowMs)
    if (doomed === null) return false
    this.#remove(doomed.session.traits.id)
    this.#evictionCount++
    return true
  }

  #evictable(wish: Rank, nowMs: number): Kept | null {
    const [oldest] = this.#kept.values()
    if (oldest === undefined) return null
    if (nowMs - oldest.lastUsedMs > evictionMs) return oldest
    let least: Kept | null = null
    for (const kept of this.#kept.values()) {
      const mayGo = kept.isOld || (wish.isPrivileged && !kept.session.traits.isPrivileged)
      if (mayGo && (least === null || isLess(rankOf(kept), rankOf(least)))) least = kept
    }
    return least !== null && isLess(rankOf(least), wish) ? least : null
  }

  #remove(id: number): void {
    const kept = this.#kept.get(id)
    if (kept === undefined) return
    this.#kept.delete(id)
    this.#partitionCount -= kept.size
    kept.session.close()
  }
}

/** What a session is worth. */
interface Rank {
  readonly isPrivileged: boolean
  readonly size: number
}

function rankOf({ session, size }: Kept): Rank {
  return { isPrivileged: session.traits.isPrivileged, size }
}

function isLess(a: Rank, b: Rank): boolean {
  if (a.isPrivileged !== b.isPrivileged) return b.isPrivileged
  return a.size < b.size
}

function refused(error: SessionError): Opening {
  return { kind: 'refused', error }
}
