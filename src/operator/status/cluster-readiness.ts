import type { BrokerStatus } from '../brokers/brokers.ts'
import { isAbsenceAccepted } from '../plan/absence.ts'
import type { BrokerView } from '../plan/broker-view.ts'
import type { Observed } from '../plan/observed.ts'
import type { Plan } from '../plan/plan.ts'
import { formerly, no, unknown, yes, type Finding } from './conditions.ts'

/** What is looked at, and what was found of each broker of `plan.views`, in their order. */
interface Seen {
  readonly observed: Observed
  readonly plan: Plan
  /** RFC 3339. */
  readonly now: string
}

/** A broker that is wanted for less is on its way: who has just made a cluster waits for all of it. Its pods come and go. */
const youngMs = 60_000
const partitionsOffline = 'PartitionsOffline'

/**
 * Whether clients are served. A broker alone serves or not. Of several, those that serve are enough once the cluster has been
 * whole, as long as every partition has a leader among them.
 */
export function clusterReadiness(seen: Seen, brokers: readonly Finding[]): Finding {
  const { observed, plan } = seen
  const { birth } = plan
  if (birth.kind === 'blocked') return no(birth.reason, birth.message)
  if (birth.kind !== 'born') return no('Creating', 'The metadata of the cluster is being made.')
  if (isFrozen(plan.hibernation)) return frozen
  if (plan.hibernation.kind === 'stop' && brokers.length > 1) return stopped(plan, brokers)
  if (brokers.length === 0) {
    return formerly(observed.cluster.status.conditions, 'Ready') ?? unknown('Pending', 'No broker.')
  }
  const wanting = brokers.find(({ status }) => status !== 'True')
  if (wanting === undefined) return yes('Serving', `All brokers (${brokers.length}) serve clients.`)
  return servedByOthers(seen, brokers) ?? wanting
}

const frozen = no(
  'Frozen',
  'The cluster is being hibernated, or wakes: writes are refused for as long.',
)

/**
 * Writes are refused until the last of several brokers has ended, though some serve still. The pod of one that is left behind on a silent
 * node may stay for as long as that is silent.
 */
function stopped({ views }: Plan, brokers: readonly Finding[]): Finding {
  const isRunning = views.some(
    ({ pod, logBroker }) => pod !== null && !isAbsenceAccepted(logBroker),
  )
  const asleep = brokers.find(({ reason }) => reason === 'Hibernated')
  return isRunning || asleep === undefined ? frozen : asleep
}

/** Clients read, and what they write they have to try again. */
function isFrozen(hibernation: Plan['hibernation']): boolean {
  return hibernation.kind === 'thaw' || (hibernation.kind === 'wait' && hibernation.isFrozen)
}

type Told = NonNullable<ReturnType<typeof newestOf>>

/** Ready although a broker does not serve; a reason why not where that is worse than the broker's own; null for the broker's own. */
function servedByOthers(
  { observed, plan, now }: Seen,
  brokers: readonly Finding[],
): Finding | null {
  const { views } = plan
  const isServing = (at: number): boolean => brokers[at]!.status === 'True'
  const told = newestOf(views.filter((_, at) => isServing(at)))
  if (told === null) return null
  const former = formerly(observed.cluster.status.conditions, 'Ready')
  const wanting = views.filter((_, at) => !isServing(at))
  const isMade = isWhole(views, told) && !wanting.some(view => isYoung(view, now))
  // What has lost a leader was whole before.
  const wasWhole = former?.status === 'True' || former?.reason === partitionsOffline
  if (!wasWhole && !isMade) return null
  const unserved = (told.leaderlessCount ?? 0) + ledBy(wanting, told)
  const serving = views.length - wanting.length
  const why = brokers.find(({ status }) => status !== 'True')!.message
  const count = `${serving} of ${views.length} brokers serve clients`
  if (unserved > 0) return no(partitionsOffline, `${unserved} partitions have no leader: ${why}`)
  return yes('ServingWithout', `${count}, and every partition has a leader there: ${why}`)
}

/** What the serving broker tells that knows the latest of the metadata log; null where none tells of the cluster. */
function newestOf(serving: readonly BrokerView[]) {
  const all = serving.flatMap(({ sight }) => (sight?.kind === 'seen' ? [sight.status] : []))
  const known = all.filter(({ brokers }) => brokers.length > 0)
  return known.toSorted((a, b) => sequenceOf(b) - sequenceOf(a))[0] ?? null
}

function sequenceOf({ metadataSequence = -1 }: BrokerStatus): number {
  return metadataSequence
}

/** Every broker that is wanted has been part of the cluster. */
function isWhole(views: readonly BrokerView[], { brokers }: Told): boolean {
  const registered = new Set(brokers.map(({ brokerId }) => brokerId))
  return views.every(({ broker }) => registered.has(broker.brokerId))
}

/**
 * Partitions that are led by brokers that are silent: nobody has taken them over yet. One that answers serves what it leads, though
 * it is not in sync everywhere.
 */
function ledBy(views: readonly BrokerView[], { brokers }: Told): number {
  const silent = views.filter(({ sight }) => sight?.kind !== 'seen')
  const ids = new Set(silent.map(({ broker }) => broker.brokerId))
  return brokers.reduce((sum, { brokerId, leads }) => sum + (ids.has(brokerId) ? leads : 0), 0)
}

function isYoung({ logBroker }: BrokerView, now: string): boolean {
  const madeAt = logBroker?.metadata.creationTimestamp
  return madeAt !== undefined && Date.parse(now) - Date.parse(madeAt) < youngMs
}
