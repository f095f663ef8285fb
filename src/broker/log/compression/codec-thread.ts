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
  const [reply, moved] = answer(request)
  parentPort!.postMessage(reply, moved)
  collectAfter(request.work)
  doSoon()
}

/**
 * A thread that waits collects nothing: it would keep the buffers of its last work for as long as it waits, of a
 * bomb 120 MiB and more. So it is told to, when enough may have come together; nobody else waits for it.
 */
const garbageBytesMax = 16 * 1024 * 1024
const collect = collector()
let garbageBytes = 0

function collectAfter(work: CodecWork): void {
  // At most so many bytes of buffers were left behind.
  garbageBytes += work.bytes.length + (work.kind === 'make' ? 0 : work.outputBytesMax)
  if (garbageBytes < garbageBytesMax) return
  garbageBytes = 0
  collect()
}

function answer({ id, work }: ThreadRequest): [ThreadReply, ArrayBuffer[]] {
  try {
    // A copy: what an addon made cannot change its thread.
    const bytes = new Uint8Array(doCodecWork(work))
    return [{ id, bytes }, [bytes.buffer]]
  } catch (error) {
    if (error instanceof DecompressError) return [{ id, problem: error.message }, []]
    throw error
  }
}
