import type { DiskOperation } from '../src/env/disk.ts'

/** Whatever a SimDisk can be asked to do and that can fail; faults and crash points name operations so. */
export type OperationName =
  | Exclude<
      DiskOperation,
      | 'space'
      | 'fileSystem'
      | 'residency'
      | 'isResident'
      | 'readNow'
      | 'dropCache'
      | 'dropCacheAsync'
      | 'reserve'
    >
  /** An `open` that makes the file. */
  | 'create'

/** Operations that change nothing: a crash before one is the crash before the next that does. */
const passive: ReadonlySet<OperationName> = new Set([
  'open',
  'list',
  'stat',
  'lock',
  'size',
  'read',
  'readAsync',
])

/** One operation that is about to happen. */
export interface SimOperation {
  /** How many counted operations came before it. */
  readonly index: number
  readonly name: OperationName
  /** As it was opened; `inode` is the file itself, 0 where the operation is not one of an open file. */
  readonly path: string
  readonly inode: number
  /** Of a write; its bytes are those of the caller, still unchanged. */
  readonly position: number
  readonly parts: readonly Uint8Array[]
}

export interface Fault {
  readonly operation: OperationName
  /** Any path where left out. */
  readonly pathPattern?: RegExp
  readonly code: string
  /** Of a write: the bytes that go in before it fails (a short write). */
  readonly written?: number
}

/** The process or the machine died: thrown by the operation in which it does, and by every later one. */
export class SimCrash extends Error {
  override readonly name = 'SimCrash'
}

/** Counts operations, and knows which of them are to fail or to be the last. */
export class FaultPlan {
  operationCount = 0
  crashed = false
  onOperation: ((operation: SimOperation) => void) | null = null
  #crashAt = Infinity
  #tornBytes = 0
  readonly #faults: Fault[] = []

  crashAfter(operationCount: number, tornBytes: number): void {
    this.#crashAt = operationCount
    this.#tornBytes = tornBytes
  }

  failNext(fault: Fault): void {
    this.#faults.push(fault)
  }

  forgetFaults(): void {
    this.#faults.length = 0
  }

  /**
   * To be called before an operation happens. Returns the fault it must have, or null; `tear` does the first
   * bytes of a write in which the process dies.
   * @throws SimCrash
   */
  begin(operation: Omit<SimOperation, 'index'>, tear: (bytes: number) => void): Fault | null {
    this.checkAlive()
    if (!passive.has(operation.name)) {
      this.onOperation?.({ index: this.operationCount, ...operation })
      if (this.operationCount >= this.#crashAt) {
        tear(this.#tornBytes)
        this.crashed = true
        this.checkAlive()
      }
      this.operationCount++
    }
    const at = this.#faults.findIndex(
      fault =>
        fault.operation === operation.name && (fault.pathPattern?.test(operation.path) ?? true),
    )
    return at === -1 ? null : this.#faults.splice(at, 1)[0]!
  }

  checkAlive(): void {
    if (this.crashed) throw new SimCrash('the simulated process is dead')
  }
}
