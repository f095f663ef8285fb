import { type Deferred, deferred } from '../../lib/deferred.ts'

/** Ids `[first, first + count)` are this broker's to hand out. */
export interface ProducerIdBlock {
  readonly first: number
  readonly count: number
}

interface Supply extends ProducerIdBlock {
  taken: number
}

/**
 * Hands out producer ids from blocks, each id once; a block that a crash interrupts is never used again. The
 * next block is fetched when half of the present one is gone, so that ids are there while the store is not.
 */
export class ProducerIds {
  readonly #fetch: () => Promise<ProducerIdBlock>
  readonly #blocks: Supply[] = []
  readonly #waiting: Deferred<number>[] = []
  #isFetching = false

  constructor(fetch: () => Promise<ProducerIdBlock>) {
    this.#fetch = fetch
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
    const isDue = first === undefined || (second === undefined && first.taken * 2 >= first.count)
    if (this.#isFetching || !isDue) return
    this.#isFetching = true
    this.#fetch().then(
      block => this.#fetched(block),
      (error: unknown) => this.#failed(error),
    )
  }

  #fetched(block: ProducerIdBlock): void {
    this.#isFetching = false
    this.#blocks.push({ ...block, taken: 0 })
    while (this.#waiting.length > 0) {
      const id = this.#take()
      if (id === null) break
      this.#waiting.shift()!.resolve(id)
    }
    this.refill()
  }

  #failed(error: unknown): void {
    this.#isFetching = false
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }

  #take(): number | null {
    const block = this.#blocks[0]
    if (block === undefined) return null
    const id = block.first + block.taken++
    if (block.taken === block.count) this.#blocks.shift()
    return id
  }
}
