import { assert } from '../../../lib/assert.ts'
import { DiskError } from '../../../env/disk.ts'
import { StoreError, StoreUnavailable } from '../store.ts'

/** The operations of a store on files: one at a time, until an error of the disk ends its life. */
export class Operations {
  readonly #path: string
  #state: 'idle' | 'busy' | 'failed' | 'closed' = 'idle'

  /** `path`: of the store, for people. */
  constructor(path: string) {
    this.#path = path
  }

  /** Runs one. What it throws is final, but for a store that only does not answer. */
  async alone<T>(act: () => Promise<T>): Promise<T> {
    if (this.#state === 'failed') {
      throw new StoreError('failed', `The metadata store ${this.#path} has failed before`)
    }
    assert(this.#state === 'idle', 'the store is open and does one operation at a time')
    this.#state = 'busy'
    try {
      const result = await act()
      this.#state = 'idle'
      return result
    } catch (error) {
      this.#state = error instanceof StoreUnavailable ? 'idle' : 'failed'
      if (!(error instanceof DiskError)) throw error
      throw new StoreError(
        'failed',
        `The metadata store failed: ${error.message}. What was under way may or may not be written; the next ` +
          'start will tell. Check the disk, then start the broker again.',
        { cause: error },
      )
    }
  }

  /** There are none any more. False: it was closed before. */
  close(): boolean {
    const isFirst = this.#state !== 'closed'
    this.#state = 'closed'
    return isFirst
  }
}
