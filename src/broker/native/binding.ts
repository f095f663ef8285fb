import type { CloseReason } from '../../env/network.ts'

/**
 * The addon's exports as C has them (native/*.c). Handles are small integers; a negative answer is an errno;
 * second results stand in `answer` until the next call. Only this folder speaks to it.
 */
export interface Binding {
  readonly constants: AddonConstants
  readonly answer: Float64Array
  /** The frames that `frames` is called for, a row each: slab, offset and length. */
  readonly frames: Float64Array
  /** The memory of each slab, at its number; its contents change when no frame of it is held. */
  readonly slabs: readonly ArrayBuffer[]
  /** What `connectionSend` reads: rows, and the bytes of small parts. */
  readonly sendRows: Float64Array
  readonly sendBytes: Uint8Array
  /** In the order of `constants.counters`. */
  readonly counters: Float64Array
  readonly crc32cMethod: string
  crc32c(bytes: Uint8Array, from: number, to: number, seed: number): number
  /** How many parse; `answer`: 1 where that is all, misplaced, keyless, least and greatest of RecordWalk in halves. */
  walkRecords(bytes: Uint8Array, from: number, to: number): number
  /** Gives the callbacks, before anything is listened to; again where this module is loaded anew. */
  start(callbacks: Callbacks): number

  /** The addon closes the descriptor, with the file. */
  fileAdopt(descriptor: number): number
  fileClose(file: number): number
  /** Nobody else can lock it until it is closed. */
  fileLock(file: number): number
  /** At most `constants.partsPerCall` parts. 0 or an errno; `answer[0]` says how many bytes went in. */
  fileWrite(file: number, position: number, parts: readonly Uint8Array[]): number
  fileRead(file: number, position: number, target: Uint8Array): number
  /** Notes what the device delivers with the range that is sent next. */
  fileLookUp(file: number, position: number, target: Uint8Array): number
  /** The same without waiting for the device: EAGAIN where it would have to. */
  fileLookUpNow(file: number, position: number, target: Uint8Array): number
  /** `answer`: pages cached, dirty, under write-back. */
  fileResidency(file: number, position: number, length: number): number
  /** 1 where every page that mincore(2) was asked about is cached, 0 where not. */
  fileIsCached(file: number, position: number, length: number): number
  /** 0 where cachestat(2) can be asked here, or an errno; and the same of mincore(2). */
  cachestatProbe(): number
  mincoreProbe(): number
  fileReserve(file: number, length: number): number
  fileDropCache(file: number, position: number, length: number): number

  /** Jobs: answered by `jobDone`. `target` must be kept until then. */
  fileReadLater(file: number, job: number, position: number, target: Uint8Array): number
  fileLookUpLater(file: number, job: number, position: number, target: Uint8Array): number
  fileDropCacheLater(file: number, job: number, position: number, length: number): number
  /** The contents, and what is needed to find them. */
  fileSync(file: number, job: number): number
  fileSyncAll(file: number, job: number): number
  fileSyncFileSystem(file: number, job: number): number
  fileWriteBack(file: number, job: number, position: number, length: number): number

  /**
   * `host` is an address. `answer[0]` is the port. Keep-alive: see `keepAliveSeconds`. `neverStarves` (1): its
   * connections are read however full the memory of requests is.
   */
  listen(
    host: string,
    port: number,
    frameSizeMin: number,
    frameSizeMax: number,
    keepAliveSeconds: number,
    backlog: number,
    neverStarves: number,
  ): number
  /** Answered by `connected` or `connectFailed`, never from inside the call; then its number is free. */
  connect(
    host: string,
    port: number,
    frameSizeMin: number,
    frameSizeMax: number,
    keepAliveSeconds: number,
  ): number
  /** It is not answered. */
  connectCancel(dial: number): number
  listenerClose(listener: number): number
  /** Accepts again after `acceptFailed`. */
  listenerResume(listener: number): number
  /**
   * The first rows of `sendRows`: a file, position, length, cold, stream, and position and length of what is dropped
   * with it. Without a file (-1) bytes at that position of `sendBytes`; without a position too (-1), the next of `parts`.
   * `more` (1): the rest of the message follows, and nothing leaves before. Gives the bytes of the run of cold ranges
   * that came to the head by this call, and asks; 0 where none did.
   */
  connectionSend(
    connection: number,
    rowCount: number,
    parts: readonly Uint8Array[],
    more: number,
  ): number
  /** Lets a run of cold ranges go that asked; it sends `bytesMax`, rounded up to a turn, and then asks again. */
  connectionGo(connection: number, bytesMax: number): number
  connectionPause(connection: number, paused: number): number
  /** `kind`: by its place in `constants.closeKinds`. */
  connectionClose(connection: number, kind: number): number
  connectionEnd(connection: number): number
  /** `answer`: bytes queued, in the incomplete frame, received; 1 where it starves. */
  connectionNumbers(connection: number): number
  /** Of all frames together: see RequestMemoryBounds. */
  requestMemoryBounds(
    any: number,
    small: number,
    large: number,
    begun: number,
    kept: number,
    short: number,
  ): number
  /** `abandoned` (1): nobody knows who still reads it, so its slab is not used again. */
  frameRelease(slab: number, abandoned: number): number
  streamOpen(): number
  /** `answer`: bytes sent, those of them that no device delivered, and how many ranges are queued or not counted. */
  streamRead(stream: number): number
  streamClose(stream: number): number
}

/** What C knows and TypeScript needs to know: it is written there, and read here. */
export interface AddonConstants {
  /** Numbers of one row of `sendRows`, and of `frames`. */
  readonly sendRowLength: number
  readonly frameRowLength: number
  /** Most parts of one `fileWrite`. */
  readonly partsPerCall: number
  readonly pageBytes: number
  /** Why a connection closed, by number. */
  readonly closeKinds: readonly CloseReason['kind'][]
  /**
   * By their places in `counters`: bytes received, sent by sendfile(2) and by copying, memory of requests, and times
   * that a connection was not read for want of it.
   */
  readonly counters: readonly CounterName[]
}

export type CounterName = 'received' | 'sentBySendfile' | 'sentByCopy' | 'held' | 'starved'

interface Callbacks {
  jobDone(job: number, result: number): void
  accepted(listener: number, connection: number, ...ends: ConnectionEnds): void
  acceptFailed(listener: number, errno: number): void
  connected(dial: number, connection: number, ...ends: ConnectionEnds): void
  connectFailed(dial: number, errno: number): void
  frames(connection: number, count: number): void
  drained(connection: number): void
  /** A run of cold ranges came to the head of the queue, and waits for `connectionGo`. */
  coldAsked(connection: number, bytes: number): void
  /** One that had been let go ended, after `sentBytes`; `nextBytes` of a run ask now, if any. */
  coldEnded(connection: number, sentBytes: number, nextBytes: number): void
  /** `detail`: an errno; where the kind is `frame`, the announced size. */
  closed(connection: number, kind: number, detail: number): void
}

export type ConnectionEnds = readonly [
  remoteHost: string,
  remotePort: string,
  localHost: string,
  localPort: string,
]
