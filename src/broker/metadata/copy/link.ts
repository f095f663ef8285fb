import type { Cursor, StoredLog } from '../store.ts'

/**
 * Why `log`, which a store holds, does not go on from where a broker's copy ends; null where it does. Who wrote what
 * follows the copy knew all that is in it: the hash of its last record says so. Where several write the log (`isShared`), one of
 * them may have been away for longer than the store remembers, and nothing is held against that.
 */
export function linkProblem(
  copy: Cursor,
  log: StoredLog,
  isShared: () => boolean = () => false,
): string | null {
  const sequence = copy.nextSequence - 1
  const last = log.cursor.nextSequence - 1
  if (sequence === 0) return null
  if (sequence > last) {
    return `it ends with record ${last}, and this broker followed it up to record ${sequence}: it went back in time`
  }
  const hash = hashOf(log, sequence)
  if (hash === null) {
    if (isShared()) return null
    return `it does not tell record ${sequence} any more, with which this broker's copy ends: nobody can say whether it follows`
  }
  return hash === copy.lastHash
    ? null
    : `its record ${sequence} is another one than this broker followed: it went back in time and on in another way`
}

function hashOf(
  { snapshot, tail, history = [], cursor }: StoredLog,
  sequence: number,
): string | null {
  if (sequence === cursor.nextSequence - 1) return cursor.lastHash
  const marks = [...tail, ...(snapshot === null ? [] : [snapshot]), ...history]
  return marks.find(mark => mark.sequence === sequence)?.hash ?? null
}
