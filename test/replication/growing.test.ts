import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import type {
  BrokerAccess,
  ClusterPlaces,
  PartitionPlace,
} from '../../src/operator/brokers/brokers.ts'
import { WireBrokers } from '../../src/operator/brokers/wire-brokers.ts'
import { movesToFactor } from '../../src/operator/moves/factor.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { eventually } from '../helpers/eventually.ts'

const partitionCount = 4

/** What is written while replicas come and go. Who leads is asked anew for each; what was acknowledged is remembered. */
class Load {
  readonly acknowledged = new Map<string, string>()
  readonly #cluster: BrokerCluster
  readonly #topic: string
  readonly #clients = new Map<number, BrokerClient>()
  #count = 0

  constructor(cluster: BrokerCluster, topic: string) {
    this.#cluster = cluster
    this.#topic = topic
  }

  async client(id: number): Promise<BrokerClient> {
    let client = this.#clients.get(id)
    if (client?.isOpen !== true) this.#clients.set(id, (client = await this.#cluster.connect(id)))
    return client
  }

  async leaders(): Promise<number[]> {
    const { topics } = await (await this.client(0)).metadata([this.#topic])
    const found = topics[0]!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    return found.map(({ leaderId }) => leaderId)
  }

  /** One record in each partition, by acks=all. */
  async round(): Promise<void> {
    for (let partition = 0; partition < partitionCount; partition++) {
      const value = `value ${this.#count++}`
      const offset = await this.send(partition, encodeBatch({ records: [{ key: 'k', value }] }))
      this.acknowledged.set(`${partition}/${offset}`, value)
    }
  }

  /** To whoever leads, and again to who has not heard yet that it leads, or to the next one. The offset. */
  async send(partition: number, batch: Uint8Array): Promise<number> {
    const attempt = async () => {
      const client = await this.client((await this.leaders())[partition]!)
      const answer = await client.produce({ topic: this.#topic, partition }, batch)
      return { error: errorName(answer.errorCode), offset: answer.baseOffset }
    }
    const isAnswer = ({ error }: { error: string }): boolean => error !== 'NOT_LEADER_OR_FOLLOWER'
    const { error, offset } = await eventually('an answer', attempt, isAnswer)
    expect(error).toBe('NONE')
    return offset
  }

  /** Everything acknowledged is there, at whoever leads now. One that has only come to lead may tell of it a moment later. */
  async expectAll(): Promise<void> {
    for (const [place, value] of this.acknowledged) {
      const [partition, offset] = place.split('/').map(Number)
      const look = async (): Promise<string> => {
        const client = await this.client((await this.leaders())[partition!]!)
        const from = { topic: this.#topic, partition: partition! }
        return Buffer.from((await client.fetch(from, offset!)).records).toString('latin1')
      }
      await eventually(`${value} at ${place}`, look, records => records.includes(value))
    }
  }
}

/** The operator's way into a cluster of processes. */
class Operator {
  readonly brokers = new WireBrokers({
    clock: realClock,
    random: realRandom,
    network: new NodeNetwork(),
  })
  readonly #access: BrokerAccess

  constructor(cluster: BrokerCluster) {
    const password = readFileSync(join(cluster.credentialsDir, 'operator'), 'utf8').trim()
    this.#access = { host: '127.0.0.1', port: cluster.privatePortOf(0), password }
  }

  places(topic: string): Promise<ClusterPlaces> {
    return this.brokers.places(this.#access, [topic])
  }

  async configure(name: string, value: string | null): Promise<void> {
    const changes = [{ of: { kind: 'all brokers' as const }, configs: { [name]: value } }]
    expect(await this.brokers.alterConfigs(this.#access, changes)).toEqual([null])
  }

  async move(moves: Parameters<WireBrokers['moveReplicas']>[1]): Promise<void> {
    const outcomes = await this.brokers.moveReplicas(this.#access, moves)
    expect(outcomes).toEqual(moves.map(() => null))
  }

  /** Asks once, as a pass does; the places once nothing is on its way any more. `while`: what goes on meanwhile. */
  async toFactor(
    topic: string,
    factor: number,
    meanwhile: () => Promise<void>,
  ): Promise<readonly PartitionPlace[]> {
    await this.move(movesToFactor(await this.places(topic), () => factor, [0, 1, 2]).moves)
    const settled = await eventually(
      `${factor} replicas`,
      async () => {
        await meanwhile()
        return (await this.places(topic)).partitions
      },
      found => found.every(({ isMoving }) => !isMoving),
    )
    return settled
  }
}

async function made(cluster: BrokerCluster, topic: string): Promise<void> {
  const client = await cluster.connect(0)
  await eventually(
    'three brokers',
    () => client.metadata(),
    ({ brokers }) => brokers.length === 3,
  )
  await client.createTopics([{ name: topic, partitions: partitionCount, replicas: 1 }])
}

test('a topic comes from one replica to three and back under load, and nothing acknowledged is gone', async () => {
  await withCluster(await BrokerCluster.start(3), async cluster => {
    await made(cluster, 'grows')
    const operator = new Operator(cluster)
    const load = new Load(cluster, 'grows')
    await load.round()
    const round = (): Promise<void> => load.round()
    for (const factor of [3, 1]) {
      const places = await operator.toFactor('grows', factor, round)
      for (const { replicas } of places) expect(new Set(replicas).size).toBe(factor)
      await load.round()
      await load.expectAll()
    }
    operator.brokers.close()
  })
}, 300_000)

test('what a reassignment brings is held back by the rates, acks=all is not, and it is called off', async () => {
  // Long ones: what was fetched counts until the rate is taken away.
  const windows = { 'replication.quota.window.num': '3600' }
  await withCluster(await BrokerCluster.start(3, windows), async cluster => {
    await made(cluster, 'slow')
    const operator = new Operator(cluster)
    const load = new Load(cluster, 'slow')
    // More than one fetch of a follower takes, so that it has not all of it before the rate counts.
    const big = encodeBatch({ records: [{ key: 'k', value: 'x'.repeat(900_000) }] })
    for (let partition = 0; partition < partitionCount; partition++) {
      for (let left = 3; left > 0; left--) await load.send(partition, big)
    }
    const before = await operator.places('slow')
    await operator.configure('follower.replication.throttled.rate', '1')
    await operator.configure('replication.throttled.reassignments.enable', 'true')
    await operator.move(movesToFactor(before, () => 2, [0, 1, 2]).moves)
    // Of one replica one needs to have it, as before.
    for (let rounds = 3; rounds > 0; rounds--) await load.round()
    const during = await operator.places('slow')
    expect(during.partitions.map(({ isMoving }) => isMoving)).toEqual([true, true, true, true])
    // Another one in place of the first: who came by the first was not there before either.
    const [{ replicas }] = during.partitions as [PartitionPlace]
    const others = [0, 1, 2].filter(id => !replicas.includes(id))
    await operator.move([{ topic: 'slow', index: 0, replicas: others }])
    await operator.move(
      during.partitions.map(({ topic, index }) => ({ topic, index, replicas: null })),
    )
    expect((await operator.places('slow')).partitions).toEqual(before.partitions)
    // Called off again there is nothing to do.
    await operator.move([{ topic: 'slow', index: 0, replicas: null }])
    await operator.configure('follower.replication.throttled.rate', null)
    const places = await operator.toFactor('slow', 2, () => load.round())
    for (const { replicas } of places) expect(replicas).toHaveLength(2)
    await load.expectAll()
    operator.brokers.close()
  })
}, 300_000)
