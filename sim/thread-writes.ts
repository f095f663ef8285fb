import type { Prng } from '../src/lib/prng.ts'
import { firstBytes, lengthOf, withoutFirst } from './disk-file.ts'
import type { Inode } from './disk-tree.ts'

/** A write that a thread has begun, with the bytes as they were then. */
export interface ThreadWrite {
  readonly inode: Inode
  readonly position: number
  readonly parts: readonly Uint8Array[]
}

/** The writes that threads of one simulated process have begun and not finished. */
export class ThreadWrites {
  readonly #begun: Set<ThreadWrite>

  constructor(begun: Iterable<ThreadWrite> = []) {
    this.#begun = new Set(begun)
  }

  get count(): number {
    return this.#begun.size
  }

  clone(): ThreadWrites {
    return new ThreadWrites(this.#begun)
  }

  /**
   * Writes one half by `put`, and then the other, each when `later` lets it: who looks in between sees the first.
   * Resolves with the bytes that went in, fewer where `put` took fewer.
   */
  async write(
    { inode, position, parts }: ThreadWrite,
    put: (write: ThreadWrite) => number,
    later: (act: () => number) => Promise<number>,
  ): Promise<number> {
    const begun = { inode, position, parts: parts.map(part => part.slice()) }
    this.#begun.add(begun)
    try {
      const half = Math.ceil(lengthOf(parts) / 2)
      const done = await later(() => put({ inode, position, parts: firstBytes(parts, half) }))
      if (done < half) return done
      const rest = { inode, position: position + half, parts: withoutFirst(parts, half) }
      return half + (await later(() => put(rest)))
    } finally {
      this.#begun.delete(begun)
    }
  }

  /** The process dies: of each as much is left as `prng` says, and none is under way any more. */
  end(prng: Prng): ThreadWrite[] {
    const left = Array.from(this.#begun, write => ({
      ...write,
      parts: firstBytes(write.parts, prng.below(lengthOf(write.parts) + 1)),
    }))
    this.#begun.clear()
    return left
  }
}
