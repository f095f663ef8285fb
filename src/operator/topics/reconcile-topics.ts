import type { Logger } from '../../broker/telemetry/logger.ts'
import { askFirst, brokerAccesses } from '../broker-access.ts'
import { BrokerError } from '../brokers/broker-error.ts'
import type { BrokerAccess, Outcome as Granted } from '../brokers/brokers.ts'
import type { LogCluster } from '../crd/cluster.ts'
import type { LogTopic, LogTopicStatus } from '../crd/topic.ts'
import { hasPlace } from '../desired/slots.ts'
import { isConflict, isForbidden, isNotFound } from '../kubernetes/api-error.ts'
import { chanceOf } from '../kubernetes/pause.ts'
import { resources } from '../kubernetes/resources.ts'
import { logTopics } from '../own-kinds.ts'
import type { Parts } from '../parts.ts'
import { tooOldFor } from '../plan/operator-versions.ts'
import type { Outcome, Reconcile } from '../reconciler.ts'
import { eventOfAct, eventOfProblem } from './topic-events.ts'
import { isSameStatus, nothingDone, statusAfter, type Done } from './topic-status.ts'
import { judge, type TopicAct, type Verdict } from './verdict.ts'
import {
  hasFinalizer,
  isGoing,
  needsRoom,
  topicFinalizer,
  topicNameOf,
  type ClusterSight,
  type Room,
  type SeenTopic,
} from './world.ts'

/** Somebody may change topics by Kafka's tools, of which Kubernetes tells nothing. */
const lookAgainMs = 60_000
const askAgainMs = 5000
/** While replicas are on their way, which nobody tells either. */
const movingAgainMs = 2000
/** After a write met a newer object than our cache had: its watch is a moment behind. */
const catchUpMs = 1000
const requestsAtATime = 8

type ClusterName = Parameters<Reconcile>[0]

/** The front door of the room: brings the topics of a LogCluster in line with its LogTopics: all of them in one pass, asked in one go. */
export function topicsReconciler(parts: Parts): Reconcile {
  return at => new TopicsPass(parts, at).run()
}

class TopicsPass {
  readonly #parts: Parts
  readonly #at: ClusterName
  readonly #logger: Logger
  #isBehind = false

  constructor(parts: Parts, at: ClusterName) {
    this.#parts = parts
    this.#at = at
    this.#logger = parts.logger
  }

