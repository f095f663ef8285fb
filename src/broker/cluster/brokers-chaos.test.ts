import { describe, expect, test } from 'vitest'
import { SimStore } from '../../../sim/metadata-store.ts'
import { BrokersWorld, noteOfSnapshot } from '../../../test/helpers/brokers-world.ts'
import { Prng } from '../../lib/prng.ts'
import { chainHash, genesisHash } from '../metadata/chain.ts'
import { MetadataImage } from '../metadata/image.ts'
import { decodeBatch } from '../metadata/records.ts'
import type { Cluster, TopicResult } from './cluster.ts'

const brokers = [0, 1, 2]
const virtualSeconds = 90

/** A cluster under faults of every kind, with somebody who creates topics at random brokers, and what must hold all the time. */
class Chaos {
  readonly world: BrokersWorld
  readonly prng: Prng
  readonly created = new Map<string, TopicResult['error']>()
  readonly watched = new WeakSet<Cluster>()
  /** Each epoch by who claimed it. */
  readonly claims = new Map<number, number>()
  /** Every record that anybody ever appended, by sequence. */
  readonly hashes = new Map<number, string>()
  names = 0

  constructor(seed: number) {
    this.prng = new Prng(seed)
    this.world = new BrokersWorld({ snapshotIntervalMax: 16, notesSnapshots: seed % 2 === 1 })
  }

  async run(): Promise<void> {
    const { world, prng } = this
    for (const id of brokers) this.#start(id)
    await world.until(() => brokers.every(id => world.node(id).cluster !== null))
    for (let second = 0; second < virtualSeconds; second++) {
      if (prng.below(3) === 0) this.#disturb()
      for (let count = prng.below(3); count > 0; count--) this.#create()
      await world.clock.run(prng.below(2_000))
      this.#check()
    }
    await this.#settle()
  }

  #disturb(): void {
    const { world, prng } = this
    const id = prng.below(3)
    const other = (id + 1 + prng.below(2)) % 3
    switch (prng.below(9)) {
      case 0:
        return this.#kill(id)
      case 1:
        world.cut(id)
        return
      case 2:
        world.cuts.add(`${id}>${other}`)
        return
      case 3:
        world.storeCuts.add(id)
        return
      case 4:
        world.medium.appendFaults.push(prng.below(2) === 0 ? 'applied' : 'dropped')
        return
      case 5:
        world.medium.isReachable = prng.below(2) === 0
        return
      case 6:
        world.fault = () => (['pass', 'pass', 'pass', 'drop', 'lose'] as const)[prng.below(5)]!
        return
      case 7:
        // Somebody takes the lease by force, or its object is removed.
        world.lease = prng.below(2) === 0 ? null : world.lease
        for (const link of world.node(id).links) link.reset()
        return
      default:
        this.#heal()
    }
  }

  #heal(): void {
    this.world.heal()
    this.world.fault = () => 'pass'
    this.world.medium.isReachable = true
    for (const id of brokers) if (!this.world.node(id).isUp) this.#start(id)
  }

  #kill(id: number): void {
    if (this.world.node(id).isUp) this.world.node(id).kill()
  }

  #start(id: number): void {
    void this.world.node(id).start({})
  }

  #create(): void {
    const cluster = this.world.node(this.prng.below(3)).cluster
    if (cluster === null) return
    const name = `t${this.names++}`
    const wish = { partitionCount: 1, replicationFactor: 1, assignments: [], configs: [] }
    void cluster
      .createTopics([{ name, ...wish }], false, 1 + this.prng.below(8_000))
      .then(([result]) => {
        this.created.set(name, result!.error)
        // Whoever asked sees what was done.
        if (result!.error === 'NONE' && cluster.failure === null) {
          expect(cluster.image.topicByName(name)?.id).toBe(result!.id)
        }
      })
  }

  /** I10: one value for each sequence, in one chain; images that go forward, and are what the log says. */
  #check(): void {
    const { world } = this
    let previousHash: string | null = null
    for (const record of world.medium.records) {
      previousHash ??=
        this.hashes.get(record.sequence - 1) ?? (record.sequence === 1 ? genesisHash : null)
      if (previousHash !== null) expect(chainHash({ ...record, previousHash })).toBe(record.hash)
      previousHash = record.hash
      const known = this.hashes.get(record.sequence) ?? record.hash
      expect(record.hash).toBe(known)
      this.hashes.set(record.sequence, record.hash)
      const isNote = record.payload.length === noteOfSnapshot.length
      for (const each of isNote ? [] : decodeBatch(record.payload)) {
        if (each.type !== 'epochClaimed') continue
        expect(this.claims.get(each.epoch) ?? each.brokerId).toBe(each.brokerId)
        this.claims.set(each.epoch, each.brokerId)
      }
    }
    for (const id of brokers) {
      const { cluster, failures } = world.node(id)
      expect(failures).toEqual([])
      if (cluster === null || this.watched.has(cluster)) continue
      this.watched.add(cluster)
      let last = cluster.image
      cluster.onImage(image => {
        expect(image.sequence).toBeGreaterThan(last.sequence)
        expect(image.controllerEpoch).toBeGreaterThanOrEqual(last.controllerEpoch)
        last = image
      })
    }
  }

  /** With nothing in the way everybody agrees, and what was said is so. */
  async #settle(): Promise<void> {
    const { world } = this
    this.#heal()
    world.medium.appendFaults.splice(0)
    const end = (): number => world.medium.cursor().nextSequence - 1
    const clusters = (): (Cluster | null)[] => brokers.map(id => world.node(id).cluster)
    await world.until(() => clusters().every(cluster => cluster !== null))
    await world.until(() => world.officers().length === 1)
    await world.clock.run(35_000)
    this.#create()
    await world.until(() => this.created.size === this.names)
    await world.until(() => clusters().every(each => each!.image.sequence >= end() - 1))
    await world.clock.run(5_000)
    await world.until(() =>
      clusters().every(each =>
        [...each!.image.brokers.values()].every(({ isFenced }) => !isFenced),
      ),
    )
    this.#check()
    const log = await new SimStore(world.medium).readAll()
    let image = MetadataImage.empty
    const parts = log.snapshot === null ? log.tail : [log.snapshot, ...log.tail]
    for (const { sequence, payload } of parts)
      image = image.applyBatch(sequence, decodeBatch(payload))
    for (const cluster of clusters()) {
      expect([...cluster!.image.records()]).toEqual([...image.records()])
    }
    for (const [name, error] of this.created) {
      const isThere = image.topicByName(name) !== undefined
      if (error === 'NONE') expect([name, isThere]).toEqual([name, true])
      if (error === 'NOT_CONTROLLER') expect([name, isThere]).toEqual([name, false])
    }
  }
}

describe('brokers under faults of every kind agree on one log, lose nothing that was said, and come together', () => {
  test.each(Array.from({ length: 6 }, (_, seed) => seed))('seed %d', async seed => {
    const chaos = new Chaos(seed)
    await chaos.run()
    expect(chaos.claims.size).toBeGreaterThan(0)
  })
})
