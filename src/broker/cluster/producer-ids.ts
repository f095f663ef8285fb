import { type Deferred, deferred } from '../../lib/deferred.ts'

/** Ids `[first, first + count)` are this broker's to hand out. */
export interface ProducerIdBlock {
  readonly first: number
  readonly count: number
}

interface Supply extends ProducerIdBlock {
  taken: number
  /** It is noted durably that nobody got an id of it: to be taken back before somebody does. */
  isKept: boolean
}

/** Where a block is noted that is wholly unused, so that a later start may use it. */
export interface SpareBlock {
  /** As the last run left it. */
  readonly block: ProducerIdBlock | null
  /** Resolves when it is durable. */
  keep(block: ProducerIdBlock | null): Promise<void>
}

/**
 * Hands out producer ids from blocks, each id once; a block that a crash interrupts is never used again, but for one that is
 * kept as a spare. Without a spare the next block is fetched when half of the present one is gone; with one, at once: so
 * that ids are there while the store is not, and at a start during which it is not.
 */
export class ProducerIds {
  readonly #fetch: () => Promise<ProducerIdBlock>
  readonly #spare: SpareBlock | null
  readonly #blocks: Supply[] = []
  readonly #waiting: Deferred<number>[] = []
  #isFetching = false
  #isTakingBack = false

  constructor(fetch: () => Promise<ProducerIdBlock>, spare: SpareBlock | null = null) {
    this.#fetch = fetch
    this.#spare = spare
    const block = spare?.block ?? null
    if (block !== null) this.#blocks.push({ ...block, taken: 0, isKept: true })
  }

  /** @throws whatever `fetch` throws, where no id is left */
  allocate(): Promise<number> {
    const id = this.#take()
    if (id !== null) {
      this.refill()
      return Promise.resolve(id)
    }
    const waiting = deferred<number>()
    this.#waiting.push(waiting)
    this.refill()
    return waiting.promise
  }

  /** Fetches a block where one is due and none is on its way. */
  refill(): void {
    const [first, second] = this.#blocks
    const isHalf = this.#spare !== null || (first !== undefined && first.taken * 2 >= first.count)
    const isDue = first === undefined || (second === undefined && isHalf)
    if (this.#isFetching || !isDue) return
    this.#isFetching = true
    this.#fetch().then(
      block => this.#fetched(block),
      (error: unknown) => this.#failed(error),
    )
  }

  async #fetched(block: ProducerIdBlock): Promise<void> {
    const isSpare = this.#spare !== null && this.#blocks.length > 0
    const supply = { ...block, taken: 0, isKept: isSpare }
    if (isSpare) {
      // What could not be noted is as good for this run.
      await this.#spare.keep(blockOf(block)).catch(() => (supply.isKept = false))
    }
    this.#isFetching = false
    this.#blocks.push(supply)
    this.#serve()
    this.refill()
  }

  #failed(error: unknown): void {
    this.#isFetching = false
    if (!this.#isTakingBack) this.#refuse(error)
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const id = this.#take()
      if (id === null) break
      this.#waiting.shift()!.resolve(id)
    }
  }

  #refuse(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }

  #take(): number | null {
    const block = this.#blocks[0]
    if (block === undefined) return null
    if (block.isKept) {
      void this.#takeBack(block)
      return null
    }
    const id = block.first + block.taken++
    if (block.taken === block.count) this.#blocks.shift()
    return id
  }

  /** A crash may come right after the first id of it is out. */
  async #takeBack(block: Supply): Promise<void> {
    if (this.#isTakingBack) return
    this.#isTakingBack = true
    try {
      const next = this.#blocks[1]
      await this.#spare?.keep(next?.isKept === true ? blockOf(next) : null)
      block.isKept = false
    } catch (error) {
      this.#refuse(error)
    }
    this.#isTakingBack = false
    this.#serve()
    this.refill()
  }
}

function blockOf({ first, count }: ProducerIdBlock): ProducerIdBlock {
  return { first, count }
}
