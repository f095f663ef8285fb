import { setTimeout as sleep } from 'node:timers/promises'
import { errorName } from '../../src/broker/wire/errors.ts'
import {
  heartbeat,
  joinGroup,
  leaveGroup,
  syncGroup,
  type JoinGroupResponse,
} from '../../src/broker/wire/messages/index.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { World } from './world.ts'

/** `fickle` leaves and joins anew, `static` comes back under another id (KIP-345), `faithful` does neither. */
export type Manner = 'fickle' | 'static' | 'faithful'

/** What a member knows of its group. */
interface Fellows {
  readonly group: string
  /** Somebody is on the way into a generation. */
  readonly isShifting: boolean
}

/**
 * One member, as a client is: one request at a time, and what an error says is done. What it holds against the
 * broker: once its SyncGroup was acknowledged (`isSettled`), and while all are and only heartbeat, it is told NONE
 * or to try again, and its part is the one that it got. Once acknowledged and not taken back (`#isKnown`), its id
 * is not UNKNOWN_MEMBER_ID. Generations never fall.
 */
export class CrewMember {
  readonly #world: World
  readonly #fellows: Fellows
  readonly name: string
  readonly #manner: Manner
  #memberId = ''
  #isKnown = false
  /** The answer to JoinGroup that counts; null where it has to join. */
  #joined: JoinGroupResponse | null = null
  /** The last generation of which it had its part. */
  #generation = -1
  /** Under which it was known before it came back: fenced from then on. */
  #formerId = ''
  /** Under which it was known before it left, until what is stored is without it. */
  #leftId = ''
  isSettled = false
  /** Since the broker started. */
  wasHeard = false
  heartbeatCount = 0
  assignmentCount = 0

  constructor(world: World, fellows: Fellows, who: { name: string; manner: Manner }) {
    this.#world = world
    this.#fellows = fellows
    this.name = who.name
    this.#manner = who.manner
  }

