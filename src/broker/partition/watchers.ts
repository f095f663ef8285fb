import type { PartitionWatcher } from './requests.ts'

/** Who watches one partition, for one kind of reader. */
export class WatcherSet implements PartitionWatcher {
  readonly #all = new Set<PartitionWatcher>()

  add(watcher: PartitionWatcher): void {
    this.#all.add(watcher)
  }

  delete(watcher: PartitionWatcher): void {
    this.#all.delete(watcher)
  }

  grew(bytes: number): void {
    // Told of each append: where nobody watches there is not so much as an iterator to be made.
    if (this.#all.size === 0) return
    for (const watcher of this.#all) watcher.grew(bytes)
  }

  changed(): void {
    for (const watcher of this.#all) watcher.changed()
  }

  startMoved(): void {
    for (const watcher of this.#all) watcher.startMoved()
  }
}

/** Who watches one partition. */
export class Watchers {
  readonly consumers = new WatcherSet()
  readonly followers = new WatcherSet()
  /** Where the log began when they last heard of it. */
  #startOffset = 0

  changed(): void {
    this.consumers.changed()
    this.followers.changed()
  }

  /** The log begins at `startOffset`; told where that is news. A follower at once: its own log begins there too now. */
  startIs(startOffset: number): void {
    if (startOffset === this.#startOffset) return
    this.#startOffset = startOffset
    this.consumers.startMoved()
    this.followers.changed()
  }
}
