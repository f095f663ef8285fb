import { DiskError, type DiskFile } from '../../../env/env.ts'
import { present } from '../../../lib/assert.ts'
import { isCompacted } from '../log-config.ts'
import type { Segment } from '../segment/segment.ts'
import { cleanedPath } from '../segment/swap-file.ts'
import type { LogState } from '../state/log-state.ts'
import type { CleanableLog } from './cleanable-log.ts'
import type { CompactionLane } from './compaction-lane.ts'
import type { NewCaches } from './compaction.ts'
import { keySlotBytes } from './key-map.ts'
import { CleaningAborted, Uncleanable, type CleaningNumbers } from './outcome.ts'
import { groupsOf, type Dirt } from './plan.ts'
import { eachChunk, type ChunkTools } from './segment-chunks.ts'
import { swapIn } from './swap.ts'
import type { IoThrottle } from './throttle.ts'

export interface CleaningTools {
  readonly lane: CompactionLane
  readonly throttle: IoThrottle
  /** Of the map of keys, at most. */
  readonly keyMapBytes: number
  /** Share of the map that is used. */
  readonly loadFactor: number
  readonly chunkBytes: number
  /** As in `KeepRules`. */
  readonly isTimeKnown: boolean
  /** Somebody wants the log, or the broker stops. */
  isWanted(): boolean
}

/** Dirty pages that the cleaner leaves to the kernel at most. */
const writeBackBytes = 4 * 1024 * 1024

/**
 * Cleans one log: the keys of its dirty part are noted with the offset of their last record, as many as the map takes;
 * then all segments up to there are written anew without the records that a later one of their key makes superfluous, from the
 * oldest on, each new one on the device and in its place before the next begins. So a tombstone never goes before what it
 * is about, wherever it is interrupted. Offsets keep their place.
 * @throws Uncleanable, CleaningAborted, DiskError
 */
export async function cleanLog(
  log: CleanableLog,
  dirt: Dirt<Segment>,
  tools: CleaningTools,
): Promise<CleaningNumbers> {
  return new Cleaning(log, dirt, tools).run()
}