  run(): Promise<void> {
    return this.#world.persist(this.name, async client => {
      // Who stops while another one joins would keep that one waiting.
      while (!this.#world.isDraining || this.#fellows.isShifting) {
        if (this.isSettled) await this.#act(client)
        else await this.#enter(client)
        await sleep(this.#world.random.below(20))
      }
    })
  }

  /** After a start, before anybody acts: what was acknowledged has to be so. */
  async settle(client: BrokerClient): Promise<void> {
    this.wasHeard = false
    if (!this.#isKnown) return
    const error = await whenLoaded(() => this.#heartbeat(client))
    // The next generation may have been stored, and not answered.
    if (error === 'ILLEGAL_GENERATION' && !this.isSettled) return
    if (error !== 'NONE') {
      this.#violation(`is answered ${error} by the broker that came back`)
      return this.#begin()
    }
    if (!this.isSettled) return
    const synced = await this.#sync(client)
    if (synced !== 'NONE') this.#violation(`: SyncGroup is answered ${synced} after a restart`)
    if (this.#formerId === '') return
    const fenced = await this.#heartbeat(client, this.#formerId)
    if (fenced !== 'FENCED_INSTANCE_ID') this.#violation(`: its former self is answered ${fenced}`)
  }

  async #act(client: BrokerClient): Promise<void> {
    const isQuiet = this.#world.isDraining || this.#world.isCalm
    const choice = isQuiet ? 99 : this.#world.random.below(100)
    if (choice < 4 && this.#manner === 'fickle') return await this.#leave(client)
    if (choice < 4 && this.#manner === 'static') return this.#comeBack()
    if (choice < 8) return this.#joinAgain()
    const error = choice < 20 ? await this.#sync(client) : await this.#beat(client)
    if (error === 'NONE' || tryAgain.has(error)) return
    if (error === 'REBALANCE_IN_PROGRESS' && this.#fellows.isShifting) return this.#joinAgain()
    this.#violation(`has done nothing, and is answered ${error}`)
    this.#begin()
  }

  async #enter(client: BrokerClient): Promise<void> {
    if (this.#joined === null) await this.#join(client)
    if (this.#joined === null) return
    const error = await this.#sync(client)
    if (error === 'NONE' || tryAgain.has(error)) return
    if (error === 'UNKNOWN_MEMBER_ID') return this.#unknown()
    this.#joinAgain()
    // The generation that it joined was not stored when the broker was killed.
    if (error === 'REBALANCE_IN_PROGRESS' || error === 'ILLEGAL_GENERATION') return
    this.#violation(`: SyncGroup is answered ${error}`)
  }

  async #join(client: BrokerClient): Promise<void> {
    // It left, and a broker that was killed before that was stored would let the others wait for it.
    if (this.#leftId !== '' && (await this.#takeOut(client)) === null) return
    const answer = await client.request(joinGroup, 9, {
      groupId: this.#fellows.group,
      sessionTimeoutMs,
      rebalanceTimeoutMs: sessionTimeoutMs,
      memberId: this.#memberId,
      groupInstanceId: this.#instanceId,
      protocolType: 'crew',
      protocols: [{ name: 'by name', metadata: utf8(this.name) }],
    })
    const error = errorName(answer.errorCode)
    if (tryAgain.has(error) || error === 'REBALANCE_IN_PROGRESS') return
    if (error === 'UNKNOWN_MEMBER_ID') return this.#unknown()
    if (error !== 'NONE' && error !== 'MEMBER_ID_REQUIRED') {
      this.#violation(`: JoinGroup is answered ${error}`)
      return this.#begin()
    }
    this.#memberId = answer.memberId
    if (error === 'NONE') this.#joined = answer
  }

  /** Asks for its part of the generation, as often as it likes: the answer stays the same. */
  async #sync(client: BrokerClient): Promise<string> {
    const { leader, members = [], generationId = -1 } = this.#joined ?? {}
    const parts = leader === this.#memberId ? members : []
    const answer = await client.request(syncGroup, 5, {
      groupId: this.#fellows.group,
      generationId,
      memberId: this.#memberId,
      groupInstanceId: this.#instanceId,
      protocolType: 'crew',
      protocolName: 'by name',
      assignments: parts.map(({ memberId, metadata }) => ({
        memberId,
        assignment: utf8(partOf(fromUtf8(metadata), generationId)),
      })),
    })
    if (answer.errorCode !== 0) return errorName(answer.errorCode)
    const part = fromUtf8(answer.assignment)
    if (part !== partOf(this.name, generationId)) {
      this.#violation(`is in generation ${generationId} and gets ${part}`)
    }
    if (generationId < this.#generation) {
      this.#violation(`was in generation ${this.#generation}, and is in ${generationId}`)
    }
    this.#generation = generationId
    this.#isKnown = true
    this.isSettled = true
    this.#leftId = ''
    this.assignmentCount++
    return 'NONE'
  }

  async #beat(client: BrokerClient): Promise<string> {
    const error = await this.#heartbeat(client)
    if (error !== 'NONE') return error
    this.heartbeatCount++
    this.wasHeard = true
    return error
  }

  async #heartbeat(client: BrokerClient, memberId = this.#memberId): Promise<string> {
    const answer = await client.request(heartbeat, 4, {
      groupId: this.#fellows.group,
      generationId: this.#generation,
      memberId,
      groupInstanceId: this.#instanceId,
    })
    return errorName(answer.errorCode)
  }

  /** Answered before it is stored, as in Kafka: a broker that is killed then may come back with the member. */
  async #leave(client: BrokerClient): Promise<void> {
    this.#leftId = this.#memberId
    this.#begin()
    const error = await this.#takeOut(client)
    if (error !== 'NONE') this.#violation(`: LeaveGroup is answered ${error}`)
  }

  /** NONE, or UNKNOWN_MEMBER_ID where it was out already; null where the coordinator is not there yet. */
  async #takeOut(client: BrokerClient): Promise<string | null> {
    const memberId = this.#leftId
    const request = { groupId: this.#fellows.group, memberId: '', members: [{ memberId }] }
    const answer = await client.request(leaveGroup, 5, request)
    const error = errorName(answer.members[0]?.errorCode ?? answer.errorCode)
    if (tryAgain.has(error)) return null
    const after = await this.#heartbeat(client, memberId)
    if (after !== 'UNKNOWN_MEMBER_ID') this.#violation(`has left, and is answered ${after}`)
    return error
  }

  #comeBack(): void {
    this.#formerId = this.#memberId
    this.#begin()
  }

  #joinAgain(): void {
    this.#joined = null
    this.isSettled = false
  }

  #begin(): void {
    this.#joinAgain()
    this.#memberId = ''
    this.#isKnown = false
  }

  /** It was never acknowledged, and the broker that let it in is dead. */
  #unknown(): void {
    if (this.#isKnown) this.#violation('is unknown')
    this.#begin()
  }

  get #instanceId(): string | null {
    return this.#manner === 'static' ? this.name : null
  }

  #violation(text: string): void {
    this.#world.ledger.violation('member', `${this.name} ${text}`)
  }
}

/** Longer than any restart takes: no session ends. */
const sessionTimeoutMs = 60_000
/** What a member may be told while the coordinator of its group comes back. */
const tryAgain: ReadonlySet<string> = new Set(['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'])

function partOf(name: string, generation: number): string {
  return `the part of ${name} in generation ${generation}`
}

async function whenLoaded(act: () => Promise<string>): Promise<string> {
  while (true) {
    const error = await act()
    if (!tryAgain.has(error)) return error
    await sleep(5)
  }
}
