import type { BrokerClient } from '../helpers/broker-client.ts'
import { WireGroup } from '../helpers/wire-groups.ts'
import { Committer, roundMax } from './committer.ts'
import { Crews } from './crews.ts'
import { Forgetter } from './forgetter.ts'
import type { Place, World } from './world.ts'

/** Everything that a kill test does with groups: offsets that rise, offsets that are forgotten, members that live. */
export class GroupLoad {
  readonly #committer: Committer
  readonly #forgetter: Forgetter
  readonly #crews: Crews
  #roundsBefore = 0

  constructor(world: World, places: readonly Place[]) {
    this.#committer = new Committer(world, places)
    this.#forgetter = new Forgetter(world, places)
    this.#crews = new Crews(world)
  }

  /** Makes the offsets topic: from here on a coordinator is there, or is loading. */
  static async over(world: World, places: readonly Place[], client: BrokerClient) {
    const error = await new WireGroup(client, 'any').find()
    if (error !== 'NONE') throw new Error(`FindCoordinator: ${error}`)
    return new GroupLoad(world, places)
  }

  workers(): readonly { run(): Promise<void> }[] {
    return [this.#committer, this.#forgetter, ...this.#crews.workers()]
  }

  /**
   * What was not yet acknowledged since the start, and must be for any damage to groups to be one. Half of the
   * batches of `reports` must be more than the round that may be unanswered.
   */
  missing(): string[] {
    const missing = this.#crews.missing().map(name => `${name} in its group`)
    const rounds = this.#committer.roundsOfReports - this.#roundsBefore
    if (rounds <= roundMax) missing.push(`${roundMax + 1 - rounds} commits of reports`)
    if (!this.#committer.isEverywhere) missing.push('a commit of each group to each partition')
    if (!this.#forgetter.hasForgotten) missing.push('deletions')
    return missing
  }

  /** After a start, before the workers go on. */
  async settle(client: BrokerClient): Promise<void> {
    this.#roundsBefore = this.#committer.roundsOfReports
    await this.#committer.settle(client)
    await this.#forgetter.settle(client)
    await this.#crews.settle(client)
  }

  counts(): GroupCounts {
    return {
      acknowledgedCommits: this.#committer.acknowledgedCount,
      forgottenOffsets: this.#forgetter.forgottenOffsets,
      forgottenGroups: this.#forgetter.forgottenGroups,
      heartbeats: this.#crews.heartbeatCount,
      assignments: this.#crews.assignmentCount,
    }
  }
}

export interface GroupCounts {
  readonly acknowledgedCommits: number
  readonly forgottenOffsets: number
  readonly forgottenGroups: number
  /** Heartbeats and SyncGroups that were answered NONE. */
  readonly heartbeats: number
  readonly assignments: number
}
