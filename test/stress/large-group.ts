import { setTimeout as sleep } from 'node:timers/promises'
import {
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  syncGroup,
} from '../../src/broker/wire/messages/index.ts'
import { BrokerClient } from '../helpers/broker-client.ts'

const groupId = 'large'
const rebalanceInProgress = 27
const illegalGeneration = 22
const memberIdRequired = 79

interface GroupMember {
  readonly client: BrokerClient
  memberId: string
  generationId: number
  assignment: string
}

/** Members of one group, each on a connection of its own. */
export class LargeGroup {
  readonly #members: GroupMember[] = []
  /** Rounds of joining that it took until all held the same generation. */
  joinRounds = 0

  static async connect(port: number, count: number, addressOf: (at: number) => string) {
    const group = new LargeGroup()
    for (let at = 0; at < count; at++) {
      const options = { clientId: `member-${at}`, timeoutMs: 120_000, localAddress: addressOf(at) }
      const client = await BrokerClient.connect(port, options)
      group.#members.push({ client, memberId: '', generationId: -1, assignment: '' })
    }
    const asked = { key: groupId, keyType: 0, coordinatorKeys: [] }
    await group.#members[0]!.client.request(findCoordinator, 2, asked)
    return group
  }

  /** Joins and syncs until one generation holds all, each with the part that the leader gave it. */
  async becomeStable(): Promise<void> {
    for (this.joinRounds = 1; this.joinRounds <= 20; this.joinRounds++) {
      const joined = await Promise.all(this.#members.map(member => this.#join(member)))
      const generations = new Set(joined.map(({ generationId }) => generationId))
      if (generations.size > 1) continue
      const leader = joined.find(({ members }) => members.length > 0)
      if (leader?.members.length !== this.#members.length) continue
      const ids = leader.members.map(({ memberId }) => memberId)
      const codes = await Promise.all(
        this.#members.map(one => this.#sync(one, one.memberId === leader.memberId ? ids : [])),
      )
      if (codes.every(code => code === 0)) return this.#checkParts()
    }
    throw new Error(`a group of ${this.#members.length} is not stable after 20 rounds`)
  }

  /** A heartbeat of each; the error codes that came. */
  async heartbeat(): Promise<Set<number>> {
    const answers = await Promise.all(
      this.#members.map(({ client, memberId, generationId }) =>
        client.request(heartbeat, 3, { groupId, generationId, memberId }),
      ),
    )
    return new Set(answers.map(({ errorCode }) => errorCode))
  }

  /** Everybody leaves at the same time; the error codes that came. */
  async leave(): Promise<Set<number>> {
    const answers = await Promise.all(
      this.#members.map(({ client, memberId }) =>
        client.request(leaveGroup, 2, { groupId, memberId, members: [] }),
      ),
    )
    for (const { client } of this.#members) client.close()
    return new Set(answers.map(({ errorCode }) => errorCode))
  }

  async #join(member: GroupMember) {
    for (let tries = 0; tries < 200; tries++) {
      const answer = await member.client.request(joinGroup, 5, {
        groupId,
        sessionTimeoutMs: 120_000,
        rebalanceTimeoutMs: 60_000,
        memberId: member.memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: new Uint8Array(200) }],
      })
      if (answer.memberId !== '') member.memberId = answer.memberId
      if (answer.errorCode === 0) {
        member.generationId = answer.generationId
        return answer
      }
      if (answer.errorCode !== memberIdRequired) await sleep(50)
    }
    throw new Error('a member could not join')
  }

  async #sync(member: GroupMember, ids: readonly string[]): Promise<number> {
    const { errorCode, assignment } = await member.client.request(syncGroup, 3, {
      groupId,
      generationId: member.generationId,
      memberId: member.memberId,
      assignments: ids.map(memberId => ({ memberId, assignment: Buffer.from(memberId) })),
    })
    const mayCome = [0, rebalanceInProgress, illegalGeneration]
    if (!mayCome.includes(errorCode)) throw new Error(`SyncGroup answered ${errorCode}`)
    member.assignment = Buffer.from(assignment).toString()
    return errorCode
  }

  #checkParts(): void {
    for (const { memberId, assignment } of this.#members) {
      if (assignment !== memberId) throw new Error(`${memberId} holds the part of ${assignment}`)
    }
  }
}
