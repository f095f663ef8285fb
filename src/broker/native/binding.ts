/**
 * The addon's exports as C has them (native/*.c). Handles are small integers; a negative answer is an errno;
 * second results stand in `answer` until the next call. Only this folder speaks to it.
 */
export interface Binding {
  readonly answer: Float64Array
  crc32c(bytes: Uint8Array, from: number, to: number, seed: number): number
  crc32cPortable(bytes: Uint8Array, seed: number): number
  crc32cMethod(): string
  /** Gives the callbacks, once; 0 where they were given before. */
  start(callbacks: Callbacks): number

  /** `mode`: see `openModes`. */
  fileOpen(path: string, mode: number): number
  fileClose(file: number): number
  fileSize(file: number): number
  /** 0 or an errno; `answer[0]` says how many bytes went in. */
  fileWrite(file: number, position: number, parts: readonly Uint8Array[]): number
  fileRead(file: number, position: number, target: Uint8Array): number
  fileTruncate(file: number, length: number): number
  /** `answer`: bytes cached, dirty, under write-back. */
  fileResidency(file: number, position: number, length: number): number
  /** 1 or 0. */
  fileIsResident(file: number, position: number, length: number): number
  fileDropCache(file: number, position: number, length: number): number
  /** `answer`: type, total bytes, free bytes, two words of file system id, device. */
  pathStatistics(path: string): number
  pathLock(path: string): number
  pathUnlock(lock: number): number

  /** Jobs: answered by `jobDone`. `target` must be kept until then. */
  fileReadLater(file: number, job: number, position: number, target: Uint8Array): number
  fileSync(file: number, job: number): number
  fileWriteBack(file: number, job: number, position: number, length: number): number
  pathSyncDirectory(path: string, job: number): number
  pathSyncFileSystem(path: string, job: number): number
}

/** The modes of `fileOpen`. */
export const openModes = { read: 0, write: 1, create: 2 } as const

export interface Callbacks {
  jobDone(job: number, result: number): void
  accepted(): void
  acceptFailed(): void
  frames(): void
  drained(): void
  closed(): void
}
