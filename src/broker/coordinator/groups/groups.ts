import { assert, present, unreachable } from '../../../lib/assert.ts'
import { plain, refusedJoin, refusedSync } from './answers.ts'
import { commit } from './commit.ts'
import type {
  GroupAnswer,
  GroupEffect,
  GroupError,
  GroupEvent,
  Moment,
  WriteOutcome,
} from './events.ts'
import {
  deleteGroup,
  deleteOffsets,
  expire,
  forgetGone,
  forgetTopics,
  type IsGone,
} from './forget.ts'
import { Group, type GroupHost, type GroupsConfig } from './group.ts'
import { join, judgeWish } from './join.ts'
import { endSessions, leave } from './leave.ts'
import { joinTimeIsUp, rebalance, syncTimeIsUp } from './rebalance.ts'
import { type LoadedGroup, restore } from './restore.ts'
import { heartbeat, sync } from './sync.ts'

export type { GroupsConfig } from './group.ts'

type OneGroupEvent = Extract<GroupEvent, { readonly groupId: string }>

interface Write {
  readonly group: Group
  readonly done: (outcome: WriteOutcome) => void
  readonly delayed: (error: GroupError) => void
}

/**
 * A broker that was away for longer stood still (the process was stopped, the machine swapped). Heartbeats that came
 * meanwhile wait in its sockets: without this every member would be out before they are read.
 */
export const stallMsMin = 1_000

/**
 * The front door of the room: all groups that this broker coordinates, as a state machine. Events in, effects out. It knows no clock (a moment
 * comes with every event), no log (what is to be stored is an effect) and no connection (a request is an id).
 * Every id is answered exactly once.
 */
export class Groups {
  readonly #groups = new Map<string, Group>()
  readonly #host: GroupHost
  readonly #writes = new Map<number, Write>()
  #lastWriteId = 0
  #effects: GroupEffect[] = []
  #now: Moment = { monotonicMs: 0, wallMs: 0 }
  #revision = 0

