import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { deferred, type Deferred } from '../../../lib/deferred.ts'
import type { CompactionCall, CompactionLane } from './compaction-lane.ts'
import type { ThreadReply, ThreadRequest } from './compaction-thread.ts'
import { LaneError } from './outcome.ts'

/**
 * Compaction in a thread of its own, which is there as long as the lane: its memory is the key map's, and goes with it.
 * The bytes of chunks change hands without a copy, in both directions. It is no reason for the process to stay.
 */
export function threadLane(): CompactionLane {
  const thread = new Worker(file, { resourceLimits })
  let pending: Deferred<unknown> | null = null
  let ended: LaneError | null = null
  const end = (why: string): void => {
    ended ??= new LaneError(why)
    pending?.reject(ended)
    pending = null
  }
  thread.on('message', ({ answer }: ThreadReply) => {
    thread.unref()
    pending?.resolve(answer)
    pending = null
  })
  thread.on('error', error => end(`the cleaner's thread failed: ${error.message}`))
  thread.on('exit', code => end(`the cleaner's thread ended with ${code}`))
  thread.unref()
  return {
    call(name: CompactionCall, argument: unknown) {
      if (ended !== null) return Promise.reject(ended)
      pending = deferred<unknown>()
      const request: ThreadRequest = { name, argument }
      thread.ref()
      thread.postMessage(request, transferable(argument))
      return pending.promise as Promise<never>
    },
    close() {
      void thread.terminate()
    },
  }
}

/** The bytes of a chunk. */
function transferable(argument: unknown): ArrayBuffer[] {
  const { bytes } = (argument ?? {}) as { readonly bytes?: Uint8Array }
  return bytes === undefined ? [] : [bytes.buffer as ArrayBuffer]
}

/** Beside this file, in the checkout as in `dist/`. */
const file = new URL(`./compaction-thread${extname(import.meta.url)}`, import.meta.url)

/** Chunks and the map of keys lie outside of the heap. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }
