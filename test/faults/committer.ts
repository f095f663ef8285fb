import { setTimeout as sleep } from 'node:timers/promises'
import { findCoordinator, offsetCommit, offsetFetch } from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { Place, World } from './world.ts'

/** How far a group's offset of one partition went. Invariant: acknowledged <= sent. */
interface Position {
  readonly group: string
  readonly place: Place
  acknowledged: number
  sent: number
}

/**
 * Commits ever higher offsets for several groups. After each start a group must be where it was acknowledged to be,
 * or at something higher that was sent and not answered; its metadata must be that of the offset.
 */
export class Committer {
  readonly #world: World
  readonly #positions: Position[]
  acknowledgedCount = 0
  /** Rounds that were acknowledged and had a commit of `reports`: each is a batch of its own, at least. */
  roundsOfReports = 0

  constructor(world: World, places: readonly Place[]) {
    this.#world = world
    this.#positions = groups.flatMap(group =>
      places.map(place => ({ group, place, acknowledged: -1, sent: -1 })),
    )
  }

  run(): Promise<void> {
    const { random } = this.#world
    return this.#world.persist('committer', async client => {
      await client.request(findCoordinator, 4, { keyType: 0, key: '', coordinatorKeys: groups })
      const missing = this.#positions.filter(({ acknowledged }) => acknowledged < 0)
      await this.#commitAll(client, missing)
      while (!this.#world.isDraining) {
        const chosen = Array.from({ length: 1 + random.below(roundMax) }, () => this.#pick())
        await this.#commitAll(client, chosen)
        await sleep(random.below(10))
      }
    })
  }

  /** Every group has an offset of every partition. */
  get isEverywhere(): boolean {
    return this.#positions.every(({ acknowledged }) => acknowledged >= 0)
  }

  /** After a start, before anybody commits again. */
  async settle(client: BrokerClient): Promise<void> {
    if (this.#positions.every(({ sent }) => sent < 0)) return
    for (const group of groups) {
      const answer = await fetchWhenLoaded(client, group)
      for (const position of this.#positions.filter(one => one.group === group)) {
        const { topic, partition } = position.place
        const found = answer.topics
          .find(({ name }) => name === topic)
          ?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
        this.#judge(position, Number(found?.committedOffset ?? -1), found?.metadata ?? null)
      }
    }
  }

  #pick(): Position {
    return this.#world.random.pick(this.#positions)
  }

  async #commitAll(client: BrokerClient, positions: readonly Position[]): Promise<void> {
    await Promise.all(Array.from(new Set(positions), position => this.#commit(client, position)))
    if (positions.some(({ group }) => group === 'reports')) this.roundsOfReports++
  }

  #judge(position: Position, offset: number, metadata: string | null): void {
    const { group, place, acknowledged, sent } = position
    const where = `${group} on ${place.topic}-${place.partition}`
    if (offset < acknowledged || offset > sent) {
      const text = `${where}: ${acknowledged} was acknowledged and ${sent} sent, now it is ${offset}`
      this.#world.ledger.violation('offset', text)
    } else if (offset >= 0 && metadata !== metadataOf(offset)) {
      this.#world.ledger.violation('offset', `${where}: ${offset} has metadata ${metadata}`)
    }
    position.acknowledged = position.sent = Math.max(offset, acknowledged)
  }

  async #commit(client: BrokerClient, position: Position): Promise<void> {
    const { group, place } = position
    const offset = ++position.sent
    const { topics } = await client.request(offsetCommit, 8, {
      groupId: group,
      memberId: '',
      topics: [
        {
          name: place.topic,
          partitions: [
            {
              partitionIndex: place.partition,
              committedOffset: offset,
              committedMetadata: metadataOf(offset),
            },
          ],
        },
      ],
    })
    const code = topics[0]?.partitions[0]?.errorCode
    if (code === 0) {
      position.acknowledged = offset
      this.acknowledgedCount++
    } else if (code !== loadInProgress) {
      this.#world.ledger.violation('answer', `OffsetCommit answered ${code}`)
    }
  }
}

const groups = ['billing', 'reports', 'audit']
/** Commits that are under way at the same time. */
export const roundMax = 5
const loadInProgress = 14

function metadataOf(offset: number): string {
  return `read up to ${offset}`
}

/** What the group has, as soon as its coordinator has loaded it. */
async function fetchWhenLoaded(client: BrokerClient, groupId: string) {
  while (true) {
    const request = { groupId: '', topics: null, groups: [{ groupId, topics: null }] }
    const { groups: found } = await client.request(offsetFetch, 8, {
      ...request,
      requireStable: false,
    })
    const answer = found[0]!
    if (answer.errorCode === 0) return answer
    if (answer.errorCode !== loadInProgress) {
      throw new Error(`OffsetFetch of ${groupId} answered ${answer.errorCode}`)
    }
    await sleep(5)
  }
}
