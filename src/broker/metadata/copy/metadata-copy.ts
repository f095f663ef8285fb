import { AppendedFile } from '../../../env/appended-file.ts'
import { type Disk, DiskError, readWhole, replaceFile } from '../../../env/disk.ts'
import { noRoom, withRoom, type MakeRoom } from '../../../env/with-room.ts'
import { assert } from '../../../lib/assert.ts'
import { concat } from '../../../lib/bytes.ts'
import { genesisHash } from '../chain.ts'
import { type Cursor, StoreError, type StoredLog, type StoredRecord } from '../store.ts'
import { decodeEntry, encodeEntry, type CopyEntry, type LocalFacts } from './copy-entry.ts'

/** Both may be left out. */
export interface MetadataCopyOptions {
  /** Whether a store that waits for the longest copy may be filled from this one: asked each time, of whoever knows all copies. */
  readonly mayFill?: () => Promise<boolean>
  /** For a full disk. Default: there is nothing to give up. */
  readonly makeRoom?: MakeRoom
}

const nothingLocal: LocalFacts = { unregisteredStarts: 0, producerIds: null }

/**
 * This broker's own copy of the metadata log, for one whose store is not on this disk: one file, a snapshot and the records
 * after it, chained as the store's are (FORMAT.md). It is what the broker serves from while the store does not answer, and
 * what tells a store that went back in time. One process has it: the directory's lock is taken before it is opened.
 *
 * A full disk is an error to be tried again; any other one of a write or a sync ends the copy's life.
 */
export class MetadataCopy {
  /** As in `MetadataCopyOptions`. */
  readonly mayFill: () => Promise<boolean>
  readonly #makeRoom: MakeRoom
  readonly #disk: Disk
  readonly #path: string
  #file: AppendedFile
  #cursor: Cursor | null = null
  #local = nothingLocal
  #failure: Error | null = null
  #last: Promise<unknown> = Promise.resolve()

  private constructor(
    disk: Disk,
    path: string,
    { mayFill = () => Promise.resolve(true), makeRoom = noRoom }: MetadataCopyOptions,
  ) {
    this.mayFill = mayFill
    this.#makeRoom = makeRoom
    this.#disk = disk
    this.#path = path
    this.#file = new AppendedFile(disk, path, 0)
  }

  /** @throws StoreError `damaged` where it is not as it was written; but for its end, which a crash may have torn */
  static open(disk: Disk, path: string, options: MetadataCopyOptions = {}): MetadataCopy {
    const copy = new MetadataCopy(disk, path, options)
    const { log, local, endsAt } = copy.#read()
    copy.#file = new AppendedFile(disk, path, endsAt)
    copy.#cursor = log?.cursor ?? null
    copy.#local = local
    return copy
  }

  /** Where it ends; null where there is nothing in it. */
  get cursor(): Cursor | null {
    return this.#cursor
  }

  get local(): LocalFacts {
    return this.#local
  }

  /** All of it, from the disk; null where there is nothing in it. @throws StoreError, as `open` */
  readLog(): StoredLog | null {
    return this.#read().log
  }

  /** `record` follows what is there; resolves when it is durable. @throws DiskError, StoreError; InvariantError where it does not */
  append(record: StoredRecord): Promise<void> {
    return this.#alone(async () => {
      assert(record.sequence === (this.#cursor?.nextSequence ?? 1), 'a record follows the last one')
      const previousHash = this.#cursor?.lastHash ?? genesisHash
      await this.#file.append(encodeEntry({ kind: 'record', previousHash, ...record }))
      this.#cursor = { nextSequence: record.sequence + 1, lastHash: record.hash }
    })
  }

