import { parentPort } from 'node:worker_threads'
import { callBy, type CompactionCall } from './compaction-lane.ts'
import { Compaction } from './compaction.ts'

/** What the thread is asked: one thing at a time. */
export interface ThreadRequest {
  readonly name: CompactionCall
  readonly argument: unknown
}

export interface ThreadReply {
  readonly answer: unknown
}

/** The body of the cleaner's thread. */
const compaction = new Compaction()

parentPort?.on('message', ({ name, argument }: ThreadRequest) => {
  const answer: unknown = callBy(compaction, name, argument as never)
  const reply: ThreadReply = { answer }
  parentPort!.postMessage(reply, buffersOf(answer))
})

/** What is written next, each buffer once. */
function buffersOf(answer: unknown): ArrayBuffer[] {
  const { parts = [] } = (answer ?? {}) as { readonly parts?: readonly Uint8Array[] }
  return [...new Set(parts.map(({ buffer }) => buffer as ArrayBuffer))]
}