  async run(): Promise<Outcome> {
    const topics = this.#parts.caches.logTopics.indexed(this.#key)
    if (topics.length === 0 || this.#isTooOld()) return { requeueAfterMs: null }
    const { sight, access } = await this.#look(topics)
    const verdicts = judge(topics, sight)
    await each(
      verdicts.filter(({ finalizer }) => finalizer === 'add'),
      ({ topic }) => this.#finalizer(topic, 'add'),
    )
    // Whoever got a finalizer has changed by that, and comes again.
    const settled = verdicts.filter(({ finalizer }) => finalizer !== 'add')
    const current = await this.#current(settled)
    const done = access === null ? new Map<Verdict, Done>() : await this.#act(access, current)
    await each(current, verdict => this.#tell(verdict, done.get(verdict) ?? nothingDone))
    return { requeueAfterMs: this.#requeue(sight, verdicts) }
  }

  /** What is said of that is said of the LogCluster. */
  #isTooOld(): boolean {
    const cluster = this.#parts.caches.logClusters.get(this.#at)
    return cluster !== undefined && tooOldFor(cluster, this.#parts.version) !== null
  }

  get #key(): string {
    return `${this.#at.namespace}/${this.#at.name}`
  }

  #requeue({ kind }: ClusterSight, verdicts: readonly Verdict[]): number | null {
    if (this.#isBehind) return catchUpMs
    if (verdicts.some(({ isChangingReplicas }) => isChangingReplicas)) return movingAgainMs
    if (kind === 'seen') return lookAgainMs
    return kind === 'silent' ? askAgainMs : null
  }

  async #look(
    topics: readonly LogTopic[],
  ): Promise<{ readonly sight: ClusterSight; readonly access: BrokerAccess | null }> {
    const cluster = this.#parts.caches.logClusters.get(this.#at)
    const without = (sight: ClusterSight) => ({ sight, access: null })
    if (cluster === undefined) return without({ kind: 'absent' })
    if (cluster.metadata.deletionTimestamp !== undefined) return without({ kind: 'going' })
    if (cluster.spec.reconciliation === 'Paused') return without({ kind: 'paused' })
    const accesses = await brokerAccesses(this.#parts, cluster)
    if (accesses.length === 0)
      return without(await this.#silent(topics, 'The cluster has no broker yet.'))
    try {
      const clusterId = cluster.status.clusterId ?? null
      return await askFirst(accesses, chanceOf(this.#parts.random), async access => {
        const seen = await this.#ask(access, topics)
        const room = await this.#room(access, cluster, needsPlaces(topics, seen))
        return { access, sight: { kind: 'seen', clusterId, topics: seen, room } }
      })
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      return without(await this.#silent(topics, error.message))
    }
  }

  async #silent(topics: readonly LogTopic[], message: string): Promise<ClusterSight> {
    const isWaitedFor = topics.some(topic => isGoing(topic) && hasFinalizer(topic))
    const isNamespaceGoing = isWaitedFor && (await this.#isNamespaceGoing())
    return { kind: 'silent', message, isNamespaceGoing }
  }

  async #isNamespaceGoing(): Promise<boolean> {
    try {
      const name = this.#at.namespace
      const namespace = await this.#parts.api.get(resources.namespaces, { name })
      return namespace === null || namespace.metadata.deletionTimestamp !== undefined
    } catch (error) {
      if (isForbidden(error)) return false
      throw error
    }
  }

  /** Two questions, however many topics there are. */
  async #ask(
    access: BrokerAccess,
    topics: readonly LogTopic[],
  ): Promise<ReadonlyMap<string, SeenTopic | null>> {
    const { brokers } = this.#parts
    const names = [...new Set(topics.map(topicNameOf))]
    const described = await brokers.describeTopics(access, names)
    const there = described.filter(topic => topic !== null)
    const configs = await brokers.describeConfigs(
      access,
      there.map(({ name }) => ({ kind: 'topic', name })),
    )
    const seen = new Map<string, SeenTopic | null>(names.map(name => [name, null]))
    for (const [at, topic] of there.entries()) {
      const its = configs[at]
      // Deleted between the two questions.
      if (its instanceof Map) seen.set(topic.name, { ...topic, configs: its })
    }
    return seen
  }

  /** A third and a fourth question, while a topic has another number of replicas than is wanted. */
  async #room(access: BrokerAccess, cluster: LogCluster, isNeeded: boolean): Promise<Room | null> {
    if (!isNeeded) return null
    const places = await this.#parts.brokers.places(access)
    const leaving = this.#parts.caches.logBrokers
      .indexed(this.#key)
      .filter(({ spec }) => !hasPlace(cluster, spec))
      .map(({ spec }) => spec.brokerId)
    const { state } = cluster.spec.rebalance
    return {
      places,
      staying: [...places.racks.keys()].filter(id => !leaving.includes(id)),
      heldBy: state === 'Active' ? null : `spec.rebalance.state of the LogCluster is ${state}`,
    }
  }

  /**
   * Without those whose act rests on a status that is not the newest: what makes, adopts or deletes a topic is decided
   * by the object itself, not by what a watch has told of it so far.
   */
  async #current(verdicts: readonly Verdict[]): Promise<Verdict[]> {
    const needsLook = new Set<TopicAct['do']>(['create', 'adopt', 'delete'])
    const stale = new Set<Verdict>()
    await each(
      verdicts.filter(({ act }) => needsLook.has(act.do)),
      async verdict => {
        const { namespace, name, uid, resourceVersion } = verdict.topic.metadata
        const now = await this.#parts.api.get(logTopics, { namespace, name })
        const isSame = now?.metadata.uid === uid && now.metadata.resourceVersion === resourceVersion
        if (!isSame) stale.add(verdict)
      },
    )
    if (stale.size > 0) this.#isBehind = true
    return verdicts.filter(verdict => !stale.has(verdict))
  }

  /** All acts of one sort are one request. */
  async #act(access: BrokerAccess, verdicts: readonly Verdict[]): Promise<Map<Verdict, Done>> {
    const done = new Map<Verdict, Done>()
    await this.#create(access, verdicts, done)
    await this.#change(access, verdicts, done)
    const going = verdicts.flatMap(verdict =>
      verdict.act.do === 'delete' ? [{ verdict, topicId: verdict.act.topicId }] : [],
    )
    const ids = going.map(({ topicId }) => topicId)
    const deleted = await asked(going, () => this.#parts.brokers.deleteTopics(access, ids))
    for (const [at, { verdict }] of going.entries())
      note(done, verdict, 'delete', gone(deleted[at]!))
    return done
  }

  async #change(
    access: BrokerAccess,
    verdicts: readonly Verdict[],
    done: Map<Verdict, Done>,
  ): Promise<void> {
    const { brokers } = this.#parts
    const changing = verdicts.flatMap(verdict => {
      const { act } = verdict
      return act.do === 'change' || act.do === 'adopt' ? [{ verdict, change: act.change }] : []
    })
    const growing = changing.filter(({ change }) => change.partitionCount !== null)
    const grown = await asked(growing, () =>
      brokers.createPartitions(
        access,
        growing.map(({ verdict, change }) => ({
          name: topicNameOf(verdict.topic),
          partitionCount: change.partitionCount!,
        })),
      ),
    )
    for (const [at, { verdict }] of growing.entries()) note(done, verdict, 'partitions', grown[at]!)
    const altering = changing.filter(({ change }) => Object.keys(change.configs).length > 0)
    const altered = await asked(altering, () =>
      brokers.alterConfigs(
        access,
        altering.map(({ verdict, change }) => ({
          of: { kind: 'topic', name: topicNameOf(verdict.topic) },
          configs: change.configs,
        })),
      ),
    )
    for (const [at, { verdict }] of altering.entries()) note(done, verdict, 'configs', altered[at]!)
    const moving = changing.flatMap(({ verdict, change }) =>
      (change.moves ?? []).map(move => ({ verdict, move })),
    )
    const moves = moving.map(({ move }) => move)
    const moved = await asked(moving, () => brokers.moveReplicas(access, moves))
    for (const [at, { verdict }] of moving.entries()) note(done, verdict, 'replicas', moved[at]!)
  }

