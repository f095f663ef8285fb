import type { RecordWalk, WalkRecords } from '../../../lib/record-walk.ts'
import { RecordCursor, RecordError } from './records.ts'

/** The portable version: what serves without the addon, and the oracle for it. */
export const walkRecords: WalkRecords = (bytes, from = 0, to = bytes.length) => {
  const walk: Growing = {
    count: 0,
    isWhole: false,
    misplacedAt: -1,
    keylessAt: -1,
    minTimestampDelta: 0,
    maxTimestampDelta: 0,
  }
  try {
    // How many there are is what is asked.
    const cursor = new RecordCursor(bytes.subarray(from, to), Infinity)
    while (!cursor.isAtEnd) {
      cursor.next()
      note(walk, cursor)
    }
    walk.isWhole = true
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
  }
  return walk
}

type Growing = { -readonly [Name in keyof RecordWalk]: RecordWalk[Name] }

function note(walk: Growing, cursor: RecordCursor): void {
  const { index, offsetDelta, keyBytes, exactTimestampDelta: delta } = cursor
  if (offsetDelta !== index && walk.misplacedAt < 0) walk.misplacedAt = index
  if (keyBytes < 0 && walk.keylessAt < 0) walk.keylessAt = index
  if (index === 0 || delta < walk.minTimestampDelta) walk.minTimestampDelta = delta
  if (index === 0 || delta > walk.maxTimestampDelta) walk.maxTimestampDelta = delta
  walk.count++
}
