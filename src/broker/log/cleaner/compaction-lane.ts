import type { Compaction } from './compaction.ts'

/** What a `Compaction` can be asked for. */
export type CompactionCall = 'begin' | 'map' | 'keep' | 'beginSegment' | 'filter' | 'endSegment'

type Argument<Name extends CompactionCall> = Parameters<Compaction[Name]>[0]
type Answer<Name extends CompactionCall> = ReturnType<Compaction[Name]>

/** The way to where compaction works. One call at a time; what a call is given belongs to it from then on. */
export interface CompactionLane {
  call<Name extends CompactionCall>(name: Name, argument: Argument<Name>): Promise<Answer<Name>>
  /** Nothing is called any more; the memory of the key map is free. */
  close(): void
}

/** Calls by name: the same in a thread as in the loop. */
export function callBy<Name extends CompactionCall>(
  compaction: Compaction,
  name: Name,
  argument: Argument<Name>,
): Answer<Name> {
  const call = compaction[name] as (argument: Argument<Name>) => Answer<Name>
  return call.call(compaction, argument)
}
