import { ClusterModel, type Parts } from './cluster-model.ts'
import { Violation } from './invariants.ts'
import type { Budget, State } from './states.ts'

export interface Explored {
  readonly states: number
  /** Steps from the beginning to the farthest state. */
  readonly depth: number
  /** Every state within the budget was visited. */
  readonly isComplete: boolean
  /** Some record was, in some state; else nothing could be lost. */
  readonly acknowledged: boolean
  /** The most leaders one after the other. */
  readonly elections: number
  /** How the first violation came to be, step by step; null where there is none. */
  readonly violation: readonly string[] | null
}

interface Reached {
  readonly state: State
  readonly name: string
  readonly before: Reached | null
}

/** Visits every state that can be reached within `budget`, the nearest first, until there are `statesMax`. */
export function explore(parts: Parts, budget: Budget, statesMax = Infinity): Explored {
  return new Search(parts, budget).run(statesMax)
}

class Search {
  readonly #model: ClusterModel
  readonly #seen = new Set<string>()
  #frontier: Reached[] = []
  #next: Reached[] = []
  #depth = 0
  #acknowledged = false
  #elections = 0

  constructor(parts: Parts, budget: Budget) {
    this.#model = new ClusterModel(parts)
    this.#reach(this.#model.initial(budget), 'all is well', null)
  }

  run(statesMax: number): Explored {
    while (this.#next.length > 0 && this.#seen.size < statesMax) {
      this.#frontier = this.#next
      this.#next = []
      this.#depth += 1
      for (const reached of this.#frontier) {
        const violation = this.#visit(reached)
        if (violation !== null) return this.#explored([...pathTo(reached), violation])
      }
    }
    return this.#explored(null)
  }

  #visit(before: Reached): string | null {
    try {
      for (const { name, state } of this.#model.steps(before.state)) {
        this.#reach(state, name, before)
      }
      return null
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      return error.message
    }
  }

  #reach(state: State, name: string, before: Reached | null): void {
    const key = this.#model.keyOf(state)
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#next.push({ state, name, before })
    if (state.acked.length > 0) this.#acknowledged = true
    this.#elections = Math.max(this.#elections, this.#model.leaderEpochOf(state))
  }

  #explored(violation: readonly string[] | null): Explored {
    return {
      states: this.#seen.size,
      depth: this.#depth,
      isComplete: violation === null && this.#next.length === 0,
      acknowledged: this.#acknowledged,
      elections: this.#elections,
      violation,
    }
  }
}

function pathTo(reached: Reached): string[] {
  const names: string[] = []
  for (let at: Reached | null = reached; at !== null; at = at.before) names.push(at.name)
  return names.toReversed()
}
