import type { FollowedPartition } from './followed-partition.ts'

export interface FollowingRoomOptions {
  /** Of the file system that the logs lie on, asked now; null where it does not answer, which is no shortage. */
  space(): { readonly totalBytes: number; readonly freeBytes: number } | null
  /** Topics of the cluster itself. */
  isInternal(topicId: string): boolean
}

/** Below this share of the disk nothing is followed but what the cluster itself needs (durability.md 3.5, stop-follow). */
const shortBelow = 0.02
/** And from here on it goes on: between both nothing changes, so that a log that grows by a batch stops nobody twice. */
const goesOnFrom = 0.03
/** How often the disk is asked. */
const lookMs = 1_000

/**
 * Whether there is room to follow. A follower that stops in time leaves the in-sync set and nothing else; one that fills its disk to
 * the last byte can commit no offset and make no checkpoint any more.
 */
export class FollowingRoom {
  readonly #options: FollowingRoomOptions
  #nextLookMs = -Infinity
  #isShort = false

  constructor(options: FollowingRoomOptions) {
    this.#options = options
  }

  /** At monotonic `nowMs`. */
  isShort(nowMs: number): boolean {
    if (nowMs < this.#nextLookMs) return this.#isShort
    this.#nextLookMs = nowMs + lookMs
    const space = this.#options.space()
    const free = space === null || space.totalBytes === 0 ? 1 : space.freeBytes / space.totalBytes
    this.#isShort = free < (this.#isShort ? goesOnFrom : shortBelow)
    return this.#isShort
  }

  /** It is followed into the last room that there is: whoever coordinates groups needs it. */
  isNeeded({ topicId }: FollowedPartition['id']): boolean {
    return this.#options.isInternal(topicId)
  }
}
