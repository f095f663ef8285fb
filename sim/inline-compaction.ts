import {
  callBy,
  type CompactionCall,
  type CompactionLane,
} from '../src/broker/log/cleaner/compaction-lane.ts'
import { Compaction } from '../src/broker/log/cleaner/compaction.ts'

/** Compaction in the event loop: a thread would answer whenever it likes, and a simulated clock does not wait for it. */
export function inlineCompaction(): CompactionLane {
  const compaction = new Compaction()
  return {
    async call(name: CompactionCall, argument: unknown) {
      return callBy(compaction, name, argument as never) as never
    },
    close() {},
  }
}
