import type { PartitionWatcher } from './requests.ts'

/** Who watches one partition. */
export class Watchers {
  readonly #all = new Set<PartitionWatcher>()
  /** Where the log began when they last heard of it. */
  #startOffset = 0

  add(watcher: PartitionWatcher): void {
    this.#all.add(watcher)
  }

  delete(watcher: PartitionWatcher): void {
    this.#all.delete(watcher)
  }

  grew(bytes: number): void {
    for (const watcher of this.#all) watcher.grew(bytes)
  }

  changed(): void {
    for (const watcher of this.#all) watcher.changed()
  }

  /** The log begins at `startOffset`; told where that is news. */
  startIs(startOffset: number): void {
    if (startOffset === this.#startOffset) return
    this.#startOffset = startOffset
    for (const watcher of this.#all) watcher.startMoved()
  }
}