  constructor(config: GroupsConfig) {
    const now = (): Moment => this.#now
    this.#host = {
      config,
      get now() {
        return now()
      },
      perform: effect => void this.#effects.push(effect),
      changed: () => void this.#revision++,
      write: (...wish) => this.#write(...wish),
      remove: group => this.#remove(group),
    }
  }

  /** Another one whenever members, assignments or states are other ones: for whoever keeps an index of them. */
  get revision(): number {
    return this.#revision
  }

  find(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  all(): Iterable<Group> {
    return this.#groups.values()
  }

  step(event: GroupEvent, now: Moment): GroupEffect[] {
    this.#now = now
    switch (event.type) {
      case 'appended':
        this.#appended(event.writeId, event.outcome)
        break
      case 'delayed':
        this.#writeOf(event.writeId).delayed(event.error)
        break
      case 'stoodStill':
        this.#forgiveAll(event.lostMs)
        break
      case 'expire':
        for (const group of this.#groups.values()) expire(group)
        break
      case 'topicsDeleted': {
        const topics = new Set(event.topics)
        for (const group of this.#groups.values()) forgetTopics(group, topics)
        break
      }
      case 'join':
      case 'sync':
      case 'heartbeat':
      case 'leave':
      case 'commit':
      case 'deleteGroup':
      case 'deleteOffsets':
      case 'wake':
        this.#stepGroup(event)
        break
      default:
        unreachable(event)
    }
    return this.#takeEffects()
  }

  /**
   * Groups as the log has them. Members get a whole session from now on to be heard of. What was committed for topics
   * that went away (`isGone`), and is in the log still because the broker died meanwhile, is forgotten now.
   */
  adopt(loaded: Iterable<LoadedGroup>, now: Moment, isGone: IsGone = () => false): GroupEffect[] {
    this.#now = now
    for (const one of loaded) {
      assert(!this.#groups.has(one.groupId), 'a group is loaded before anybody asks for it')
      const group = restore(one, this.#host)
      this.#groups.set(one.groupId, group)
      forgetGone(group, isGone)
      // The limit was lowered: whoever joins first stays, and the others could commit before.
      if (group.members.size > this.#host.config.groupSizeMax) {
        rebalance(group, { reason: 'There are more members than group.max.size allows' })
      }
    }
    return this.#takeEffects()
  }

  /** Somebody else coordinates these groups from now on, or nobody does: who waits for them is told so. */
  drop(isDropped: (groupId: string) => boolean, now: Moment): GroupEffect[] {
    this.#now = now
    for (const group of this.#groups.values()) {
      if (!isDropped(group.id)) continue
      for (const member of group.members.values()) {
        group.answerJoin(member, refusedJoin('NOT_COORDINATOR', member.id))
        group.answerSync(member, refusedSync('NOT_COORDINATOR'))
      }
      group.isStoring = false
      group.state = 'Dead'
      this.#remove(group)
    }
    return this.#takeEffects()
  }

  #stepGroup(event: OneGroupEvent): void {
    const group = this.#judge(event) ?? this.#groups.get(event.groupId) ?? this.#create(event)
    if (typeof group === 'string') {
      if (event.type !== 'wake') this.#answer(event.id, nobody(event, group))
      return
    }
    switch (event.type) {
      case 'join':
        join(group, event.id, event.wish)
        break
      case 'sync':
        sync(group, event.id, event.wish)
        break
      case 'heartbeat':
        this.#answer(event.id, plain(heartbeat(group, event.claim)))
        break
      case 'leave':
        this.#answer(event.id, { type: 'leave', errors: leave(group, event.leavers) })
        break
      case 'commit':
        commit(group, event.id, event)
        break
      case 'deleteGroup':
        // It may be read before a wake-up that was due before it: then whose session is over is in nobody's way.
        if (group.isDue) this.#wake(group)
        deleteGroup(group, event.id)
        break
      case 'deleteOffsets':
        deleteOffsets(group, event.id, event.partitions)
        break
      case 'wake':
        this.#wake(group)
        break
      default:
        unreachable(event)
    }
    this.#sweep(group)
  }

  /** Why nobody need look for the group; null where there is no reason. */
  #judge(event: OneGroupEvent): GroupError | null {
    if (event.type === 'join') return judgeWish(event.groupId, event.wish, this.#host.config)
    // Consumers without a group may commit to the nameless one, and have it deleted; it has no members.
    const mayBeNameless = event.type === 'commit' || event.type === 'deleteGroup'
    return event.groupId === '' && !mayBeNameless ? 'INVALID_GROUP_ID' : null
  }

  /** The first member, and the first commit of a consumer without members, make a group; nothing else does. */
  #create(event: OneGroupEvent): Group | GroupError {
    if (event.type === 'join') {
      if (event.wish.memberId !== '') return 'UNKNOWN_MEMBER_ID'
    } else if (event.type === 'commit') {
      if (event.claim.generation >= 0) return 'GROUP_ID_NOT_FOUND'
    } else {
      return event.type === 'deleteGroup' || event.type === 'deleteOffsets'
        ? 'GROUP_ID_NOT_FOUND'
        : 'UNKNOWN_MEMBER_ID'
    }
    const group = new Group(event.groupId, this.#host)
    this.#groups.set(group.id, group)
    return group
  }

  /** What was due is due in a moment: what was sent meanwhile has to be read first. */
  #forgiveAll(lostMs: number): void {
    if (this.#groups.size === 0) return
    const fields = { lostMs, groups: this.#groups.size }
    const message = 'The broker was away, sessions go on as if it had not been'
    this.#effects.push({ type: 'log', message, fields })
    for (const group of this.#groups.values()) {
      group.forgive(lostMs + stallMsMin)
      group.armAnew()
    }
  }

  #wake(group: Group): void {
    const { monotonicMs } = this.#now
    const lateMs = group.wokenLateMs
    // It did not stand still and was late all the same: it had that much to do.
    if (lateMs > stallMsMin) {
      group.log('The broker was late, sessions go on as if it had not been', { lateMs })
      group.forgive(lateMs + stallMsMin)
    }
    endSessions(group)
    if (group.joinDeadlineMs <= monotonicMs) joinTimeIsUp(group)
    if (group.pendingSyncDeadlineMs <= monotonicMs) syncTimeIsUp(group)
    group.armAnew()
  }

  /** A group of which nothing was ever stored goes without a trace. */
  #sweep(group: Group): void {
    const isNothing = group.state === 'Empty' && group.generation === 0 && group.isPointless
    if (isNothing && group.protocolType === '') this.#remove(group)
  }

  #write(...[group, records, done, delayed]: Parameters<GroupHost['write']>): void {
    const writeId = ++this.#lastWriteId
    const fail = (error: GroupError): void => {
      done({ ok: false, isInLog: true, error })
      this.#writes.set(writeId, { group, done: () => {}, delayed: fail })
    }
    this.#writes.set(writeId, { group, done, delayed: delayed ?? fail })
    this.#effects.push({ type: 'append', writeId, groupId: group.id, records })
  }

  #writeOf(writeId: number): Write {
    return present(this.#writes.get(writeId), 'an append has one outcome')
  }

  #appended(writeId: number, outcome: WriteOutcome): void {
    const write = this.#writeOf(writeId)
    this.#writes.delete(writeId)
    write.done(outcome)
    if (this.#groups.get(write.group.id) === write.group) this.#sweep(write.group)
  }

  #remove(group: Group): void {
    if (this.#groups.get(group.id) !== group) return
    this.#groups.delete(group.id)
    this.#revision++
    this.#effects.push({ type: 'gone', groupId: group.id })
  }

  #answer(id: number, answer: GroupAnswer): void {
    this.#effects.push({ type: 'answer', id, answer })
  }

  #takeEffects(): GroupEffect[] {
    const effects = this.#effects
    if (effects.length > 0) this.#effects = []
    return effects
  }
}

/** The answer of a group that is not there. */
function nobody(
  event: Exclude<OneGroupEvent, { readonly type: 'wake' }>,
  error: GroupError,
): GroupAnswer {
  switch (event.type) {
    case 'join':
      return refusedJoin(error, event.wish.memberId)
    case 'sync':
      return refusedSync(error)
    case 'leave':
      return { type: 'leave', errors: event.leavers.map(() => error) }
    case 'deleteOffsets':
      return { type: 'deleteOffsets', error, errors: [] }
    case 'heartbeat':
    case 'commit':
    case 'deleteGroup':
      return plain(error)
    default:
      return unreachable(event)
  }
}
