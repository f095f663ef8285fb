import { parentPort } from 'node:worker_threads'
import { realClock } from '../../../env/real/clock.ts'
import { collector } from '../../../env/real/collector.ts'
import { type CodecWork, doCodecWork } from './codec-work.ts'
import { DecompressError } from './decompress-error.ts'

/** What the thread is sent; `id` comes back with the outcome. */
export interface ThreadRequest {
  readonly id: number
  readonly work: CodecWork
}

export type ThreadReply =
  | { readonly id: number; readonly bytes: Uint8Array }
  /** What is wrong with the bytes, as DecompressError says it. */
  | { readonly id: number; readonly problem: string }

/**
 * The body of the codecs' thread. One piece of work after the other, and synchronously: so the addons of snappy and
 * LZ4 free their memory in the thread that allocated it. Their allocator keeps for good what another thread frees:
 * 13 GB after 200 blocks that became 60 MiB each, seen.
 */
parentPort?.on('message', (request: ThreadRequest) => {
  queue.push(request)
  if (!isWorking) doSoon()
})

const queue: ThreadRequest[] = []
let isWorking = false

function doSoon(): void {
  isWorking = true
  realClock.soon(doNext)
}

/**
 * One piece of work a turn of the loop, and one turn more after the last: what belongs to an addon is freed between
 * turns only, and messages that come one upon another have all of them in one.
 */
function doNext(): void {
  isWorking = false
  const request = queue.shift()
  if (request === undefined) return
  const reply = answer(request)
  const leftBytes = leftBehind(request.work, reply)
  parentPort!.postMessage(reply, 'bytes' in reply ? [reply.bytes.buffer as ArrayBuffer] : [])
  collectAfter(leftBytes)
  doSoon()
}

/**
 * A thread that waits collects nothing: it would keep the buffers of its last work for as long as it waits, of a
 * bomb 120 MiB and more. So it is told to, when enough may have come together; nobody else waits for it.
 */
const garbageBytesMax = 32 * 1024 * 1024
const collect = collector()
let garbageBytes = 0

function collectAfter(leftBytes: number): void {
  garbageBytes += leftBytes
  if (garbageBytes < garbageBytesMax) return
  garbageBytes = 0
  collect()
}

/** Bytes of buffers that a piece of work left behind, about: what it read and made, or could have made before it failed. */
function leftBehind(work: CodecWork, reply: ThreadReply): number {
  const made = 'bytes' in reply ? reply.bytes.length : 0
  const mayHaveMade = 'bytes' in reply && work.kind !== 'remake' ? made : boundOf(work)
  return work.bytes.length + made + mayHaveMade
}

function boundOf(work: CodecWork): number {
  return work.kind === 'make' ? 0 : work.outputBytesMax
}

function answer({ id, work }: ThreadRequest): ThreadReply {
  try {
    // A copy: what an addon made cannot change its thread.
    return { id, bytes: new Uint8Array(doCodecWork(work)) }
  } catch (error) {
    if (error instanceof DecompressError) return { id, problem: error.message }
    throw error
  }
}
