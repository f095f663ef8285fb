import type { LogCluster } from '../crd/cluster.ts'
import { logClusters } from '../own-kinds.ts'
import { statusDraft } from './status-draft.ts'
import type { Step } from './step.ts'

/**
 * The oldest operator that takes everything which this one writes for what it is. Whoever makes the operator write what an
 * older one would misread, or would take away without knowing it, raises this to the version that he is about to release. @internal
 */
export const oldestOperator = '0.1.0'

/** Why an operator may not touch a cluster. */
export interface TooOld {
  readonly reason: 'OperatorTooOld'
  readonly message: string
}

/** Whether this operator is too old for what another one has written of the cluster; null where it is not. */
export function tooOldFor({ status }: LogCluster, version: string): TooOld | null {
  const oldest = status.oldestOperator
  if (oldest === undefined || !isBefore(version, oldest)) return null
  return {
    reason: 'OperatorTooOld',
    message:
      `This is operator ${version}, and one from ${oldest} on has kept this cluster, whose objects it would misread: it changes nothing. ` +
      `Brokers run on as they are. Install an operator that is ${oldest} or newer (helm upgrade).`,
  }
}

/** The version that is written into the status of a cluster which this operator keeps: never an older one than is there. */
export function oldestFor({ status }: LogCluster): string {
  const before = status.oldestOperator
  return before === undefined || isBefore(before, oldestOperator) ? oldestOperator : before
}

/** Before anything else is written: an older operator that came in between would find what it misreads, and no word of it. */
export function oldestOperatorSteps(cluster: LogCluster): Step[] {
  const oldest = oldestFor(cluster)
  if (oldest === cluster.status.oldestOperator) return []
  return [
    {
      do: 'apply status',
      resource: logClusters,
      draft: statusDraft(cluster, { ...cluster.status, oldestOperator: oldest }, 'this version'),
      what: `LogCluster ${cluster.metadata.name}`,
      because: `operators before ${oldest} may not touch what is written from now on`,
    },
  ]
}

/** By their numbers. A build of one's own, which has none, is nobody's elder. */
function isBefore(version: string, other: string): boolean {
  const [ours, theirs] = [numbersOf(version), numbersOf(other)]
  if (ours === null || theirs === null) return false
  const at = ours.findIndex((number, place) => number !== theirs[place])
  return at !== -1 && ours[at]! < theirs[at]!
}

/** Major, minor and patch; what a pre-release adds does not count, so that it may keep what it wrote itself. */
function numbersOf(version: string): readonly number[] | null {
  const found = /^(\d+)\.(\d+)\.(\d+)(?:[-+]|$)/.exec(version)
  return found === null ? null : found.slice(1).map(Number)
}
