import { setTimeout as sleep } from 'node:timers/promises'
import { refuseErrors } from '../../src/broker/wire/client/client-error.ts'
import { findCoordinator, offsetCommit, offsetFetch } from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { Place } from '../faults/world.ts'
import type { Address, ChaosWorld } from './world.ts'

/** How far one group went. Invariant: acknowledged <= sent, and sent is at most one more. */
interface Commits {
  readonly group: string
  acknowledged: number
  sent: number
}

/**
 * Commits ever higher offsets. A commit that was not answered may still lie in a socket of a broker that stands, so the group
 * that sent it commits nothing more, and the next one goes on; but all are asked on and on, and none may go back (I12).
 */
export class Committer {
  readonly #world: ChaosWorld
  readonly #place: Place
  readonly #name: string
  readonly #groups: Commits[] = []
  acknowledgedCount = 0

  constructor(world: ChaosWorld, place: Place, name: string) {
    this.#world = world
    this.#place = place
    this.#name = name
  }

  async run(): Promise<void> {
    while (!this.#world.isDraining) {
      const commits = { group: `${this.#name}-${this.#groups.length}`, acknowledged: -1, sent: -1 }
      this.#groups.push(commits)
      await this.#world.persist(
        commits.group,
        () => this.#find(commits.group),
        async client => {
          if (commits.sent === commits.acknowledged) await this.#commitOn(client, commits)
        },
      )
      await this.#look(this.#world.random.pick(this.#groups))
    }
  }

  /** Everything that was ever acknowledged, as the cluster has it in the end. */
  async judge(): Promise<void> {
    for (const commits of this.#groups) await this.#look(commits)
  }

  async #commitOn(client: BrokerClient, commits: Commits): Promise<void> {
    while (!this.#world.isDraining) {
      await this.#commit(client, commits)
      if (this.#world.random.chance(1, 5)) await this.#ask(client, commits)
      await sleep(this.#world.random.below(60))
    }
  }

  /** Asks the group's coordinator, as the cluster knows it now. */
  #look(commits: Commits): Promise<void> {
    return this.#world.persist(
      `${commits.group} looks`,
      () => this.#find(commits.group),
      client => this.#ask(client, commits),
    )
  }

  async #find(group: string): Promise<Address> {
    const request = { key: '', keyType: 0, coordinatorKeys: [group] }
    const { coordinators } = await this.#world.ask(client => {
      return client.request(findCoordinator, 6, request)
    })
    const { errorCode, host, port } = coordinators[0]!
    refuseErrors(errorCode, group)
    return `${host}:${port}`
  }

  async #commit(client: BrokerClient, commits: Commits): Promise<void> {
    const offset = ++commits.sent
    const partition = { partitionIndex: this.#place.partition, committedOffset: offset }
    const partitions = [{ ...partition, committedMetadata: null }]
    const { topics } = await client.request(offsetCommit, 8, {
      groupId: commits.group,
      memberId: '',
      topics: [{ name: this.#place.topic, partitions }],
    })
    refuseErrors(topics[0]!.partitions[0]!.errorCode, commits.group)
    commits.acknowledged = offset
    this.acknowledgedCount++
  }

  async #ask(client: BrokerClient, commits: Commits): Promise<void> {
    const { acknowledged } = commits
    const { groups } = await client.request(offsetFetch, 8, {
      groupId: '',
      topics: null,
      groups: [{ groupId: commits.group, topics: null }],
      requireStable: false,
    })
    const { errorCode, topics } = groups[0]!
    refuseErrors(errorCode, commits.group)
    const offset = Number(topics[0]?.partitions[0]?.committedOffset ?? -1)
    if (offset < acknowledged || offset > commits.sent) {
      const text = `${commits.group}: ${acknowledged} was acknowledged, ${commits.sent} sent, now it is ${offset}`
      this.#world.ledger.violation('offset', `${text}, says ${client.wire.address.port}`)
    }
    commits.acknowledged = Math.max(offset, acknowledged)
  }
}
