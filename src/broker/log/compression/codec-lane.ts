import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../../lib/deferred.ts'
import type { ThreadReply, ThreadRequest } from './codec-thread.ts'
import type { CodecWork } from './codec-work.ts'
import { DecompressError } from './decompress-error.ts'

/**
 * The way to the codecs' thread. It starts with the first piece of work, since most brokers never open a batch, and
 * is no reason for the process to stay.
 */
export class CodecLane {
  #thread: Worker | null = null
  readonly #pending = new Map<number, Deferred<Uint8Array>>()
  #lastId = 0

  /**
   * `work.bytes` are copied at once and may change afterwards.
   * @throws DecompressError where they are malformed, or become more than they may
   */
  run(work: CodecWork): Promise<Uint8Array> {
    const id = ++this.#lastId
    const pending = deferred<Uint8Array>()
    this.#pending.set(id, pending)
    const bytes = new Uint8Array(work.bytes)
    const request: ThreadRequest = { id, work: { ...work, bytes } }
    this.#thread ??= this.#start()
    this.#thread.ref()
    this.#thread.postMessage(request, [bytes.buffer])
    return pending.promise
  }

  #start(): Worker {
    const thread = new Worker(file, { resourceLimits })
    thread.on('message', (reply: ThreadReply) => this.#take(reply))
    thread.on('error', error => this.#fail(thread, error))
    thread.on('exit', code => this.#fail(thread, new Error(`the codec thread ended with ${code}`)))
    return thread
  }

  #take(reply: ThreadReply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (this.#pending.size === 0) this.#thread?.unref()
    if ('bytes' in reply) pending?.resolve(reply.bytes)
    else pending?.reject(new DecompressError(reply.problem))
  }

  /** What was under way fails; the next piece of work starts another thread. */
  #fail(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return
    this.#thread = null
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }
}

/** Beside this file, in the checkout as in `dist/`. */
const file = new URL(`./codec-thread${extname(import.meta.url)}`, import.meta.url)

/** Its JavaScript needs next to nothing; payloads lie outside of the heap. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 }
