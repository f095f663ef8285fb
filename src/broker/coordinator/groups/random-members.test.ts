import { expect, test } from 'vitest'
import { type Call, errorOf, GroupWorld, offset } from '../../../../test/helpers/group-world.ts'
import { assert } from '../../../lib/assert.ts'
import { fromUtf8 } from '../../../lib/bytes.ts'
import { Prng } from '../../../lib/prng.ts'
import type { JoinAnswer, SyncAnswer } from './events.ts'

const partitionCount = 7
const clientCount = 6
const sessionTimeoutMs = 10_000

/** One consumer as clients are: one request at a time, and what an error says is done. */
class Consumer {
  readonly name: string
  readonly world: World
  /** Static members keep it over their lives. */
  readonly instanceId: string | null
  isAlive = false
  memberId = ''
  joined: JoinAnswer | null = null
  /** Partitions that it may read, while it is in a generation that has an assignment. */
  owned: readonly number[] | null = null
  #join: Call<JoinAnswer> | null = null
  #sync: Call<SyncAnswer> | null = null
  #lives = 0

  constructor(world: World, at: number) {
    this.world = world
    this.name = `c${at}`
    this.instanceId = at % 3 === 2 ? `instance-${at}` : null
  }

  /** One step of what it has to do anyway. */
  act(): void {
    if (!this.isAlive) return
    if (this.#join !== null) this.#joinAnswered(this.#join)
    else if (this.#sync !== null) this.#syncAnswered(this.#sync)
    else if (this.joined === null) this.#sendJoin()
    else this.#beat(this.joined)
  }

  start(): void {
    if (this.isAlive) return
    this.isAlive = true
    this.#lives++
    this.#forget()
  }

  /** It is gone without a word; what it has parked is answered to nobody. */
  crash(): void {
    this.isAlive = false
    this.#join = null
    this.#sync = null
    this.joined = null
    this.owned = null
  }

  leave(): void {
    if (this.isAlive && this.memberId !== '') this.world.groups.leave({ memberId: this.memberId })
    this.crash()
  }

  /** The broker was killed: requests fail, and are sent again. */
  disconnected(): void {
    this.#join = null
    this.#sync = null
    if (this.owned === null) this.joined = null
  }

  /** It says that it has read so far: only the generation that is may. */
  commit(): void {
    if (this.joined === null || this.owned === null) return
    const { state, generation } = this.world.groups
    const call = this.world.groups.commit(this.joined, [offset('topic', 0, 1)])
    const isOld = this.joined.generation !== generation
    if (call.answer === null) assert(!isOld, 'an old generation commits nothing')
    else if (isOld) assert(errorOf(call) !== 'NONE', 'an old generation is refused')
    else if (state === 'Stable' && this.world.isMember(this)) {
      assert(errorOf(call) !== 'ILLEGAL_GENERATION', 'the present generation may commit')
    }
  }

  #sendJoin(): void {
    this.#join = this.world.groups.join({
      memberId: this.memberId,
      instanceId: this.instanceId,
      freshMemberId: `${this.name}-${this.#lives}-${this.world.tick}`,
      clientId: this.name,
      sessionTimeoutMs,
      rebalanceTimeoutMs: 20_000,
      needsKnownMemberId: true,
      maySkipAssignment: true,
    })
  }

  #joinAnswered(call: Call<JoinAnswer>): void {
    if (call.answer === null) return
    this.#join = null
    const { error, memberId } = call.answer
    if (error === 'MEMBER_ID_REQUIRED') this.memberId = memberId
    else if (error === 'NONE') {
      this.memberId = memberId
      this.joined = call.answer
      this.#sendSync(call.answer)
    } else this.#failed(error)
  }

  /** The leader deals the partitions out in the order of the members. */
  #sendSync(joined: JoinAnswer): void {
    const parts: Record<string, string> = {}
    if (joined.leaderId === joined.memberId && !joined.skipAssignment) {
      joined.members.forEach(({ memberId }, at) => {
        const own = Array.from({ length: partitionCount }, (_, partition) => partition).filter(
          partition => partition % joined.members.length === at,
        )
        parts[memberId] = own.join(',')
      })
    }
    this.owned = null
    this.#sync = this.world.groups.sync(joined, parts, this.instanceId)
  }

  #syncAnswered(call: Call<SyncAnswer>): void {
    if (call.answer === null) return
    this.#sync = null
    if (call.answer.error !== 'NONE') return this.#failed(call.answer.error)
    const text = fromUtf8(call.answer.assignment)
    this.owned = text === '' ? [] : text.split(',').map(Number)
    this.world.assigned(this, this.joined!.generation, this.owned)
  }

  #beat(joined: JoinAnswer): void {
    const error = this.world.groups.heartbeat(joined, this.instanceId)
    if (error !== 'NONE') this.#failed(error)
  }

  #failed(error: string): void {
    this.joined = null
    this.owned = null
    if (error === 'FENCED_INSTANCE_ID') this.crash()
    else if (error === 'UNKNOWN_MEMBER_ID') this.#forget()
  }

  #forget(): void {
    this.memberId = ''
    this.joined = null
    this.owned = null
  }
}

