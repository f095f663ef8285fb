import { contentHash, genesisHash } from '../../src/broker/metadata/chain.ts'
import { append, entryHash, type Entry } from '../../src/broker/metadata/kubernetes/append.ts'
import { emptyChunks, emptySlots } from '../../src/broker/metadata/kubernetes/genesis.ts'
import { readRing } from '../../src/broker/metadata/kubernetes/read-ring.ts'
import {
  placeName,
  slotAt,
  type Content,
  type Decision,
  type Place,
  type Reply,
  type Request,
} from '../../src/broker/metadata/kubernetes/ring.ts'
import { decodeNote } from '../../src/broker/metadata/kubernetes/snapshot-note.ts'
import { writeSnapshot } from '../../src/broker/metadata/kubernetes/write-snapshot.ts'
import { StoreError } from '../../src/broker/metadata/store.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import {
  keyOf,
  pathTo,
  runKey,
  withController,
  type ControllerState,
  type Operation,
  type Reached,
  type State,
} from './ring-model-state.ts'

/**
 * The ring with few slots and all that may happen to it: controllers that do not know of each other, each request done at
 * any time after it was asked for, answers that are lost, and updates that come long after they were given up. What
 * decides is the code of the product. Every state that can be reached within the bounds is visited.
 */
export interface Bounds {
  readonly slotCount: number
  /** Chunks of each snapshot. */
  readonly partCount: number
  readonly sequenceMax: number
  /** Requests whose answers are lost. */
  readonly lostMax: number
  /** How often each controller reads the ring and claims an epoch. */
  readonly takeoversOfEach: readonly number[]
}

/** What a controller of `epoch` is told instead: how a bug is planted. */
export type Planted = (request: Request, reply: Reply, epoch: number) => Reply

export interface Explored {
  readonly states: number
  /** Kinds of outcomes that were seen. */
  readonly outcomes: ReadonlySet<string>
  /** How the first violation came to be, step by step; null where there is none. */
  readonly violation: readonly string[] | null
}

class Violation extends Error {}

export function explore(bounds: Bounds, planted: Planted = (_, reply) => reply): Explored {
  return new Model(bounds, planted).explore()
}

class Model {
  readonly #bounds: Bounds
  readonly #planted: Planted
  readonly #geometry: { slotCount: number; chunkCount: number; chunkBytesMax: number }
  readonly #contents: Content[] = []
  readonly #numbers = new Map<string, number>()
  readonly #outcomes = new Set<string>()
  readonly #runs = new Map<string, Run>()

  constructor(bounds: Bounds, planted: Planted) {
    this.#bounds = bounds
    this.#planted = planted
    const { slotCount, partCount: chunkCount } = bounds
    this.#geometry = { slotCount, chunkCount, chunkBytesMax: 1_000 }
  }

  explore(): Explored {
    const first = this.#initial()
    const seen = new Set<string>([keyOf(first)])
    let frontier: Reached[] = [{ state: first, step: '', before: null }]
    while (frontier.length > 0) {
      const next: Reached[] = []
      for (const before of frontier) {
        try {
          for (const { step, state } of this.#steps(before.state)) {
            const key = keyOf(state)
            if (seen.has(key)) continue
            seen.add(key)
            next.push({ state, step, before })
          }
        } catch (error) {
          if (!(error instanceof Violation)) throw error
          const violation = [...pathTo(before), error.message]
          return { states: seen.size, outcomes: this.#outcomes, violation }
        }
      }
      frontier = next
    }
    return { states: seen.size, outcomes: this.#outcomes, violation: null }
  }

  #initial(): State {
    const contents = [
      ...emptySlots(0, 'empty', this.#geometry),
      ...emptyChunks('a', 0, this.#geometry),
      ...emptyChunks('b', 0, this.#geometry),
    ]
    return {
      objects: Object.fromEntries(
        contents.map(({ place, content }) => [placeName(place), `${this.#number(content)}@0`]),
      ),
      committed: [],
      network: [],
      lost: [],
      lostLeft: this.#bounds.lostMax,
      controllers: this.#bounds.takeoversOfEach.map(takeoversLeft => ({
        takeoversLeft,
        isActive: false,
        nextSequence: 1,
        lastHash: genesisHash,
        epoch: 0,
        operation: null,
      })),
    }
  }

  *#steps(state: State): Generator<{ step: string; state: State }> {
    for (const [at, sent] of state.network.entries()) {
      const network = state.network.filter((_, other) => other !== at)
      const { state: after, isStored } = this.#apply({ ...state, network }, sent)
      if (isStored) yield { step: `late: ${sent}`, state: after }
    }
    for (const who of state.controllers.keys()) yield* this.#stepsOf(state, who)
  }

