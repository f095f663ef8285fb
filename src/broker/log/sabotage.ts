/**
 * Bugs that a test build may plant, to prove that the crash-point test finds them (reliability.md 5.4).
 * Production passes no set, and no setting leads here.
 */
export type PlantedBug =
  /** Recovery believes a batch without its CRC. */
  | 'crc-unchecked'
  /** An append is answered when it is staged, before its write returned. */
  | 'end-offset-before-write'
  /** Recovery leaves the bytes after the first broken batch in the file. */
  | 'keep-torn-tail'
  /** Recovery begins with no producer state and replays nothing. */
  | 'producer-state-not-rebuilt'
  /** An index file is believed whatever it says, and the header it leads to too. */
  | 'index-trusted'
  /** A growth file is believed beyond the recovery point, without a look at the batches. */
  | 'growth-trusted'

export type Sabotage = ReadonlySet<PlantedBug>

export const noSabotage: Sabotage = new Set()
