import { DiskError, type DiskFile, type DiskOperation, type Residency } from '../src/env/disk.ts'
import { assert } from '../src/lib/assert.ts'
import type { FileContent, SyncCapture } from './disk-content.ts'
import type { Fault, FaultPlan, OperationName, SimOperation } from './disk-faults.ts'

/** What an open file needs of its disk. */
export interface FileHost {
  readonly inode: number
  readonly plan: FaultPlan
  content(purpose: 'read' | 'change'): FileContent
  write(position: number, parts: readonly Uint8Array[]): number
  /** As `write`, in two steps that come later; a crash meanwhile finds any part of it. */
  writeAsync(position: number, parts: readonly Uint8Array[]): Promise<number>
  endSync(capture: SyncCapture, fault: Fault | null): void
  later<T>(act: () => T): Promise<T>
  coldRead(bytes: number, isAsync: boolean): void
  released(): void
}

const noParts: readonly Uint8Array[] = []

/** An open file of a SimDisk. */
export class SimFile implements DiskFile {
  readonly path: string
  readonly pageCacheSource = 'cachestat'
  readonly #mode: 'read' | 'write' | 'create'
  readonly #host: FileHost
  #isOpen = true
  #references = 1

  constructor(path: string, mode: 'read' | 'write' | 'create', host: FileHost) {
    this.path = path
    this.#mode = mode
    this.#host = host
  }

  size(): number {
    this.#begin('size')
    return this.#host.content('read').size
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    const { fault, offered } = this.#beginWrite('write', position, parts)
    const written = this.#host.write(position, offered)
    if (fault !== null) throw new DiskError('write', this.path, fault.code, written)
    if (written < lengthOf(parts)) throw new DiskError('write', this.path, 'ENOSPC', written)
  }

  async writeAsync(position: number, parts: readonly Uint8Array[]): Promise<void> {
    const { fault, offered } = this.#beginWrite('writeAsync', position, parts)
    const release = this.hold()
    try {
      const written = await this.#host.writeAsync(position, offered)
      if (fault !== null) throw new DiskError('writeAsync', this.path, fault.code, written)
      if (written < lengthOf(parts)) throw new DiskError('writeAsync', this.path, 'ENOSPC', written)
    } finally {
      release()
    }
  }

  #beginWrite(
    name: 'write' | 'writeAsync',
    position: number,
    parts: readonly Uint8Array[],
  ): { fault: Fault | null; offered: readonly Uint8Array[] } {
    assert(Number.isSafeInteger(position) && position >= 0, 'a write has a position in the file')
    this.#checkWritable(name, 'EBADF')
    const tear = (bytes: number): void => void this.#host.write(position, firstBytes(parts, bytes))
    const fault = this.#host.plan.begin({ ...this.#operation(name), position, parts }, tear)
    return { fault, offered: fault === null ? parts : firstBytes(parts, fault.written ?? 0) }
  }

  read(position: number, target: Uint8Array): number {
    this.#begin('read')
    return this.#read(position, target, false)
  }

  readNow(position: number, target: Uint8Array): number | null {
    this.#checkOpen('readNow')
    const content = this.#host.content('read')
    return content.isResident(position, target.length) ? content.read(position, target).count : null
  }

  async readAsync(position: number, target: Uint8Array): Promise<number> {
    this.#begin('readAsync')
    return this.#during(() => this.#read(position, target, true))
  }

  truncate(length: number): void {
    this.#checkWritable('truncate', 'EINVAL')
    this.#begin('truncate')
    this.#host.content('change').truncate(length)
  }

  async sync(): Promise<void> {
    const { fault, capture } = this.#capture('sync')
    await this.#during(() => {
      this.#host.endSync(capture, fault)
      if (fault !== null) throw new DiskError('sync', this.path, fault.code)
    })
  }

  async writeBack(position: number, length: number): Promise<void> {
    const { fault, capture } = this.#capture('writeBack')
    await this.#during(() => {
      const content = this.#host.content('change')
      if (fault === null) content.finishWriteBack(capture, position, length)
      else content.failSync(capture)
      if (fault !== null) throw new DiskError('writeBack', this.path, fault.code)
    })
  }

  residency(position: number, length: number): Residency {
    this.#checkOpen('residency')
    return this.#host.content('read').residency(position, length)
  }

  isResident(position: number, length: number): boolean {
    this.#checkOpen('isResident')
    return this.#host.content('read').isResident(position, length)
  }

  reserve(): boolean {
    this.#checkWritable('reserve', 'EBADF')
    return true
  }

  dropCache(position: number, length: number): void {
    this.#checkOpen('dropCache')
    this.#host.content('change').drop(position, length)
  }

  async dropCacheAsync(position: number, length: number): Promise<void> {
    this.#checkOpen('dropCacheAsync')
    await this.#during(() => this.#host.content('change').drop(position, length))
  }

  hold(): () => void {
    assert(this.#references > 0, 'only a file that is still referenced can be held')
    this.#references++
    let isHeld = true
    return () => {
      if (isHeld) this.#release()
      isHeld = false
    }
  }

  close(): void {
    if (this.#isOpen) this.#release()
    this.#isOpen = false
  }

  #release(): void {
    this.#references--
    if (this.#references === 0) this.#host.released()
  }

  #read(position: number, target: Uint8Array, isAsync: boolean): number {
    const isWarm = this.#host.content('read').isResident(position, target.length)
    const { count, coldBytes } = this.#host
      .content(isWarm ? 'read' : 'change')
      .read(position, target)
    this.#host.coldRead(coldBytes, isAsync)
    return count
  }

  #capture(name: 'sync' | 'writeBack'): { fault: Fault | null; capture: SyncCapture } {
    this.#checkOpen(name)
    const fault = this.#host.plan.begin(this.#operation(name), () => {})
    return { fault, capture: this.#host.content('read').startSync() }
  }

  /** Ends `act` later; the file stays referenced until then. */
  async #during<T>(act: () => T): Promise<T> {
    const release = this.hold()
    try {
      return await this.#host.later(act)
    } finally {
      release()
    }
  }

  #begin(name: Exclude<OperationName, 'create'>): void {
    this.#checkOpen(name)
    const fault = this.#host.plan.begin(this.#operation(name), () => {})
    if (fault !== null) throw new DiskError(name, this.path, fault.code)
  }

  #operation(name: OperationName): Omit<SimOperation, 'index'> {
    return { name, path: this.path, inode: this.#host.inode, position: 0, parts: noParts }
  }

  #checkWritable(operation: DiskOperation, code: string): void {
    this.#checkOpen(operation)
    if (this.#mode === 'read') throw new DiskError(operation, this.path, code)
  }

  #checkOpen(operation: DiskOperation): void {
    if (this.#references === 0) throw new DiskError(operation, this.path, 'EBADF')
  }
}

export function firstBytes(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const taken: Uint8Array[] = []
  let left = bytes
  for (const part of parts) {
    if (left <= 0) break
    taken.push(part.subarray(0, left))
    left -= part.length
  }
  return taken
}

/** What `firstBytes` leaves. */
export function withoutFirst(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  return parts.map(part => {
    const left = part.subarray(Math.min(skip, part.length))
    skip = Math.max(0, skip - part.length)
    return left
  })
}

export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
