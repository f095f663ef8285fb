import type { FileRange } from '../../../env/env.ts'
import type { ColdReads } from '../../cold-lane/cold-reads.ts'
import { lagAfter } from '../../insight/lagging.ts'
import type { Told } from './asked.ts'
import type { Found } from './fetch-result.ts'
import type { Follower } from './follower.ts'
import type { FollowerTraffic } from './follower-traffic.ts'

export interface CarryDeps {
  readonly coldReads: Pick<ColdReads, 'sent'>
  readonly followerTraffic: Pick<FollowerTraffic, 'sent'>
}

/** What was found, with the records that its answer carries. */
export interface Carried extends Found {
  readonly records: FileRange | Uint8Array
}

/** What an answer tells, and carries. */
export interface Answered extends Omit<Told, 'found'> {
  readonly found: readonly Carried[]
}

export const noRecords = new Uint8Array(0)

/** What leaves with the answer counts as sent, here and nowhere sooner: a look may be followed by another. */
export function carried(
  { coldReads, followerTraffic }: CarryDeps,
  follower: Follower | null,
  found: Found,
): Carried {
  const { wish, partition, reader, result } = found
  const { range } = result
  if (range === null || partition === null || reader === null)
    return { ...found, records: noRecords }
  const { file, position, length, cold } = range
  reader.lag = lagAfter(reader.lag, reader.stream, range)
  if (follower !== null) followerTraffic.sent(partition, follower.brokerId, length)
  const drop = coldReads.sent(reader, { ...range, offset: wish.fetchOffset })
  const part = { file, position, length, cold, stream: reader.stream }
  return { ...found, records: drop === null ? part : { ...part, drop } }
}
