import { DiskError, type DiskOperation } from '../src/env/disk.ts'
import { present } from '../src/lib/assert.ts'
import type { Prng } from '../src/lib/prng.ts'

/** A file or a directory, whatever its names are. */
export type Inode = number

interface Edit {
  readonly directory: Inode
  readonly name: string
  /** Null takes the name away. */
  readonly inode: Inode | null
}

/** A change of directory entries that happens as a whole: a rename between two directories has edits in both. */
export type Change = readonly Edit[]

interface Directory {
  readonly cached: Map<string, Inode>
  readonly durable: Map<string, Inode>
}

const root: Inode = 1

/** The simulated directories: their entries now, those that are durable, and the journal of the changes between. */
export class DirectoryTree {
  readonly #directories = new Map<Inode, Directory>([[root, emptyDirectory()]])
  #journal: Change[] = []
  #lastInode = root
  #changeCount = 0

  clone(): DirectoryTree {
    const copy = new DirectoryTree()
    for (const [inode, { cached, durable }] of this.#directories) {
      copy.#directories.set(inode, { cached: new Map(cached), durable: new Map(durable) })
    }
    copy.#journal = this.#journal.slice()
    copy.#lastInode = this.#lastInode
    return copy
  }

  /** The inode at `path`, or null. @throws DiskError ENOTDIR where a file is used as a directory. */
  find(operation: DiskOperation, path: string): Inode | null {
    let inode = root
    for (const name of namesOf(path)) {
      const directory = this.#directories.get(inode)
      if (directory === undefined) throw new DiskError(operation, path, 'ENOTDIR')
      const next = directory.cached.get(name)
      if (next === undefined) return null
      inode = next
    }
    return inode
  }

  /** As `find`. @throws DiskError ENOENT */
  get(operation: DiskOperation, path: string): Inode {
    const inode = this.find(operation, path)
    if (inode === null) throw new DiskError(operation, path, 'ENOENT')
    return inode
  }

  getDirectory(operation: DiskOperation, path: string): Inode {
    const inode = this.get(operation, path)
    if (!this.isDirectory(inode)) throw new DiskError(operation, path, 'ENOTDIR')
    return inode
  }

  isDirectory(inode: Inode): boolean {
    return this.#directories.has(inode)
  }

  /** As long as it is the same, whoever had a name has one. */
  get changeCount(): number {
    return this.#changeCount
  }

