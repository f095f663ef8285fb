import type { AlterOutcome } from '../../src/broker/partition/replica/replica.ts'
import type { Answer } from '../../src/broker/cluster/controller/commands.ts'
import { decisions, Images, type Decisions } from './images.ts'
import { Machines, makeReplica, type MakeMachine, type View } from './machines.ts'
import { Numbered, type Budget, type State } from './states.ts'
import { ids, type Known, pauseMs, Work } from './work.ts'

/** What the model is made of: the product's parts, and what a test puts in their place. */
export interface Parts {
  readonly makeMachine: MakeMachine
  readonly decisions: Decisions
  /** What a leader takes a lost answer for (R7). */
  readonly lostAnswer: AlterOutcome
}

export const product: Parts = {
  makeMachine: makeReplica,
  decisions,
  lostAnswer: { kind: 'unknown' },
}

export interface Step {
  readonly name: string
  readonly state: State
}

/**
 * One partition on three brokers, min.insync.replicas 2, and whatever may happen to it in any order: the controller's decisions and the
 * replicas' machines are the product's; logs, network and metadata log are as simple as can be. A controller that was replaced
 * decides nothing, because the store takes its append no more (ring-model.ts), and a new one knows what is in the log.
 */
export class ClusterModel {
  readonly #parts: Parts
  readonly #known: Known

