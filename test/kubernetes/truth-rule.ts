import { quantile } from '../../bench/failover/gaps.ts'

/** What a cluster says of itself; null while nobody can ask it, or where somebody has taken its voice. */
export type Ready = 'True' | 'False' | 'Unknown' | null

export type Work = 'produce' | 'fetch'

/** What was seen of a cluster, in order of `atMs`. */
export type Sighting =
  | { readonly type: 'ready'; readonly ready: Ready; readonly atMs: number }
  | {
      readonly type: 'attempt'
      readonly work: Work
      readonly isOk: boolean
      readonly beganAtMs: number
      readonly atMs: number
    }

/** A time in which a cluster said of itself what was not so. */
export interface Lie {
  readonly ready: Exclude<Ready, null>
  readonly fromMs: number
  readonly toMs: number
}

/** Milliseconds between two of a kind, of which there were `count`. */
export interface Gaps {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** For as long as Ready=True may stand while nothing works, and anything else while all works. Milliseconds. */
const lieMsMax = { readyButFailing: 5000, workingButNotReady: 10_000 } as const

/** How one kind of request fares: since when it works, or does not, and until when that is known. */
interface Fortune {
  readonly works: boolean
  readonly sinceMs: number
  readonly knownMs: number
}

/**
 * Whether a cluster tells the truth: Ready=True while producing and fetching have both failed for 5 s is a lie, and so
 * is Ready=False or Unknown for 10 s while both work. Time counts only as far as attempts have shown it. Beside that,
 * the longest time that a request waited for its success, from its first attempt, and the times between writes that succeeded.
 */
export class TruthRule {
  readonly #fortunes = new Map<Work, Fortune>()
  /** When the attempt began that has not succeeded yet. */
  readonly #waitingSinceMs = new Map<Work, number>()
  readonly #lies: Lie[] = []
  readonly #writtenAtMs: number[] = []
  #ready: { readonly ready: Ready; readonly sinceMs: number } = { ready: null, sinceMs: 0 }
  #longestWaitMs = 0

  see(sighting: Sighting): void {
    if (sighting.type === 'ready') {
      if (sighting.ready !== this.#ready.ready) {
        this.#ready = { ready: sighting.ready, sinceMs: sighting.atMs }
      }
      return
    }
    this.#count(sighting)
    this.#judge()
  }

  get lies(): readonly Lie[] {
    return this.#lies
  }

  /** Milliseconds; of those that wait still, until `nowMs`. */
  longestWaitMs(nowMs: number): number {
    const waiting = [...this.#waitingSinceMs.values()].map(sinceMs => nowMs - sinceMs)
    return Math.max(this.#longestWaitMs, ...waiting)
  }

  /** Between one write that succeeded and the next, from the first on; the last gap lasts until `nowMs`. All are 0 where none did. */
  writeGapsMs(nowMs: number): Gaps {
    const ends = [...this.#writtenAtMs.slice(1), nowMs]
    const gaps = this.#writtenAtMs.map((atMs, index) => Math.round(ends[index]! - atMs))
    if (gaps.length === 0) return { count: 0, p50: 0, p99: 0, max: 0 }
    const sorted = gaps.toSorted((a, b) => a - b)
    return {
      count: sorted.length,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      max: sorted.at(-1)!,
    }
  }

  #count({ work, isOk, beganAtMs, atMs }: Extract<Sighting, { type: 'attempt' }>): void {
    const before = this.#fortunes.get(work)
    const isSame = before?.works === isOk
    const sinceMs = isSame ? before.sinceMs : isOk ? atMs : beganAtMs
    this.#fortunes.set(work, { works: isOk, sinceMs, knownMs: atMs })
    const waitingSinceMs = this.#waitingSinceMs.get(work) ?? beganAtMs
    if (!isOk) {
      this.#waitingSinceMs.set(work, waitingSinceMs)
      return
    }
    if (work === 'produce') this.#writtenAtMs.push(atMs)
    this.#waitingSinceMs.delete(work)
    this.#longestWaitMs = Math.max(this.#longestWaitMs, atMs - waitingSinceMs)
  }

  #judge(): void {
    const [produce, fetch] = [this.#fortunes.get('produce'), this.#fortunes.get('fetch')]
    const { ready, sinceMs } = this.#ready
    if (ready === null || produce === undefined || fetch === undefined) return
    if (produce.works !== fetch.works || produce.works === (ready === 'True')) return
    const fromMs = Math.max(sinceMs, produce.sinceMs, fetch.sinceMs)
    const toMs = Math.min(produce.knownMs, fetch.knownMs)
    const limit = produce.works ? lieMsMax.workingButNotReady : lieMsMax.readyButFailing
    if (toMs - fromMs < limit) return
    // It goes on: one lie, that became longer.
    if (this.#lies.at(-1)?.fromMs === fromMs) this.#lies.pop()
    this.#lies.push({ ready, fromMs, toMs })
  }
}
