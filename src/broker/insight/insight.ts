import type { Clock } from '../../env/env.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { Partitions } from '../partition/partitions.ts'
import { GroupAttribution } from './attribution.ts'
import type { Elsewhere, Question } from './elsewhere.ts'
import type { CommittedNumbers, GroupNumbers, LagNumbers, SentNumbers } from './numbers.ts'
import { committedLags, committedTopics, fetchLags } from './positions.ts'
import { Readers } from './readers.ts'

export interface InsightOptions {
  readonly clock: Clock
  /** Sums by topic and group that are kept; who comes later counts for no group. 0 keeps none by group. */
  readonly groupTotalsMax: number
}

/** What insight looks at. It changes none of it. */
export interface Watched {
  readonly coordinator: Pick<Coordinator, 'views' | 'isLoading'>
  readonly partitions: Partitions
  /** What other brokers tell of what they lead. */
  readonly elsewhere: Elsewhere
  /** Whether the topic is there: of one that is gone nothing is told. */
  hasTopic(name: string): boolean
}

/**
 * The front door of the room: what only this product knows, who reads, for which group, how far behind, and whether from memory or
 * from the device. It promises that what was sent is counted where it was sent, on the connection's own network, so
 * that any number of networks can serve one broker; that a byte counts once and no sum ever falls; that a group is
 * named where it is certain and never guessed; that lag is told in records, bytes and seconds from what is in memory
 * already, without a look at the disk; and that a fetch pays for all of it with a few look-ups by names that it has,
 * and makes no keys. It only watches: nothing here decides what anybody is sent, but that a reader who lags stays in
 * the cold lane. Who wants the numbers rendered goes to `telemetry/`.
 */
export class Insight {
  readonly readers: Readers
  readonly #clock: Clock
  #watched: (Watched & { readonly attribution: GroupAttribution }) | null = null

  constructor({ clock, groupTotalsMax }: InsightOptions) {
    this.#clock = clock
    this.readers = new Readers({
      clock,
      attribution: () => this.#watched?.attribution ?? null,
      isKept: (topic, group) => this.#isKept(topic, group),
      groupTotalsMax,
    })
  }

  /** Groups and partitions are up. Before this readers count for no group, and there is no lag. */
  watch(watched: Watched): void {
    const attribution = new GroupAttribution(watched.coordinator.views)
    this.#watched = { ...watched, attribution }
  }

  sent(): Iterable<SentNumbers> {
    return this.readers.sent()
  }

  *groups(): IterableIterator<GroupNumbers> {
    const groups = this.#watched?.coordinator.views.groups() ?? []
    for (const { groupId, state, memberCount } of groups) {
      yield { group: groupId, state, memberCount }
    }
  }

  /** How far committed and live positions are behind. */
  *lags(): IterableIterator<LagNumbers> {
    if (this.#watched === null) return
    const { coordinator, partitions, elsewhere } = this.#watched
    const nowMs = this.#clock.now()
    yield* committedLags(coordinator.views, partitions, nowMs, elsewhere)
    yield* fetchLags(this.readers, partitions, nowMs, elsewhere)
  }

  /** What is to be asked of other brokers, that their leaders may tell how far groups are behind; by the leader. */
  questions(): Map<number, Question[]> {
    const watched = this.#watched
    return watched?.elsewhere.questions(watched.coordinator.views.committed()) ?? new Map()
  }

  committed(): Iterable<CommittedNumbers> {
    if (this.#watched === null) return []
    const { coordinator, partitions, elsewhere } = this.#watched
    return committedTopics(coordinator.views, partitions, elsewhere)
  }

  /** Whether a group is there, as far as that is known. */
  isKnown(group: string): boolean {
    const watched = this.#watched
    return watched === null || watched.coordinator.isLoading || watched.coordinator.views.has(group)
  }

  /** Whether a topic and a group are there still: else what was counted of them goes, as they went. */
  #isKept(topic: string, group: string): boolean {
    const watched = this.#watched
    if (watched === null || watched.coordinator.isLoading) return true
    return watched.hasTopic(topic) && (group === '' || this.isKnown(group))
  }
}