class World {
  readonly groups = new GroupWorld({ initialRebalanceDelayMs: 3_000, sessionTimeoutMsMin: 1_000 })
  readonly consumers: readonly Consumer[]
  readonly #prng: Prng
  /** Who was given a partition, by generation. */
  readonly #owners = new Map<string, string>()
  tick = 0

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    this.consumers = Array.from({ length: clientCount }, (_, at) => new Consumer(this, at))
  }

  isMember({ memberId }: Consumer): boolean {
    return this.groups.groups.find('group')?.members.has(memberId) ?? false
  }

  /** At most one owner a partition, in each generation. A static member that is back is the same owner. */
  assigned({ name }: Consumer, generation: number, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const key = `${generation}/${partition}`
      const owner = this.#owners.get(key) ?? name
      assert(owner === name, `partition ${key} has one owner: ${owner}, not ${name}`)
      this.#owners.set(key, name)
    }
  }

  step(): void {
    this.tick++
    const prng = this.#prng
    const consumer = prng.pick(this.consumers)
    const chance = prng.below(100)
    if (chance < 60) consumer.act()
    else if (chance < 70) consumer.start()
    else if (chance < 73) consumer.leave()
    else if (chance < 76) consumer.crash()
    else if (chance < 82) consumer.commit()
    else if (chance < 94) this.groups.advance(prng.below(3_000))
    else if (chance < 95) this.groups.advance(prng.below(15_000))
    else if (chance < 97) this.#holdOrNot()
    else if (chance < 98) this.#finish()
    else if (chance < 99) this.groups.refuse()
    else this.#restart()
    this.check()
  }

  /** What must hold at every moment. */
  check(): void {
    const group = this.groups.groups.find('group')
    if (group === undefined) return
    const members = [...group.members.values()]
    const parked = members.filter(({ joinId }) => joinId !== null)
    assert(parked.length === group.awaitingJoinCount, 'parked members are counted')
    assert(
      group.state === 'PreparingRebalance' || parked.length === 0,
      'nobody waits for a generation that is there',
    )
    assert(
      group.state === 'CompletingRebalance' || members.every(({ syncId }) => syncId === null),
      'nobody waits for an assignment that is there',
    )
    assert(group.leaderId === null || group.members.has(group.leaderId), 'the leader is a member')
    assert(
      (group.state === 'Empty') === (members.length === 0) || group.state === 'PreparingRebalance',
      'Empty is empty',
    )
    if (group.state !== 'Stable') return
    const owners = new Set<number>()
    for (const { isAlive, owned, joined, memberId } of this.consumers) {
      if (!isAlive || owned === null || joined?.generation !== group.generation) continue
      if (!group.members.has(memberId)) continue
      for (const partition of owned) {
        assert(!owners.has(partition), 'a partition of the present generation has one owner')
        owners.add(partition)
      }
    }
  }

  /** Nothing bad happens any more: everybody who is alive ends in one generation, and reads everything. */
  calm(): void {
    this.groups.isHeld = false
    this.groups.finish()
    for (let round = 0; round < 200; round++) {
      this.tick++
      for (const consumer of this.consumers) {
        // A static member whose id was lost with the broker is fenced by its own former self, in Kafka too.
        consumer.start()
        consumer.act()
      }
      this.groups.advance(1_000)
      this.check()
    }
  }

  #holdOrNot(): void {
    this.groups.isHeld = !this.groups.isHeld
    if (!this.groups.isHeld) this.groups.finish()
  }

  #finish(): void {
    const isLucky = this.#prng.chance(4, 5)
    const isInLog = this.#prng.chance(1, 2)
    this.groups.finish(
      isLucky ? { ok: true } : { ok: false, isInLog, error: 'COORDINATOR_NOT_AVAILABLE' },
    )
  }

  #restart(): void {
    this.groups.restart()
    for (const consumer of this.consumers) consumer.disconnected()
  }
}

const seeds = Array.from({ length: 300 }, (_, at) => at + 1)

test('members that join, leave, crash and time out never read the same, and come to rest', () => {
  for (const seed of seeds) {
    const world = new World(seed)
    try {
      for (let step = 0; step < 400; step++) world.step()
      world.calm()
      expect(world.groups.state).toBe('Stable')
      const { generation } = world.groups
      expect(world.consumers.map(({ joined }) => joined?.generation)).toEqual(
        world.consumers.map(() => generation),
      )
      const read = world.consumers.flatMap(({ owned }) => owned ?? []).toSorted((a, b) => a - b)
      expect(read).toEqual(Array.from({ length: partitionCount }, (_, at) => at))
      expect(world.groups.openCount).toBeLessThan(400)
    } catch (error) {
      throw new Error(`seed ${seed}, step ${world.tick}: ${String(error)}`, { cause: error })
    }
  }
})
