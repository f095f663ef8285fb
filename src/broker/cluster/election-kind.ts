import type { MetadataImage, PartitionImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'

/**
 * How a partition came to its leader. `clean`: of those in sync; `preferred`: so, and the one before could have gone on; `elr`: of
 * those that have all that is committed and were not in sync (KIP-966); `recovered`: of those last known to have it, and `unclean`:
 * of any. After the last two, records that were acknowledged may be gone.
 */
export const electionKinds = ['clean', 'preferred', 'elr', 'recovered', 'unclean'] as const

export type ElectionKind = (typeof electionKinds)[number]

/** After such an election records that were acknowledged may be gone. */
export function mayHaveLost(kind: ElectionKind): boolean {
  return kind === 'recovered' || kind === 'unclean'
}

export interface LeaderElected {
  readonly topic: string
  readonly kind: ElectionKind
}

/** The elections that `records` tell of, which came after `before`. */
export function electionsIn(
  before: MetadataImage,
  records: readonly MetadataRecord[],
): LeaderElected[] {
  const elected: LeaderElected[] = []
  /** As `records` left them so far. */
  const known = new Map<string, PartitionImage>()
  for (const record of records) {
    if (record.type !== 'partitionsChanged') continue
    const topic = before.topicById(record.topicId)
    for (const after of record.partitions) {
      const key = `${record.topicId} ${after.index}`
      const state = known.get(key) ?? topic?.partitions[after.index]
      known.set(key, after)
      // Made by the same batch: its first leader was not elected.
      if (topic === undefined || state === undefined) continue
      const kind = electionKind(before, state, after)
      if (kind !== null) elected.push({ topic: topic.name, kind })
    }
  }
  return elected
}

/** null: `after` has the leader that `before` had, or none. */
function electionKind(
  image: MetadataImage,
  before: PartitionImage,
  after: PartitionImage,
): ElectionKind | null {
  const isElected = after.leader >= 0 && after.leaderEpoch > before.leaderEpoch
  if (!isElected) return null
  const had = (directories: PartitionImage['isr']): boolean =>
    directories.some(id => image.brokerOfDirectory(id)?.id === after.leader)
  // Whoever was elected of no certain copy says so; a later election among those in sync does not take it back.
  const wasCertain = had(before.isr) || had(before.elr)
  const isUncertain = after.isRecovering && !(before.isRecovering && wasCertain)
  if (isUncertain) return wasCertain || had(before.lastKnownElr) ? 'recovered' : 'unclean'
  // The epoch rises also where a replica goes.
  if (after.leader === before.leader) return null
  if (!had(before.isr)) return had(before.elr) ? 'elr' : 'clean'
  const couldGoOn = after.isr.some(id => image.brokerOfDirectory(id)?.id === before.leader)
  return couldGoOn && after.leader === after.replicas[0] ? 'preferred' : 'clean'
}
