import { setTimeout as sleep } from 'node:timers/promises'
import { errorName } from '../../src/broker/wire/errors.ts'
import { deleteGroups, offsetCommit, offsetDelete } from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { WireGroup } from '../helpers/wire-groups.ts'
import type { Place, World } from './world.ts'

/** Committed offsets by `TOPIC-PARTITION`. */
type Offsets = ReadonlyMap<string, number>

/** What a group has. One request at a time is under way for it: `next` is what it will leave. */
interface Kept {
  readonly group: string
  now: Offsets
  next: Offsets | null
}

/**
 * Commits offsets and has them forgotten again, one by one (OffsetDelete) and by the group (DeleteGroups). After
 * each start a group has exactly what was acknowledged, or what the request under way would have left: a request
 * is one batch of the log. Some of the groups lie in one partition of it with groups of others.
 */
export class Forgetter {
  readonly #world: World
  readonly #places: readonly Place[]
  readonly #groups: readonly Kept[]
  readonly #gone = kept(goneGroup)
  readonly #trimmed = kept(trimmedGroup)
  /** Every offset is another one. */
  #lastOffset = 0
  forgottenOffsets = 0
  forgottenGroups = 0
  /** Since the start: `gone` is deleted and `trimmed` has lost all but its first offset, for the rest of the life. */
  hasForgotten = false

  constructor(world: World, places: readonly Place[]) {
    this.#world = world
    this.#places = places
    this.#groups = groupNames.map(kept)
  }

  run(): Promise<void> {
    const { random } = this.#world
    return this.#world.persist('forgetter', async client => {
      if (!this.hasForgotten) await this.#forgetForGood(client)
      while (!this.#world.isDraining) {
        const chosen = new Set(Array.from({ length: 1 + random.below(4) }, () => this.#pick()))
        await Promise.all(Array.from(chosen, group => this.#change(client, group)))
        await sleep(random.below(10))
      }
    })
  }

  /** After a start, before anybody changes anything. */
  async settle(client: BrokerClient): Promise<void> {
    this.hasForgotten = false
    for (const group of [this.#gone, this.#trimmed, ...this.#groups]) {
      const found = await new WireGroup(client, group.group).loaded()
      this.#judge(group, new Map(found.map(one => [keyOf(one), Number(one.offset)])))
    }
  }

  #judge(group: Kept, found: Offsets): void {
    const { now, next } = group
    group.now = found
    group.next = null
    if (isSame(found, now) || (next !== null && isSame(found, next))) return
    const comeBack = [...found.keys()].filter(key => !now.has(key) && next?.has(key) !== true)
    const text = `${group.group} has ${say(found)}; it was left with ${say(now)}`
    const why = next === null ? text : `${text}, or, unanswered, ${say(next)}`
    this.#world.ledger.violation(comeBack.length > 0 ? 'deleted' : 'offset', why)
  }

  async #forgetForGood(client: BrokerClient): Promise<void> {
    const places = this.#places.slice(0, 2)
    for (const group of [this.#gone, this.#trimmed]) await this.#commit(client, group, places)
    await this.#deleteGroup(client, this.#gone)
    await this.#deleteOffsets(client, this.#trimmed, [keyOf(places[1]!)])
    this.hasForgotten = true
  }

  #pick(): Kept {
    return this.#world.random.pick(this.#groups)
  }

  async #change(client: BrokerClient, group: Kept): Promise<void> {
    const { random } = this.#world
    const choice = random.below(10)
    const keys = [...group.now.keys()]
    if (keys.length === 0 || choice < 5) {
      const places = this.#places.filter(() => random.chance(1, 4))
      await this.#commit(client, group, places.length > 0 ? places : [this.#places[0]!])
    } else if (choice < 8) {
      const some = keys.filter(() => random.chance(1, 2))
      await this.#deleteOffsets(client, group, some.length > 0 ? some : keys)
    } else await this.#deleteGroup(client, group)
  }

  async #commit(client: BrokerClient, group: Kept, places: readonly Place[]): Promise<void> {
    const next = new Map(group.now)
    for (const place of places) next.set(keyOf(place), ++this.#lastOffset)
    const topics = byTopic(places.map(keyOf)).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(partitionIndex => ({
        partitionIndex,
        committedOffset: next.get(`${name}-${partitionIndex}`)!,
        committedMetadata: '',
      })),
    }))
    group.next = next
    const request = { groupId: group.group, memberId: '', topics }
    const answer = await client.request(offsetCommit, 8, request)
    const codes = answer.topics.flatMap(({ partitions }) => partitions.map(one => one.errorCode))
    this.#answered(group, 'OffsetCommit', codes)
  }

  async #deleteOffsets(client: BrokerClient, group: Kept, keys: readonly string[]): Promise<void> {
    group.next = new Map([...group.now].filter(([key]) => !keys.includes(key)))
    const topics = byTopic(keys).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(partitionIndex => ({ partitionIndex })),
    }))
    const answer = await client.request(offsetDelete, 0, { groupId: group.group, topics })
    const codes = answer.topics.flatMap(({ partitions }) => partitions.map(one => one.errorCode))
    if (this.#answered(group, 'OffsetDelete', [answer.errorCode, ...codes])) {
      this.forgottenOffsets += keys.length
    }
  }

  async #deleteGroup(client: BrokerClient, group: Kept): Promise<void> {
    group.next = new Map()
    const { results } = await client.request(deleteGroups, 2, { groupsNames: [group.group] })
    const codes = results.map(({ errorCode }) => errorCode)
    if (this.#answered(group, 'DeleteGroups', codes)) this.forgottenGroups++
  }

  #answered(group: Kept, what: string, codes: readonly number[]): boolean {
    const wrong = codes.find(code => code !== 0)
    if (wrong === undefined && codes.length > 0) {
      group.now = group.next ?? group.now
      group.next = null
      return true
    }
    // Nothing of a request that is refused as a whole is done.
    group.next = null
    const error = wrong === undefined ? 'nothing' : errorName(wrong)
    this.#world.ledger.violation('answer', `${what} of ${group.group} is answered ${error}`)
    return false
  }
}

/** Deleted, and left so, once in each life. */
export const goneGroup = 'gone'
/** Keeps one of its two offsets. */
export const trimmedGroup = 'trimmed'
/** The last two lie in one partition of the offsets topic with `billing` and `crew-0`. */
const groupNames = ['temp-0', 'temp-1', 'temp-2', 'temp-5', 'temp-6']

function kept(group: string): Kept {
  return { group, now: new Map(), next: null }
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}-${partition}`
}

function byTopic(keys: readonly string[]): { name: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const key of keys) {
    const at = key.lastIndexOf('-')
    const partitions = topics.get(key.slice(0, at)) ?? []
    topics.set(key.slice(0, at), partitions)
    partitions.push(Number(key.slice(at + 1)))
  }
  return Array.from(topics, ([name, partitions]) => ({ name, partitions }))
}

function isSame(a: Offsets, b: Offsets): boolean {
  return a.size === b.size && [...a].every(([key, offset]) => b.get(key) === offset)
}

function say(offsets: Offsets): string {
  const texts = Array.from(offsets, ([key, offset]) => `${key}@${offset}`)
  return texts.length === 0 ? 'nothing' : texts.toSorted().join(' ')
}
