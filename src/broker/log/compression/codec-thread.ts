import { parentPort } from 'node:worker_threads'
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
parentPort?.on('message', ({ id, work }: ThreadRequest) => {
  const [reply, moved] = answer(id, work)
  parentPort!.postMessage(reply, moved)
})

function answer(id: number, work: CodecWork): [ThreadReply, ArrayBuffer[]] {
  try {
    // A copy: what an addon made cannot change its thread.
    const bytes = new Uint8Array(doCodecWork(work))
    return [{ id, bytes }, [bytes.buffer]]
  } catch (error) {
    if (error instanceof DecompressError) return [{ id, problem: error.message }, []]
    throw error
  }
}
