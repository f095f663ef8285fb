import type { EpochEnd, Parting } from './events.ts'

/** What a follower does with its log to have its leader's. */
export type Cut =
  | { readonly type: 'truncate'; readonly offset: number }
  | { readonly type: 'beginAt'; readonly offset: number }

/**
 * By epochs, and never to the watermark, which may be behind what was committed (I-13, I-16, durability.md R4). Null
 * where the log stays as it is.
 */
export function cutOf(parting: Parting, endOffset: number): Cut | null {
  if (parting.kind === 'diverging')
    return { type: 'truncate', offset: epochCut(parting, endOffset) }
  // The leader deleted, or never had, what comes next here.
  if (parting.startOffset > endOffset) return { type: 'beginAt', offset: parting.startOffset }
  if (parting.endOffset < endOffset) return { type: 'truncate', offset: parting.endOffset }
  return null
}

/**
 * Where both have the epoch, the smaller of both ends. Where we do not know it, the end of our own next lower one: what
 * lies behind is of leaders that ours never heard of, and the next fetch asks by that epoch (KIP-279).
 */
function epochCut(
  { leader, own }: { readonly leader: EpochEnd; readonly own: EpochEnd },
  endOffset: number,
): number {
  if (own.endOffset === -1) return Math.min(leader.endOffset, endOffset)
  if (own.epoch !== leader.epoch) return Math.min(own.endOffset, endOffset)
  return Math.min(own.endOffset, leader.endOffset, endOffset)
}
