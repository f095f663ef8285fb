import type { Env } from '../../../env/env.ts'
import type { Log } from '../log.ts'
import type { FoundCleaned } from '../state/cleaned.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'

export interface CheckpointsOptions {
  readonly env: Pick<Env, 'disk' | 'crc32c'>
  readonly path: string
  readonly directoryId: string
  /** The open logs. */
  logs(): Iterable<Log>
  /** Whether the log of that name has to be there: it is open, or on disk, or missing or set aside, and may come back. */
  isListed(name: string): boolean
}

export type CheckpointKind =
  | 'recovery-point'
  | 'log-start-offset'
  | 'cleaner-offset'
  | 'sparse-offset'

interface Checkpoint {
  readonly file: OffsetCheckpoint
  readonly collect: () => Readonly<Record<string, number>>
}

/** The four checkpoints of a directory (FORMAT.md): an offset for each log, what they said, and what they are to say. */
export class Checkpoints {
  readonly #options: CheckpointsOptions
  readonly #of: Readonly<Record<CheckpointKind, Checkpoint>>
  /** Starts that logs want to have; saved before they take effect. */
  readonly #wantedStarts = new Map<string, number>()
  /** Those of them that are where a log begins anew, and hold even below where it begins now. */
  readonly #resetStarts = new Set<string>()
  /** Up to where logs are about to be known as cleaned, and to be sparse; likewise. */
  readonly #wantedCleaned = new Map<string, number>()
  readonly #wantedSparse = new Map<string, number>()

  constructor(options: CheckpointsOptions) {
    this.#options = options
    const { path, directoryId, env } = options
    const of = (kind: CheckpointKind, collect: (kept: Record<string, number>) => void) => {
      const name = `${kind}-checkpoint`
      const place = { ...env, path: `${path}/${name}`, kind: name }
      const file = new OffsetCheckpoint(place, directoryId)
      return { file, collect: () => this.#collected(file, collect) }
    }
    this.#of = {
      'recovery-point': of('recovery-point', offsets => this.#collectRecoveryPoints(offsets)),
      'log-start-offset': of('log-start-offset', offsets => this.#collectStarts(offsets)),
      'cleaner-offset': of('cleaner-offset', offsets => addTo(offsets, this.#wantedCleaned)),
      'sparse-offset': of('sparse-offset', offsets => addTo(offsets, this.#wantedSparse)),
    }
  }

  /** Writes it now, as things stand when its turn comes. @throws DiskError */
  save(kind: CheckpointKind): Promise<void> {
    const { file, collect } = this.#of[kind]
    return file.save(collect)
  }

  wantStart(name: string, offset: number): void {
    this.#resetStarts.delete(name)
    this.#wantedStarts.set(name, Math.max(offset, this.#wantedStarts.get(name) ?? 0))
  }

  resetStart(name: string, offset: number): void {
    this.#resetStarts.add(name)
    this.#wantedStarts.set(name, offset)
  }

  wantCleaned(name: string, offset: number): void {
    this.#wantedCleaned.set(name, offset)
  }

  wantSparse(name: string, offset: number): void {
    this.#wantedSparse.set(name, Math.max(offset, this.#wantedSparse.get(name) ?? 0))
  }

  /** The log of that name is no more, and what is known of it goes. Tells which files may speak of it still. */
  forget(name: string): CheckpointKind[] {
    this.#resetStarts.delete(name)
    for (const wanted of [this.#wantedStarts, this.#wantedCleaned, this.#wantedSparse])
      wanted.delete(name)
    const kinds = Object.keys(this.#of) as CheckpointKind[]
    return kinds.filter(kind => this.#of[kind].file.forget(name))
  }

  /** Null where none was ever written down, or what was is gone. */
  recoveryPointOf(name: string): number | null {
    return this.#of['recovery-point'].file.of(name)
  }

  startOffsetOf(name: string): number {
    return this.#of['log-start-offset'].file.of(name) ?? 0
  }

  /** How far the log of that name was cleaned. */
  cleanedOf(name: string): FoundCleaned {
    return {
      dirtyFrom: this.#of['cleaner-offset'].file.of(name),
      sparseTo: this.#of['sparse-offset'].file.of(name) ?? 0,
    }
  }

  /**
   * What the file says, and what is new, of logs that are to be there. One that is missing or set aside may be put back: without
   * its lines its end would be taken for torn, and what was deleted of it would be readable again.
   */
  #collected(
    { saved }: OffsetCheckpoint,
    collect: (offsets: Record<string, number>) => void,
  ): Record<string, number> {
    const offsets = { ...saved }
    collect(offsets)
    const lines = Object.entries(offsets)
    return Object.fromEntries(lines.filter(([name]) => this.#options.isListed(name)))
  }

  /** A damaged log keeps the point that it was found with; so does one that was not opened. */
  #collectRecoveryPoints(offsets: Record<string, number>): void {
    for (const log of this.#options.logs()) {
      if (log.offline === null) offsets[log.name] = log.durableOffset
    }
  }

  #collectStarts(offsets: Record<string, number>): void {
    for (const log of this.#options.logs()) {
      const wanted = this.#wantedStarts.get(log.name) ?? 0
      const isReset = this.#resetStarts.has(log.name)
      const start = isReset ? wanted : Math.max(log.startOffset, wanted)
      if ((start > 0 || isReset) && log.offline === null) offsets[log.name] = start
    }
  }
}

function addTo(offsets: Record<string, number>, wanted: ReadonlyMap<string, number>): void {
  for (const [name, offset] of wanted) offsets[name] = offset
}
