import { int64Of } from '../../lib/bytes.ts'
import type { RecordWalk } from '../../lib/record-walk.ts'
import type { Binding } from './binding.ts'

/** WalkRecords by the addon. */
export function walkRecords(
  binding: Binding,
  bytes: Uint8Array,
  from = 0,
  to = bytes.length,
): RecordWalk {
  const count = binding.walkRecords(bytes, from, to)
  const { answer } = binding
  return {
    count,
    isWhole: answer[0] === 1,
    misplacedAt: answer[1]!,
    keylessAt: answer[2]!,
    minTimestampDelta: int64Of(answer[3]!, answer[4]!),
    maxTimestampDelta: int64Of(answer[5]!, answer[6]!),
  }
}
