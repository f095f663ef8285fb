/** An operation under way; its answers so far, round by round. */
export interface Operation {
  readonly type: 'read' | 'claim' | 'record' | 'snapshot'
  readonly wasUnknown: boolean
  /** Records that were committed when it began. */
  readonly begunAt: number
  readonly rounds: readonly (readonly string[])[]
  /** Of the round that is under way; '' where the request was not done yet. */
  readonly replies: readonly string[]
}

export interface ControllerState {
  readonly takeoversLeft: number
  readonly isActive: boolean
  readonly nextSequence: number
  readonly lastHash: string
  readonly epoch: number
  readonly operation: Operation | null
}

/** Texts throughout, so that equal states have equal keys. */
export interface State {
  /** By place: the content's number and the version, `3@7`. */
  readonly objects: Readonly<Record<string, string>>
  /** Hashes of what was committed, in order. */
  readonly committed: readonly string[]
  /** Sent and given up, and perhaps still on their way: `md-00 content over`. */
  readonly network: readonly string[]
  /** Entries that somebody was told are lost. */
  readonly lost: readonly string[]
  readonly lostLeft: number
  readonly controllers: readonly ControllerState[]
}

export function withController(state: State, who: number, controller: ControllerState): State {
  const controllers = state.controllers.map((each, at) => (at === who ? controller : each))
  return { ...state, controllers }
}

/** How a state was come to first; states that lie far back are kept for that. */
export interface Reached {
  readonly state: State
  readonly step: string
  readonly before: Reached | null
}

export function pathTo(end: Reached): string[] {
  const steps: string[] = []
  for (let at = end; at.before !== null; at = at.before) steps.push(at.step)
  return steps.toReversed()
}

/** Equal for equal states. Of a hash, eight digits are enough to tell the few that there are. */
export function keyOf({ objects, committed, network, lost, lostLeft, controllers }: State): string {
  const short = (hash: string): string => hash.slice(0, 8)
  const each = controllers.map(
    ({ takeoversLeft, isActive, nextSequence, lastHash, epoch, operation }) => {
      const own = `${takeoversLeft}${isActive ? 'a' : 'i'}${nextSequence} ${short(lastHash)} ${epoch}`
      if (operation === null) return own
      const { type, wasUnknown, begunAt, rounds, replies } = operation
      return `${own} ${type} ${wasUnknown} ${begunAt} ${rounds.join(';')} ${replies.join()}`
    },
  )
  const world = [Object.values(objects), committed.map(short), network, lost.map(short), lostLeft]
  return `${world.join('|')}|${each.join('|')}`
}

export function runKey(who: number, controller: ControllerState, operation: Operation): string {
  const { nextSequence, lastHash, epoch } = controller
  const { type, wasUnknown, rounds } = operation
  return `${who} ${nextSequence} ${lastHash} ${epoch} ${type} ${wasUnknown} ${rounds.join(';')}`
}