class Cleaning {
  readonly #log: CleanableLog
  readonly #state: LogState
  readonly #dirt: Dirt<Segment>
  readonly #tools: CleaningTools
  readonly #chunks: ChunkTools
  readonly #numbers: CleaningNumbers = {
    readBytes: 0,
    writtenBytes: 0,
    copiedBytes: 0,
    readRecords: 0,
    keptRecords: 0,
    keyMapUtilization: 0,
  }

  constructor(log: CleanableLog, dirt: Dirt<Segment>, tools: CleaningTools) {
    this.#log = log
    this.#state = log.state
    this.#dirt = dirt
    this.#tools = tools
    const { chunkBytes, throttle } = tools
    this.#chunks = { chunkBytes, throttle, check: () => this.#check() }
  }

  async run(): Promise<CleaningNumbers> {
    const { cleaned, path, host } = this.#state
    await cleaned.beginTo(this.#dirt.upToOffset)
    // An earlier cleaning may have ended between an exchange and its sync: no second one begins before that is durable.
    await host.env.disk.syncDirectory(path)
    const mappedTo = await this.#map()
    await this.#keep(mappedTo)
    const segments = Array.from(this.#state.segments).slice(0, -1)
    const whole = segments.filter(({ baseOffset }) => baseOffset < mappedTo)
    for (const group of groupsOf(whole, this.#state.config)) await this.#cleanGroup(group)
    this.#check()
    await cleaned.endAt(mappedTo)
    return this.#numbers
  }

  /** Notes the keys of the dirty segments; tells up to where. */
  async #map(): Promise<number> {
    const { lane } = this.#tools
    const { firstDirtyOffset, upToOffset, dirty } = this.#dirt
    await lane.call('begin', { keys: this.#keyMapOptions(), fromOffset: firstDirtyOffset })
    let mappedTo = firstDirtyOffset
    let isFull = false
    for (const [at, segment] of dirty.entries()) {
      await eachChunk(segment, this.#chunks, async chunk => {
        this.#numbers.readBytes += chunk.bytes.length
        const mapped = await lane.call('map', chunk)
        mappedTo = mapped.mappedTo
        isFull = mapped.isFull
        this.#numbers.keyMapUtilization = mapped.utilization
        return { ...mapped, isEnough: isFull }
      })
      if (isFull) break
      // Offsets may be missing at its end.
      mappedTo = dirty[at + 1]?.baseOffset ?? upToOffset
    }
    if (mappedTo > firstDirtyOffset) return mappedTo
    throw new Uncleanable(
      `the keys of the batch at offset ${firstDirtyOffset} do not fit into the map of keys: raise log.cleaner.dedupe.buffer.size`,
    )
  }

  /** No larger than the dirty records, each with a key of its own, can need. */
  #keyMapOptions() {
    const { keyMapBytes, loadFactor } = this.#tools
    const { firstDirtyOffset, upToOffset } = this.#dirt
    const load = loadFactor > 0 && loadFactor < 1 ? loadFactor : loadFactorMax
    const slotsMax = Math.max(2, Math.floor(keyMapBytes / keySlotBytes))
    // A prime is taken, which lies a little below.
    const slots = Math.min(slotsMax, Math.ceil((upToOffset - firstDirtyOffset) / load) + 1000)
    return {
      slots,
      keysMax: Math.max(1, Math.floor(slotsMax * load)),
      seed: this.#state.host.env.random.bytes(16),
    }
  }

  async #keep(mappedTo: number): Promise<void> {
    const { host, config, producers, durability } = this.#state
    const producerEnds = new Map<number, number>()
    for (const { producerId, batches } of producers.states()) {
      // What came since may still be lost.
      const ends = batches.map(each => each.baseOffset + each.lastOffsetDelta)
      const last = ends.findLast(end => end < durability.offset)
      if (last !== undefined) producerEnds.set(producerId, last)
    }
    await this.#tools.lane.call('keep', {
      mappedTo,
      upToOffset: this.#dirt.upToOffset,
      nowMs: host.env.clock.now(),
      isTimeKnown: this.#tools.isTimeKnown,
      deleteRetentionMs: config.deleteRetentionMs,
      producerEnds,
    })
  }

  async #cleanGroup(group: readonly Segment[]): Promise<void> {
    const { host, path, config } = this.#state
    const { disk } = host.env
    const { baseOffset } = group[0]!
    const next = this.#state.segments.after(group.at(-1)!)
    const { baseOffset: endOffset } = present(
      next,
      'the active segment is behind all that are cleaned',
    )
    this.#check()
    const target = cleanedPath(path, baseOffset)
    if (disk.stat(target) !== null) disk.unlink(target)
    const file = disk.open(target, 'create')
    try {
      const { lane } = this.#tools
      await lane.call('beginSegment', { baseOffset, indexIntervalBytes: config.indexIntervalBytes })
      const sizeBytes = await this.#write(group, file)
      const caches: NewCaches = await lane.call('endSegment', undefined)
      await file.sync()
      this.#check()
      await swapIn(this.#log, { of: group, endOffset, sizeBytes, caches })
    } catch (error) {
      this.#discard(target)
      throw error
    } finally {
      file.close()
    }
  }

  /** What stays of `group`, into `file`; tells how many bytes that are. */
  async #write(group: readonly Segment[], file: DiskFile): Promise<number> {
    const output = new Output(file)
    for (const segment of group) {
      await eachChunk(segment, this.#chunks, async (chunk, wasCached) => {
        const { length } = chunk.bytes
        const filtered = await this.#tools.lane.call('filter', chunk)
        this.#check()
        this.#numbers.readBytes += length
        this.#numbers.readRecords += filtered.readRecords
        this.#numbers.keptRecords += filtered.keptRecords
        this.#numbers.copiedBytes += filtered.copiedBytes
        const written = await output.write(filtered.parts, wasCached)
        this.#numbers.writtenBytes += written
        await this.#tools.throttle.spend(written, this.#chunks.check)
        return filtered
      })
    }
    return output.sizeBytes
  }

  #discard(target: string): void {
    const { disk } = this.#state.host.env
    try {
      if (disk.stat(target) !== null) disk.unlink(target)
    } catch (error) {
      // The next start removes it.
      if (!(error instanceof DiskError)) throw error
    }
  }

  #check(): void {
    const { availability, config } = this.#state
    if (!this.#tools.isWanted()) throw new CleaningAborted('it is to end')
    if (availability.refusal !== null) throw new CleaningAborted('the log serves no longer')
    if (!isCompacted(config)) throw new CleaningAborted('the log is no compacted one any more')
  }
}

const loadFactorMax = 0.95

/**
 * The new segment's file: what was written goes to the device soon, so that no writer has to wait for it. It stays in the
 * page cache only where all that it is made of was there: then somebody reads it.
 */
class Output {
  readonly #file: DiskFile
  #sizeBytes = 0
  #writtenBack = 0
  #wasCached = true

  constructor(file: DiskFile) {
    this.#file = file
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async write(parts: readonly Uint8Array[], wasCached: boolean): Promise<number> {
    this.#wasCached &&= wasCached
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    if (length === 0) return 0
    await this.#file.writeAsync(this.#sizeBytes, parts)
    this.#sizeBytes += length
    const dirtyBytes = this.#sizeBytes - this.#writtenBack
    if (dirtyBytes >= writeBackBytes) {
      await this.#file.writeBack(this.#writtenBack, dirtyBytes)
      if (!this.#wasCached) await this.#file.dropCacheAsync(this.#writtenBack, dirtyBytes)
      this.#writtenBack = this.#sizeBytes
    }
    return length
  }
}