  names(directory: Inode): string[] {
    return [...this.#directory(directory).cached.keys()].toSorted()
  }

  /** Gives `path` a new inode. */
  create(operation: DiskOperation, path: string, kind: 'file' | 'directory'): Inode {
    const inode = ++this.#lastInode
    this.add(operation, path, inode)
    if (kind === 'directory') this.#directories.set(inode, emptyDirectory())
    return inode
  }

  add(operation: DiskOperation, path: string, inode: Inode): void {
    if (this.find(operation, path) !== null) throw new DiskError(operation, path, 'EEXIST')
    this.#change([{ ...this.#place(operation, path), inode }])
  }

  remove(operation: DiskOperation, path: string): void {
    this.#change([{ ...this.#place(operation, path), inode: null }])
  }

  rename(from: string, to: string): void {
    const moved = this.get('rename', from)
    const source = this.#place('rename', from)
    const target = this.#place('rename', to)
    if (
      this.isDirectory(moved) &&
      `${namesOf(to).join('/')}/`.startsWith(`${namesOf(from).join('/')}/`)
    ) {
      if (namesOf(to).length > namesOf(from).length) throw new DiskError('rename', from, 'EINVAL')
    }
    const replaced = this.find('rename', to)
    if (replaced === moved) return
    if (replaced !== null) this.#checkReplaceable(from, moved, replaced)
    this.#change([
      { ...source, inode: null },
      { ...target, inode: moved },
    ])
  }

  /** The changes of `directory` (null: of all) that are not durable yet. */
  unsynced(directory: Inode | null): readonly Change[] {
    return this.#journal.filter(
      change => directory === null || change.some(edit => edit.directory === directory),
    )
  }

  /** Makes `wanted` durable, and whatever the journal has before them in the same directories. */
  commit(wanted: readonly Change[]): void {
    const asked = new Set(wanted)
    const touched = new Set<Inode>()
    const taken = new Set<Change>()
    for (const change of this.#journal.toReversed()) {
      if (!asked.has(change) && !change.some(({ directory }) => touched.has(directory))) continue
      taken.add(change)
      for (const { directory } of change) touched.add(directory)
    }
    if (taken.size === 0) return
    this.#changeCount++
    for (const change of this.#journal) if (taken.has(change)) this.#persist(change)
    this.#journal = this.#journal.filter(change => !taken.has(change))
  }

  /** Every inode that a name leads to now. */
  cached(): Set<Inode> {
    const inodes = new Set<Inode>([root])
    for (const { cached } of this.#directories.values()) {
      for (const inode of cached.values()) inodes.add(inode)
    }
    return inodes
  }

  /** Every inode that a name leads to, now or after a crash. */
  named(): Set<Inode> {
    const inodes = new Set<Inode>([root])
    for (const { cached, durable } of this.#directories.values()) {
      for (const inode of cached.values()) inodes.add(inode)
      for (const inode of durable.values()) inodes.add(inode)
    }
    for (const { directory, inode } of this.#journal.flat()) {
      inodes.add(directory)
      if (inode !== null) inodes.add(inode)
    }
    return inodes
  }

  forget(inode: Inode): void {
    this.#directories.delete(inode)
  }

  directories(): Inode[] {
    return [...this.#directories.keys()]
  }

  /** What a machine crash leaves: of the unsynced changes of each directory the first few, chosen by `prng`. */
  afterMachineCrash(prng: Prng): DirectoryTree {
    const left = this.clone()
    const stopped = new Set<Inode>()
    const keptOfEight = prng.pick([0, 4, 6, 7, 8])
    for (const change of left.#journal) {
      const isKept = prng.chance(keptOfEight, 8)
      if (isKept && !change.some(({ directory }) => stopped.has(directory))) left.#persist(change)
      else for (const { directory } of change) stopped.add(directory)
    }
    left.#journal = []
    for (const { cached, durable } of left.#directories.values()) {
      cached.clear()
      for (const [name, inode] of durable) cached.set(name, inode)
    }
    return left
  }

  #checkReplaceable(from: string, moved: Inode, replaced: Inode): void {
    const target = this.#directories.get(replaced)
    if (target === undefined && this.isDirectory(moved))
      throw new DiskError('rename', from, 'ENOTDIR')
    if (target !== undefined && !this.isDirectory(moved))
      throw new DiskError('rename', from, 'EISDIR')
    if (target !== undefined && target.cached.size > 0)
      throw new DiskError('rename', from, 'ENOTEMPTY')
  }

  #place(operation: DiskOperation, path: string): { directory: Inode; name: string } {
    const names = namesOf(path)
    const name = names.pop()
    if (name === undefined) throw new DiskError(operation, path, 'EBUSY')
    return { directory: this.getDirectory(operation, `/${names.join('/')}`), name }
  }

  #change(change: Change): void {
    this.#changeCount++
    for (const edit of change) apply(edit, this.#directory(edit.directory).cached)
    this.#journal.push(change)
  }

  #persist(change: Change): void {
    for (const edit of change) apply(edit, this.#directory(edit.directory).durable)
  }

  #directory(inode: Inode): Directory {
    return present(this.#directories.get(inode), `directory ${inode}`)
  }
}

function emptyDirectory(): Directory {
  return { cached: new Map(), durable: new Map() }
}

function apply(edit: Edit, entries: Map<string, Inode>): void {
  if (edit.inode === null) entries.delete(edit.name)
  else entries.set(edit.name, edit.inode)
}

function namesOf(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.')
}