  *#stepsOf(state: State, who: number): Generator<{ step: string; state: State }> {
    const controller = state.controllers[who]!
    if (controller.operation === null) {
      for (const type of this.#choices(controller)) {
        const begunAt = state.committed.length
        const operation = { type, wasUnknown: false, begunAt, rounds: [], replies: [] }
        const takeoversLeft = controller.takeoversLeft - (type === 'read' ? 1 : 0)
        const begun = { ...controller, takeoversLeft, operation }
        yield { step: `${who} begins ${type}`, state: this.#advanced(state, who, begun) }
      }
      return
    }
    const requests = this.#run(who, controller, controller.operation).requests!
    for (const [at, request] of requests.entries()) {
      if (controller.operation.replies[at] !== '') continue
      const what = `${who} ${controller.operation.type}: ${request.type} ${placeName(request.place)}`
      const { state: after, reply } = this.#perform(state, request)
      yield { step: `${what} -> ${reply}`, state: this.#answered(after, who, at, reply) }
      if (state.lostLeft === 0) continue
      const poorer = { ...state, lostLeft: state.lostLeft - 1 }
      const sent = request.type === 'put' ? [this.#textOf(request)] : []
      const network = [...state.network, ...sent].toSorted()
      const lost = this.#answered({ ...poorer, network }, who, at, 'unknown')
      yield { step: `${what} -> lost`, state: lost }
    }
  }

  #choices(controller: ControllerState): Operation['type'][] {
    if (!controller.isActive) return controller.takeoversLeft > 0 ? ['read'] : []
    return controller.nextSequence > this.#bounds.sequenceMax ? [] : ['record', 'snapshot']
  }

  /** With one more answer; goes on with the decision where it was the last of its round. */
  #answered(state: State, who: number, at: number, reply: string): State {
    const controller = state.controllers[who]!
    const operation = controller.operation!
    const replies = operation.replies.map((each, other) => (other === at ? reply : each))
    if (replies.includes('')) {
      return withController(state, who, { ...controller, operation: { ...operation, replies } })
    }
    const rounds = [...operation.rounds, replies]
    const after = { ...controller, operation: { ...operation, rounds, replies: [] } }
    return this.#advanced(state, who, after)
  }

