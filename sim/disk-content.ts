import { assert } from '../src/lib/assert.ts'
import type { Prng } from '../src/lib/prng.ts'
import type { Residency } from '../src/env/disk.ts'
import {
  crashedPages,
  pageBytes,
  type CrashInput,
  type Page,
  type PageVersion,
} from './disk-content-crash.ts'

/** What a sync found when it was asked for: exactly this becomes durable when it ends. */
export interface SyncCapture {
  readonly sequence: number
  readonly size: number
  readonly versions: readonly (readonly [page: number, version: PageVersion])[]
}

/** A page keeps at most so many unsynced versions that a crash may choose from. */
const versionCountMax = 8

/**
 * One simulated file: its pages as the page cache has them, as a sync left them, and every state in between
 * that a machine crash may find. Stored pages are never modified, so copies share them.
 */
export class FileContent {
  /** Bytes, as fstat says. Beyond it every cached page is zero. */
  size = 0
  modifiedMs = 0
  #cached: Page[] = []
  #durable: Page[] = []
  #durableSize = 0
  #durableSequence = 0
  /** Counts writes and cuts; orders versions and sizes. */
  #sequence = 0
  #unsynced = new Map<number, readonly PageVersion[]>()
  #sizes: { readonly sequence: number; readonly size: number; readonly isCut: boolean }[] = []
  readonly #dirty = new Set<number>()
  readonly #resident = new Set<number>()
  /** Pages whose write-back failed: clean and readable, until they are dropped (durability.md 3.4). */
  readonly #lost = new Set<number>()