  async #create(
    access: BrokerAccess,
    verdicts: readonly Verdict[],
    done: Map<Verdict, Done>,
  ): Promise<void> {
    const creating = verdicts.flatMap(verdict =>
      verdict.act.do === 'create' ? [{ verdict, wish: verdict.act.wish }] : [],
    )
    const wishes = creating.map(({ wish }) => wish)
    const created = await asked(creating, () => this.#parts.brokers.createTopics(access, wishes))
    for (const [at, { verdict }] of creating.entries()) {
      const answer = created[at]!
      done.set(
        verdict,
        'topicId' in answer
          ? { createdId: answer.topicId, refusals: {} }
          : { createdId: null, refusals: { create: answer } },
      )
    }
  }

  /** Writes down what was done, tells it, and lets go who may go. */
  async #tell(verdict: Verdict, done: Done): Promise<void> {
    const { topic } = verdict
    const event = eventOfAct(verdict, done)
    if (event !== null) {
      this.#parts.events.tell({ regarding: topic, ...event })
      this.#logger.info(
        { logtopic: this.#nameOf(topic), event: event.reason, because: event.note },
        'Changed a topic',
      )
    }
    const isHeld = done.refusals.delete !== undefined
    if (!verdict.keepsStatus || isHeld) await this.#status(verdict, done)
    if (verdict.finalizer !== 'release' || isHeld) return
    if (verdict.releaseNote !== null) {
      const note = `The LogTopic goes without its topic being deleted, because ${verdict.releaseNote}.`
      this.#parts.events.tell({
        regarding: topic,
        type: 'Warning',
        reason: 'TopicLeft',
        action: 'Release',
        note,
      })
    }
    // A status that was written before has changed the object: then the next pass lets it go.
    await this.#finalizer(topic, 'release')
  }

  async #status(verdict: Verdict, done: Done): Promise<void> {
    const { topic } = verdict
    const status = statusAfter(verdict, done, this.#parts.clock.now())
    if (isSameStatus(status, topic.status)) return
    const event = eventOfProblem(topic, status)
    if (event !== null) this.#parts.events.tell({ regarding: topic, ...event })
    await this.#write(topic, () =>
      this.#parts.api.applyStatus(logTopics, statusDraft(topic, status)),
    )
  }

  async #finalizer(topic: LogTopic, what: 'add' | 'release'): Promise<void> {
    const others = (topic.metadata.finalizers ?? []).filter(it => it !== topicFinalizer)
    const finalizers = what === 'add' ? [...others, topicFinalizer] : others
    await this.#write(topic, () =>
      this.#parts.api.patch(logTopics, topic.metadata, { metadata: { finalizers } }),
    )
    this.#logger.debug({ logtopic: this.#nameOf(topic), what }, 'Wrote a finalizer')
  }

  /** A write that is meant for the object as we know it; where it has changed, we come again. */
  async #write(topic: LogTopic, write: () => Promise<unknown>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
      this.#isBehind = true
      this.#logger.debug({ logtopic: this.#nameOf(topic) }, 'Changed meanwhile; looks again')
    }
  }

  #nameOf({ metadata }: LogTopic): string {
    return `${metadata.namespace}/${metadata.name}`
  }
}

/** Answers to a list of wishes; nobody is asked where there are none. */
async function asked<Answer>(
  wishes: readonly unknown[],
  ask: () => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  return wishes.length === 0 ? [] : await ask()
}

function note(
  done: Map<Verdict, Done>,
  verdict: Verdict,
  what: keyof Done['refusals'],
  granted: Granted,
): void {
  const before = done.get(verdict) ?? nothingDone
  const refusals = granted === null ? before.refusals : { ...before.refusals, [what]: granted }
  done.set(verdict, { ...before, refusals })
}

/** What is not there is deleted. */
function gone(granted: Granted): Granted {
  return granted?.error === 'UNKNOWN_TOPIC_ID' ? null : granted
}

function needsPlaces(
  topics: readonly LogTopic[],
  seen: ReadonlyMap<string, SeenTopic | null>,
): boolean {
  return topics.some(topic => !isGoing(topic) && needsRoom(topic, seen.get(topicNameOf(topic))))
}

function statusDraft({ apiVersion, kind, metadata }: LogTopic, status: LogTopicStatus) {
  const { namespace, name, uid, resourceVersion } = metadata
  return { apiVersion, kind, metadata: { namespace, name, uid, resourceVersion }, status }
}

/** Some at a time; rejects with the first that failed, when those under way are through. */
async function each<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item)
  }
  const ended = await Promise.allSettled(Array.from({ length: requestsAtATime }, worker))
  for (const end of ended) if (end.status === 'rejected') throw end.reason
}