  /** Runs the decision to its next requests, or to its end. */
  #advanced(state: State, who: number, controller: ControllerState): State {
    const operation = controller.operation!
    const { requests, result } = this.#run(who, controller, operation)
    if (requests !== undefined) {
      const replies = requests.map(() => '')
      return withController(state, who, { ...controller, operation: { ...operation, replies } })
    }
    return this.#ended(state, who, controller, result!)
  }

  #ended(state: State, who: number, controller: ControllerState, result: Result): State {
    const operation = controller.operation!
    this.#outcomes.add(`${operation.type} ${result.type}`)
    const idle = { ...controller, operation: null }
    if (result.type === 'log') {
      this.#checkRead(state, operation, result.log)
      const { nextSequence, lastHash } = result.log.cursor
      const epochs = result.log.tail.map(({ epoch }) => epoch)
      const epoch = Math.max(0, result.log.snapshot?.epoch ?? 0, ...epochs) + 1
      const { begunAt } = operation
      const claim = { type: 'claim', wasUnknown: false, begunAt, rounds: [], replies: [] } as const
      const claiming = { ...controller, nextSequence, lastHash, epoch, operation: claim }
      return this.#advanced(state, who, claiming)
    }
    if (result.type === 'failed') return withController(state, who, { ...idle, isActive: false })
    if (result.type === 'lost') {
      const hashes = operation.type === 'snapshot' ? [] : [this.#hashOf(who, controller)]
      if (hashes.some(hash => state.committed.includes(hash))) {
        throw new Violation('told that its record is lost, which is committed')
      }
      const lost = [...state.lost, ...hashes].toSorted()
      return withController({ ...state, lost }, who, { ...idle, isActive: false })
    }
    if (result.type === 'committed') {
      const { sequence, hash } = result.slot
      if (state.committed[sequence - 1] !== hash) throw new Violation('told committed, and is not')
      const cursor = { nextSequence: sequence + 1, lastHash: hash }
      return withController(state, who, { ...idle, ...cursor, isActive: true })
    }
    if (!result.isUnknown && operation.type !== 'claim' && operation.type !== 'read') {
      return withController(state, who, idle)
    }
    // As the contract has it: the same call again.
    const again = { ...operation, wasUnknown: result.isUnknown && operation.type !== 'read' }
    const repeated = { ...again, rounds: [], replies: [], begunAt: state.committed.length }
    return this.#advanced(state, who, { ...controller, operation: repeated })
  }

  #checkRead(state: State, { begunAt }: Operation, { tail, cursor }: RingLogLike): void {
    const end = cursor.nextSequence - 1
    if (end < begunAt)
      throw new Violation(`read up to ${end}, and ${begunAt} were committed before`)
    if (end > 0 && state.committed[end - 1] !== cursor.lastHash) {
      throw new Violation(`read a record ${end} that was never committed`)
    }
    for (const { sequence, hash } of tail) {
      if (state.committed[sequence - 1] !== hash) throw new Violation('read what is not committed')
    }
  }

  /** The decision's next requests after all complete rounds, or what came of it. */
  #run(who: number, controller: ControllerState, operation: Operation): Run {
    const key = runKey(who, controller, operation)
    let run = this.#runs.get(key)
    if (run === undefined) this.#runs.set(key, (run = this.#runAnew(who, controller, operation)))
    return run
  }

  #runAnew(who: number, controller: ControllerState, operation: Operation): Run {
    const decision = this.#decisionOf(who, controller, operation)
    try {
      let step = decision.next()
      for (const round of operation.rounds) {
        const requests = step.value as readonly Request[]
        const replies = round.map((text, at) => {
          const request = requests[at]!
          return this.#planted(request, this.#replyOf(text), controller.epoch)
        })
        step = decision.next(replies)
      }
      return step.done === true ? { result: step.value } : { requests: step.value }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      if (error.reason === 'failed') return { result: { type: 'failed' } }
      throw new Violation(`${who} ${operation.type}: ${error.message}`)
    }
  }

  #decisionOf(who: number, controller: ControllerState, operation: Operation): Decision<Result> {
    const circumstances = { geometry: this.#geometry, wasUnknown: operation.wasUnknown }
    if (operation.type === 'read') return readRing(this.#geometry)
    if (operation.type !== 'snapshot') return append(this.#entry(who, controller), circumstances)
    const { nextSequence, lastHash, epoch } = controller
    const parts = Array.from({ length: this.#bounds.partCount }, (_, at) => {
      return utf8(`state ${nextSequence - 1} part ${at}`)
    })
    const cursor = { nextSequence, lastHash }
    const call = { cursor, epoch, payloadBytes: 1, contentHash: contentHash(utf8('')), parts }
    return writeSnapshot(call, circumstances)
  }

  #entry(who: number, { nextSequence, lastHash, epoch, operation }: ControllerState): Entry {
    const payload = utf8(`${operation!.type} of ${who}`)
    return { cursor: { nextSequence, lastHash }, epoch, payload, snapshotSide: null }
  }

  #hashOf(who: number, controller: ControllerState): string {
    return entryHash(this.#entry(who, controller))
  }

  #perform(state: State, request: Request): { state: State; reply: string } {
    if (request.type === 'get') return { state, reply: state.objects[placeName(request.place)]! }
    const { state: after, isStored } = this.#apply(state, this.#textOf(request))
    return { state: after, reply: isStored ? 'stored' : 'conflict' }
  }

  #textOf({ place, content, over }: Extract<Request, { type: 'put' }>): string {
    return `${placeName(place)} ${this.#number(content)} ${over.resourceVersion}`
  }

  /** An update as it arrives at the API server. */
  #apply(state: State, sent: string): { state: State; isStored: boolean } {
    const [name, number, over] = sent.split(' ') as [string, string, string]
    const [, version] = state.objects[name]!.split('@') as [string, string]
    if (version !== over) return { state, isStored: false }
    const content = this.#contents[Number(number)]!
    const objects = { ...state.objects, [name]: `${number}@${Number(version) + 1}` }
    let { committed } = state
    if ('kind' in content) {
      const isNext = content.sequence === committed.length + 1
      const isLinked = content.previousHash === (committed.at(-1) ?? genesisHash)
      if (!isNext || !isLinked)
        throw new Violation(`record ${content.sequence} makes a fork or gap`)
      if (state.lost.includes(content.hash)) throw new Violation('what was lost is committed')
      committed = [...committed, content.hash]
    }
    const after = { ...state, objects, committed }
    this.#checkSnapshot(after)
    return { state: after, isStored: true }
  }

  /** The newest snapshot is whole, and everything after it is in the ring. */
  #checkSnapshot({ objects, committed }: State): void {
    const at = (place: Place): Content => {
      return this.#contents[Number(objects[placeName(place)]!.split('@')[0])]!
    }
    const place = slotAt(committed.length, this.#geometry)
    const newest = at(place)
    if (!('kind' in newest)) throw new Error('a slot holds a slot')
    const first = newest.snapshot?.sequence ?? 1
    for (let sequence = first; sequence <= committed.length; sequence++) {
      const slot = at(slotAt(sequence, this.#geometry))
      if (!('kind' in slot) || slot.sequence !== sequence) {
        throw new Violation(`record ${sequence} was overwritten, and is needed`)
      }
      if (sequence !== newest.snapshot?.sequence) continue
      const { side, chunks } = decodeNote(place, slot.payload)
      for (const [index, hash] of chunks.entries()) {
        const chunk = at({ type: 'chunk', side, index })
        if ('kind' in chunk || chunk.contentHash !== hash) {
          throw new Violation(`chunk ${side}${index} of the snapshot in use was destroyed`)
        }
      }
    }
  }

  #replyOf(text: string): Reply {
    if (text === 'stored' || text === 'conflict') return { type: text }
    if (text === 'unknown') {
      return { type: 'unavailable', isUnknown: true, reason: 'lost', retryAfterMs: null }
    }
    const [number, resourceVersion] = text.split('@') as [string, string]
    const content = this.#contents[Number(number)]!
    return { type: 'found', content, version: { resourceVersion } }
  }

  #number(content: Content): number {
    const key = 'kind' in content ? slotKey(content) : chunkKey(content)
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#contents.push(content) - 1
      this.#numbers.set(key, number)
    }
    return number
  }
}

type Result =
  | Extract<ReturnType<ReturnType<typeof readRing>['next']>['value'], { type: 'log' }>
  | ReturnOf<typeof append>
  | { readonly type: 'failed' }
type ReturnOf<F extends (...args: never[]) => Decision<unknown>> =
  ReturnType<F> extends Decision<infer T> ? T : never
type RingLogLike = Extract<ReturnOf<typeof readRing>, { type: 'log' }>['log']

interface Run {
  readonly requests?: readonly Request[]
  readonly result?: Result
}

function slotKey({ payload, ...slot }: Extract<Content, { kind: string }>): string {
  return `${JSON.stringify(slot)} ${payload.length}`
}

function chunkKey({
  epoch,
  sequence,
  contentHash: hash,
}: Exclude<Content, { kind: string }>): string {
  return `${epoch} ${sequence} ${hash}`
}