  clone(): FileContent {
    const copy = new FileContent()
    copy.size = this.size
    copy.modifiedMs = this.modifiedMs
    copy.#cached = this.#cached.slice()
    copy.#durable = this.#durable.slice()
    copy.#durableSize = this.#durableSize
    copy.#durableSequence = this.#durableSequence
    copy.#sequence = this.#sequence
    copy.#unsynced = new Map(this.#unsynced)
    copy.#sizes = this.#sizes.slice()
    for (const page of this.#dirty) copy.#dirty.add(page)
    for (const page of this.#resident) copy.#resident.add(page)
    for (const page of this.#lost) copy.#lost.add(page)
    return copy
  }

  /** Writes `bytes`, as far as `newPagesMax` more pages go; returns the bytes that went in. */
  write(position: number, bytes: Uint8Array, newPagesMax: number): number {
    const sequence = ++this.#sequence
    let newPages = 0
    let done = 0
    while (done < bytes.length) {
      const page = Math.floor((position + done) / pageBytes)
      const from = (position + done) % pageBytes
      const before = this.#cached[page] ?? null
      if (before === null && ++newPages > newPagesMax) break
      const count = Math.min(pageBytes - from, bytes.length - done)
      const content = before === null ? new Uint8Array(pageBytes) : before.slice()
      content.set(bytes.subarray(done, done + count), from)
      this.#change(page, { sequence, content, isCut: false })
      done += count
    }
    if (position + done > this.size && done > 0) this.#resize(position + done, false)
    return done
  }

  /** Copies what the file has from `position` on; returns the bytes copied, and how many of them the cache lacked. */
  read(position: number, target: Uint8Array): { count: number; coldBytes: number } {
    const end = Math.min(this.size, position + target.length)
    let coldBytes = 0
    let at = position
    while (at < end) {
      const page = Math.floor(at / pageBytes)
      const from = at % pageBytes
      const count = Math.min(pageBytes - from, end - at)
      const content = this.#cached[page] ?? null
      const into = target.subarray(at - position, at - position + count)
      if (content === null) into.fill(0)
      else into.set(content.subarray(from, from + count))
      if (!this.#resident.has(page)) {
        coldBytes += count
        this.#resident.add(page)
      }
      at += count
    }
    return { count: Math.max(0, at - position), coldBytes }
  }

  truncate(length: number): void {
    const sequence = ++this.#sequence
    if (length < this.size) {
      const first = Math.ceil(length / pageBytes)
      const pageCount = Math.max(this.#cached.length, this.#durable.length)
      for (let page = first; page < pageCount; page++) {
        this.#change(page, { sequence, content: null, isCut: true })
        for (const pages of [this.#dirty, this.#resident, this.#lost]) pages.delete(page)
      }
      this.#cached.length = Math.min(this.#cached.length, first)
      const partial = this.#cached[first - 1] ?? null
      if (length % pageBytes !== 0 && partial !== null) {
        const content = partial.slice().fill(0, length % pageBytes)
        this.#change(first - 1, { sequence, content, isCut: true })
      }
    }
    this.#resize(length, length < this.size)
  }

  startSync(): SyncCapture {
    const versions = [...this.#unsynced].map(([page, found]) => [page, found.at(-1)!] as const)
    return { sequence: this.#sequence, size: this.size, versions }
  }

  finishSync(capture: SyncCapture): void {
    if (capture.sequence <= this.#durableSequence) return
    this.#durableSequence = capture.sequence
    this.#durableSize = capture.size
    this.#sizes = this.#sizes.filter(({ sequence }) => sequence > capture.sequence)
    this.#durable.length = Math.min(this.#durable.length, Math.ceil(capture.size / pageBytes))
    for (const [page, version] of capture.versions) {
      if (version.content !== null || page < this.#durable.length) {
        while (this.#durable.length < page) this.#durable.push(null)
        this.#durable[page] = version.content
      }
      if (this.#forget(page, capture.sequence)) this.#dirty.delete(page)
    }
  }

  /** fsyncgate: dirty pages become clean without having reached the device; the next sync will say all is well. */
  failSync(capture: SyncCapture): void {
    for (const [page] of capture.versions) {
      if (!this.#dirty.has(page) || !this.#forget(page, capture.sequence)) continue
      this.#dirty.delete(page)
      this.#lost.add(page)
    }
  }

  /** Write-back of whole pages ended: they are clean, and may be dropped, but a machine crash may still lose them. */
  finishWriteBack(capture: SyncCapture, position: number, length: number): void {
    for (const [page, version] of capture.versions) {
      const overlaps = page * pageBytes < position + length && (page + 1) * pageBytes > position
      if (overlaps && this.#unsynced.get(page)?.at(-1) === version) this.#dirty.delete(page)
    }
  }

  residency(position: number, length: number): Residency {
    const [from, to] = this.#pageSpan(position, length)
    const countOf = (pages: ReadonlySet<number>): number => {
      let count = 0
      for (let page = from; page < to; page++) if (pages.has(page)) count++
      return count * pageBytes
    }
    return {
      cachedBytes: countOf(this.#resident),
      dirtyBytes: countOf(this.#dirty),
      writebackBytes: 0,
    }
  }

  isResident(position: number, length: number): boolean {
    const [from, to] = this.#pageSpan(position, length)
    for (let page = from; page < to; page++) if (!this.#resident.has(page)) return false
    return true
  }

  /** Drops the clean pages wholly inside the range; what was lost comes back as the device has it. */
  drop(position: number, length: number): void {
    const end = Math.min(position + length, this.size)
    const to = end === this.size ? Math.ceil(end / pageBytes) : Math.floor(end / pageBytes)
    for (let page = Math.ceil(position / pageBytes); page < to; page++) {
      if (this.#dirty.has(page)) continue
      this.#resident.delete(page)
      if (this.#lost.delete(page)) this.#cached[page] = this.#durable[page] ?? null
    }
  }

  get allocatedBytes(): number {
    return this.#cached.reduce((sum, page) => sum + (page === null ? 0 : pageBytes), 0)
  }

  /** What a machine crash may leave of this file: any legal state, chosen by `prng`. Nothing of it is cached. */
  afterMachineCrash(prng: Prng): FileContent {
    const input: CrashInput = {
      durable: this.#durable,
      durableSize: this.#durableSize,
      unsynced: this.#unsynced,
      sizes: this.#sizes,
    }
    const left = new FileContent()
    const { pages, size } = crashedPages(input, prng)
    left.size = left.#durableSize = size
    left.modifiedMs = this.modifiedMs
    left.#cached = pages
    left.#durable = pages.slice()
    return left
  }

  #change(page: number, version: PageVersion): void {
    while (this.#cached.length < page) this.#cached.push(null)
    this.#cached[page] = version.content
    this.#dirty.add(page)
    this.#resident.add(page)
    this.#lost.delete(page)
    const versions = [...(this.#unsynced.get(page) ?? []), version]
    if (versions.length > versionCountMax) {
      const oldest = versions.findIndex(({ isCut }) => !isCut)
      if (oldest !== -1 && oldest < versions.length - 1) versions.splice(oldest, 1)
    }
    this.#unsynced.set(page, versions)
  }

  #resize(size: number, isCut: boolean): void {
    this.size = size
    this.#sizes.push({ sequence: this.#sequence, size, isCut })
  }

  /** Drops the versions of `page` up to `sequence`; true where none is left. */
  #forget(page: number, sequence: number): boolean {
    const later = (this.#unsynced.get(page) ?? []).filter(version => version.sequence > sequence)
    if (later.length === 0) return this.#unsynced.delete(page) || true
    this.#unsynced.set(page, later)
    return false
  }

  #pageSpan(position: number, length: number): [from: number, to: number] {
    assert(position >= 0 && length >= 0, 'a range of a file is not negative')
    const end = Math.min(position + length, this.size)
    return [Math.floor(position / pageBytes), length === 0 ? 0 : Math.ceil(end / pageBytes)]
  }
}