  /** `log` and nothing else is the copy from now on; resolves when that is durable. @throws DiskError, StoreError */
  replace(log: StoredLog): Promise<void> {
    return this.#alone(async () => {
      const content = concat([...entriesOf(log), encodeEntry({ kind: 'local', ...this.#local })])
      this.#file.close()
      await replaceFile(this.#disk, this.#path, content)
      this.#file = new AppendedFile(this.#disk, this.#path, content.length)
      this.#cursor = log.cursor
    })
  }

  /** Resolves when it is durable. @throws DiskError, StoreError */
  keep(changes: Partial<LocalFacts>): Promise<void> {
    return this.#alone(async () => {
      const local = { ...this.#local, ...changes }
      await this.#file.append(encodeEntry({ kind: 'local', ...local }))
      this.#local = local
    })
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#last
    this.#file.close()
  }

  #read(): { log: StoredLog | null; local: LocalFacts; endsAt: number } {
    const bytes = readWhole(this.#disk, this.#path) ?? new Uint8Array()
    const records: StoredRecord[] = []
    let log: StoredLog | null = null
    let local = nothingLocal
    let endsAt = 0
    for (let next = decodeEntry(bytes, 0); next !== null; next = decodeEntry(bytes, endsAt)) {
      const { entry, end } = next
      if (entry.kind === 'local') local = factsOf(entry)
      else log = this.#followed(log, entry, records)
      endsAt = end
    }
    if (this.#hasEntryAfter(bytes, endsAt)) throw this.#damaged(`from byte ${endsAt} on`)
    return { log, local, endsAt }
  }

  #followed(
    log: StoredLog | null,
    entry: Exclude<CopyEntry, { readonly kind: 'local' }>,
    tail: StoredRecord[],
  ): StoredLog {
    const { sequence, epoch, hash, payload } = entry
    const cursor = { nextSequence: sequence + 1, lastHash: hash }
    if (entry.kind === 'snapshot') {
      if (log !== null) throw this.#damaged(`snapshot ${sequence} is not its first entry`)
      return { snapshot: { sequence, epoch, hash, payload }, tail, cursor }
    }
    const { nextSequence, lastHash } = log?.cursor ?? { nextSequence: 1, lastHash: genesisHash }
    if (entry.previousHash !== lastHash || sequence !== nextSequence) {
      throw this.#damaged(`record ${sequence} does not follow what is before it`)
    }
    tail.push({ sequence, epoch, hash, payload })
    return { snapshot: log?.snapshot ?? null, tail, cursor }
  }

  /** A crash tears the last entry only: a whole one behind something else was damaged later. */
  #hasEntryAfter(bytes: Uint8Array, from: number): boolean {
    for (let at = bytes.indexOf(newline, from); at >= 0; at = bytes.indexOf(newline, at + 1)) {
      if (decodeEntry(bytes, at + 1) !== null) return true
    }
    return false
  }

  #damaged(what: string): StoreError {
    return new StoreError(
      'damaged',
      `This broker's copy of the metadata log is damaged: ${this.#path}: ${what}. Nothing was changed. Restore it from a copy ` +
        'of this disk; or remove it, if what the metadata store holds is known to be right: it is then taken as it is.',
    )
  }

  /** One thing at a time; an error that does not pass is the last. */
  #alone(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      if (this.#failure !== null) throw this.#failure
      try {
        await withRoom(this.#makeRoom, act)
      } catch (error) {
        if (!(error instanceof DiskError) || isPassing(error)) throw error
        this.#failure = new StoreError(
          'failed',
          `The copy of the metadata log failed: ${error.message}. Check the disk, then start the broker again.`,
          { cause: error },
        )
        throw this.#failure
      }
    })
    this.#last = done.catch(() => {})
    return done
  }
}

const newline = 0x0a

function factsOf({ unregisteredStarts, producerIds }: LocalFacts): LocalFacts {
  return { unregisteredStarts, producerIds }
}

/** Nothing is broken: nothing was synced, and it may be tried again. */
function isPassing(error: DiskError): boolean {
  const isShort = error.isFull || error.isOutOfDescriptors || error.code === 'ENOMEM'
  return isShort && !error.isOfSync
}

function* entriesOf({ snapshot, tail }: StoredLog): Iterable<Uint8Array> {
  if (snapshot !== null) yield encodeEntry({ kind: 'snapshot', ...snapshot })
  let previousHash = snapshot?.hash ?? genesisHash
  for (const record of tail) {
    yield encodeEntry({ kind: 'record', previousHash, ...record })
    previousHash = record.hash
  }
}
