import type {
  FetchedResult,
  FetchPosition,
  FollowedPartition,
  Told,
} from '../../src/broker/fetcher/followed-partition.ts'
import { uuidFrom, type Uuid } from '../../src/lib/uuid.ts'

/** The id of a topic, by a number. */
export function topicId(number: number): Uuid {
  return uuidFrom(new Uint8Array(16).fill(number))
}

/** A partition that follows and keeps no records: each byte that is appended is one offset. */
export class FakeFollowed implements FollowedPartition {
  readonly id: FollowedPartition['id']
  following: FollowedPartition['following'] = { leader: 1, leaderEpoch: 3 }
  fetchPosition: FetchPosition = { offset: 0, lastFetchedEpoch: -1 }
  extent = { startOffset: 0 }
  readonly appended: { readonly records: Uint8Array; readonly told: Told }[] = []
  readonly truncations: { readonly diverging: object; readonly leaderEpoch: number }[] = []
  readonly ranges: { readonly range: object; readonly leaderEpoch: number }[] = []
  /** What an append gives instead; null: it succeeds. */
  refusal: FetchedResult | null = null
  /** Appends are not done before `finish` is called. */
  isSlow = false
  readonly #waiting: (() => void)[] = []
  /** What truncating and leaving a range do. */
  cut: () => Promise<void> = () => Promise.resolve()

  constructor(topic = 1, partition = 0) {
    this.id = { topicId: topicId(topic), topic: `topic-${topic}`, partition }
  }

  appendFetched(records: Uint8Array, told: Told, done: (result: FetchedResult) => void): void {
    this.appended.push({ records, told })
    const finish = (): void => {
      if (this.refusal !== null) return done(this.refusal)
      if (records.length > 0) {
        const offset = this.fetchPosition.offset + records.length
        this.fetchPosition = { offset, lastFetchedEpoch: told.leaderEpoch }
      }
      this.extent = { startOffset: Math.max(this.extent.startOffset, told.logStartOffset) }
      done({ ok: true })
    }
    if (this.isSlow) this.#waiting.push(finish)
    else finish()
  }

  /** What was appended is written now. */
  finish(): void {
    for (const finish of this.#waiting.splice(0)) finish()
  }

  truncate(diverging: object, leaderEpoch: number): Promise<void> {
    this.truncations.push({ diverging, leaderEpoch })
    return this.cut()
  }

  leaveRange(range: object, leaderEpoch: number): Promise<void> {
    this.ranges.push({ range, leaderEpoch })
    return this.cut()
  }
}
