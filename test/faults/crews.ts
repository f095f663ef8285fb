import type { BrokerClient } from '../helpers/broker-client.ts'
import { CrewMember, type Manner } from './crew-member.ts'
import type { World } from './world.ts'

/**
 * Groups whose members heartbeat, join again, leave and come back while the broker is killed under them. Kafka's
 * group record holds the members, so a restart of the coordinator forgets none that was acknowledged.
 */
export class Crews {
  readonly #crews: readonly Crew[]

  constructor(world: World) {
    this.#crews = plans.map(plan => new Crew(world, plan))
  }

  workers(): CrewMember[] {
    return this.#crews.flatMap(({ members }) => members)
  }

  /** Heartbeats that were answered NONE. */
  get heartbeatCount(): number {
    return this.workers().reduce((sum, { heartbeatCount }) => sum + heartbeatCount, 0)
  }

  /** SyncGroups that were answered NONE. */
  get assignmentCount(): number {
    return this.workers().reduce((sum, { assignmentCount }) => sum + assignmentCount, 0)
  }

  /** Members without their part, or not heard of since the broker started. */
  missing(): string[] {
    const missing = this.workers().filter(({ isSettled, wasHeard }) => !isSettled || !wasHeard)
    return missing.map(({ name }) => name)
  }

  /** After a start, before any member acts. */
  async settle(client: BrokerClient): Promise<void> {
    for (const member of this.workers()) await member.settle(client)
  }
}

interface CrewPlan {
  readonly group: string
  readonly size: number
  readonly manner: Manner
}

const plans: readonly CrewPlan[] = [
  { group: 'crew-0', size: 1, manner: 'fickle' },
  { group: 'crew-1', size: 1, manner: 'fickle' },
  { group: 'crew-2', size: 1, manner: 'static' },
  { group: 'crew-3', size: 2, manner: 'faithful' },
]

/** The members of one group. */
export class Crew {
  readonly group: string
  readonly members: readonly CrewMember[]

  constructor(world: World, { group, size, manner }: CrewPlan) {
    this.group = group
    this.members = Array.from({ length: size }, (_, at) => {
      return new CrewMember(world, this, { name: `${group}-member-${at}`, manner })
    })
  }

  /** Somebody is on the way into a generation: the others may be told of it at any moment. */
  get isShifting(): boolean {
    return this.members.some(({ isSettled }) => !isSettled)
  }
}