  constructor(parts: Parts) {
    this.#parts = parts
    this.#known = {
      machines: new Machines(parts.makeMachine),
      images: new Images(ids, parts.decisions),
      numbered: new Numbered(),
    }
  }

  /** Equal for equal states, and for no others. */
  keyOf(state: State): string {
    return this.#known.numbered.keyOf(state)
  }

  /** Of the newest image. */
  leaderEpochOf({ history }: State): number {
    return this.#known.images.known(history.at(-1)!).partition.leaderEpoch
  }

  initial(budget: Budget): State {
    const work = new Work(this.#known, {
      history: [0],
      nodes: ids.map(id => ({
        log: [],
        epochs: [],
        isLossy: false,
        machine: this.#known.machines.begin(id),
        brokerEpoch: this.#known.images.known(0).image.brokers.get(id)!.epoch,
        behind: 0,
        isCutOff: false,
      })),
      network: [],
      acked: [],
      committed: [],
      left: budget,
      pauseCount: 0,
    })
    for (const id of ids) {
      work.tellRole(id)
      work.step(id, 'opened 0', { type: 'opened', startOffset: 0, endOffset: 0 })
    }
    return work.end()
  }

  /** Everything that may happen next. @throws Violation */
  *steps(state: State): Generator<Step> {
    for (const id of ids) yield* this.#stepsOf(state, id)
    for (const [at, message] of state.network.entries()) {
      const name = `the controller decides ${JSON.stringify(message)}`
      yield this.#step(state, name, work => this.#decide(work, at))
      const isGone = state.nodes[message.from - 1]!.brokerEpoch !== message.brokerEpoch
      if (isGone || state.nodes[message.from - 1]!.machine < 0) continue
      if (!message.isAwaited || state.left.lostAnswers === 0) continue
      const lost = `the answer to ${JSON.stringify(message)} is lost`
      yield this.#step(state, lost, work => {
        work.spend('lostAnswers')
        work.network[at] = { ...message, isAwaited: false }
        const { partitionEpoch } = message.wish
        work.answer(message.from, partitionEpoch, this.#parts.lostAnswer)
      })
    }
    if (state.left.pauses > 0) {
      yield this.#step(state, 'all pause', work => {
        work.spend('pauses')
        work.pause()
      })
    }
  }

  *#stepsOf(state: State, id: number): Generator<Step> {
    const { left, nodes, history } = state
    const node = nodes[id - 1]!
    const newest = history.at(-1)!
    const registered = this.#known.images.known(newest).image.brokers.get(id)!
    if (!registered.isFenced && left.fences > 0) {
      yield this.#step(state, `${id} is fenced`, work => {
        work.spend('fences')
        work.commit(this.#known.images.fence(newest, id))
      })
    }
    if (node.machine < 0) {
      yield this.#step(state, `${id} starts`, work => this.#start(work, id))
      return
    }
    if (left.kills > 0) {
      yield this.#step(state, `${id} is killed`, work => {
        work.spend('kills')
        work.set(id, { machine: -1 })
      })
    }
    if (left.powerLosses > 0) yield* this.#powerLosses(state, id)
    if (!node.isCutOff && left.cutOffs > 0) {
      yield this.#step(state, `${id} is cut off from the metadata`, work => {
        work.spend('cutOffs')
        work.set(id, { isCutOff: true })
      })
    }
    if (node.behind > 0) yield this.#step(state, `${id} applies`, work => work.apply(id))
    const isOwn = this.#knowsItself(state, id)
    if (registered.isFenced && registered.epoch === node.brokerEpoch && isOwn) {
      yield this.#step(state, `${id} is unfenced`, work =>
        work.commit(this.#known.images.unfence(newest, id)),
      )
    }
    const view = this.#known.machines.view(node.machine)
    if (view.isLeader) yield* this.#leaderSteps(state, id, view)
    else if (isOwn) yield* this.#fetches(state, id, view)
  }

  /** R2. */
  #knowsItself({ nodes, history }: State, id: number): boolean {
    const { behind, brokerEpoch } = nodes[id - 1]!
    return (
      this.#known.images.known(history.at(-1 - behind)!).image.brokers.get(id)?.epoch ===
      brokerEpoch
    )
  }

  *#powerLosses(state: State, id: number): Generator<Step> {
    const { log } = state.nodes[id - 1]!
    for (let kept = 0; kept < log.length; kept++) {
      yield this.#step(state, `${id} loses power, and keeps ${kept} records`, work => {
        work.spend('powerLosses')
        work.cut(id, kept)
        work.set(id, { machine: -1, isLossy: true })
      })
    }
  }

  *#leaderSteps(state: State, id: number, view: View): Generator<Step> {
    const { left } = state
    if (left.writes > 0 && view.hasEnoughInsync) {
      yield this.#step(state, `${id} appends`, work => {
        const entry = { epoch: view.role!.leaderEpoch, id: left.writes }
        work.spend('writes')
        work.append(id, [entry])
        const offset = work.node(id).log.length
        work.step(id, `await ${entry.id} ${offset}`, { type: 'await', id: entry.id, offset })
      })
    }
    const nowMs = state.pauseCount * pauseMs
    const [key, tick] = [`tick ${nowMs}`, { type: 'tick', nowMs } as const]
    // What it has noted and draws no conclusion from it would note later as well.
    const { machine } = state.nodes[id - 1]!
    if (this.#known.machines.step(machine, key, tick).effects.length === 0) return
    yield this.#step(state, `${id} looks around`, work => work.step(id, key, tick))
  }

  *#fetches(state: State, id: number, view: View): Generator<Step> {
    const { role } = view
    if (role === null || role.leader < 1) return
    const leader = state.nodes[role.leader - 1]!
    if (leader.machine < 0) return
    const other = this.#known.machines.view(leader.machine)
    if (!other.isLeader || other.role!.leaderEpoch !== role.leaderEpoch) return
    yield this.#step(state, `${id} fetches from ${role.leader}`, work =>
      work.fetch(id, role.leader),
    )
  }

  #start(work: Work, id: number): void {
    const { isLossy, log } = work.node(id)
    const image = this.#known.images.register(work.newest, id, isLossy ? 'C' : 'B')
    const { epoch } = this.#known.images.known(image).image.brokers.get(id)!
    work.commit(image)
    const machine = this.#known.machines.begin(id)
    const now = { behind: 0, isCutOff: false }
    work.set(id, { isLossy: false, brokerEpoch: epoch, machine, ...now })
    work.tellRole(id)
    const endOffset = log.length
    work.step(id, `opened ${endOffset}`, { type: 'opened', startOffset: 0, endOffset })
  }

  #decide(work: Work, at: number): void {
    const [message] = work.network.splice(at, 1)
    const { from, brokerEpoch, wish, isAwaited } = message!
    const { image, answer } = this.#known.images.alter(work.newest, from, brokerEpoch, wish)
    work.commit(image)
    const isThere = work.node(from).machine >= 0 && work.node(from).brokerEpoch === brokerEpoch
    if (isAwaited && isThere) work.answer(from, wish.partitionEpoch, outcomeOf(answer))
  }

  #step(state: State, name: string, change: (work: Work) => void): Step {
    const work = new Work(this.#known, state)
    change(work)
    return { name, state: work.end() }
  }
}

function outcomeOf(answer: Answer): AlterOutcome {
  if (answer.type === 'refused') return { kind: 'rejected', error: answer.error }
  if (answer.type !== 'partitionsAltered') throw new Error(`unexpected ${answer.type}`)
  const { error, leaderEpoch, partitionEpoch, isr, isRecovering } = answer.results[0]!
  if (error !== 'NONE') return { kind: 'rejected', error }
  return { kind: 'committed', leaderEpoch, partitionEpoch, isr, isRecovering }
}
