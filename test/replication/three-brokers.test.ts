import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { isStray, replicaBytes, replicaFolder } from '../helpers/replica-bytes.ts'

const topic = 'copied'
const partitionCount = 3

/** What brokers tell of a partition. */
interface PartitionState {
  readonly partitionIndex: number
  readonly leaderId: number
  readonly isrNodes: readonly number[]
}

/** Asks whichever broker answers, and forgets connections that broke. */
class Asking {
  readonly #cluster: BrokerCluster
  readonly #clients = new Map<number, BrokerClient>()

  constructor(cluster: BrokerCluster) {
    this.#cluster = cluster
  }

  async client(id: number): Promise<BrokerClient> {
    let client = this.#clients.get(id)
    if (client?.isOpen !== true) this.#clients.set(id, (client = await this.#cluster.connect(id)))
    return client
  }

  /** As a broker that runs knows them; none where it answers nothing. */
  async partitions(): Promise<readonly PartitionState[]> {
    for (const [id, broker] of this.#cluster.brokers.entries()) {
      if (!broker.isRunning) continue
      const { topics } = await (await this.client(id)).metadata([topic])
      const found = topics[0]!.partitions
      if (found.length === partitionCount)
        return found.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    }
    return []
  }

  /** Produces with acks=all until it is acknowledged; resolves to the offset. A batch may be there twice. */
  async produce(partition: number, value: string): Promise<number> {
    const batch = encodeBatch({ records: [{ key: 'k', value }] })
    let offset = -1
    const attempt = async (): Promise<string> => {
      const leader = (await this.partitions())[partition]?.leaderId ?? -1
      if (leader === -1) return 'no leader'
      try {
        const client = await this.client(leader)
        const answer = await client.produce({ topic, partition }, batch)
        offset = answer.baseOffset
        return errorName(answer.errorCode)
      } catch (error) {
        return String(error)
      }
    }
    await eventually('an acknowledgement', attempt, answer => answer === 'NONE')
    return offset
  }

  /** When every partition has a leader and all brokers in sync. */
  insync(brokers: readonly number[]): Promise<readonly PartitionState[]> {
    const isSo = (seen: readonly PartitionState[]): boolean =>
      seen.length === partitionCount &&
      seen.every(({ isrNodes, leaderId }) => {
        const all = isrNodes.toSorted((a, b) => a - b)
        return brokers.includes(leaderId) && String(all) === String(brokers)
      })
    return eventually(`${brokers.join(', ')} in sync`, () => this.partitions(), isSo)
  }
}

function folderOf(broker: TestBroker, partition: number): string {
  return replicaFolder(broker, `${topic}-${partition}`)
}

function logOf(broker: TestBroker, partition: number): Buffer {
  return replicaBytes(broker, `${topic}-${partition}`)
}

/** I-1: the same bytes on all of them, as soon as the followers have them. */
async function expectSameLogs(brokers: readonly TestBroker[]): Promise<void> {
  for (let partition = 0; partition < partitionCount; partition++) {
    const logs = await eventually(
      `the same log of partition ${partition}`,
      () => brokers.map(broker => logOf(broker, partition)),
      ([first, ...others]) => others.every(other => other.equals(first!)),
    )
    expect(logs[0]!.length).toBeGreaterThan(0)
  }
}

test('three brokers have the same logs; where one is killed another leads, and nothing acknowledged is gone', async () => {
  await withCluster(await BrokerCluster.start(3), async cluster => {
    const asking = new Asking(cluster)
    const first = await asking.client(0)
    await eventually(
      'three brokers',
      () => first.metadata(),
      ({ brokers }) => brokers.length === 3,
    )
    await first.createTopics([{ name: topic, partitions: partitionCount, replicas: 3 }])
    const acknowledged = new Map<string, string>()
    let count = 0
    const produce = async (batches: number): Promise<void> => {
      for (let left = batches; left > 0; left--) {
        const [partition, value] = [count % partitionCount, `value ${count++}`]
        const offset = await asking.produce(partition, value)
        acknowledged.set(`${partition}/${offset}`, value)
      }
    }
    const before = await asking.insync([0, 1, 2])
    await produce(60)
    await expectSameLogs(cluster.brokers)

    const killed = before[0]!.leaderId
    await cluster.broker(killed).kill()
    const others = [0, 1, 2].filter(id => id !== killed)
    await produce(60)
    for (const { leaderId } of await asking.insync(others)) expect(others).toContain(leaderId)

    await cluster.broker(killed).start()
    const after = await asking.insync([0, 1, 2])
    await produce(60)
    await expectSameLogs(cluster.brokers)
    for (const [place, value] of acknowledged) {
      const [partition, offset] = place.split('/').map(Number)
      const client = await asking.client(after[partition!]!.leaderId)
      const { records } = await client.fetch({ topic, partition: partition! }, offset!)
      expect(Buffer.from(records).includes(value)).toBe(true)
    }
  })
})

test('what a broker lost of its disk is filled by those who have it, and leads nowhere before', async () => {
  await withCluster(await BrokerCluster.start(3), async cluster => {
    const asking = new Asking(cluster)
    const first = await asking.client(0)
    await eventually(
      'three brokers',
      () => first.metadata(),
      ({ brokers }) => brokers.length === 3,
    )
    await first.createTopics([{ name: topic, partitions: partitionCount, replicas: 3 }])
    await asking.insync([0, 1, 2])
    for (let at = 0; at < 30; at++) await asking.produce(at % partitionCount, `value ${at}`)
    await expectSameLogs(cluster.brokers)
    const whole = [0, 1, 2].map(partition => logOf(cluster.broker(2), partition))

    const loser = cluster.broker(2)
    await loser.stop()
    const damaged = join(folderOf(loser, 0), '00000000000000000000.log')
    truncateSync(damaged, Math.floor(statSync(damaged).size / 2))
    rmSync(folderOf(loser, 1), { recursive: true })
    await loser.start()
    await asking.insync([0, 1, 2])
    await expectSameLogs(cluster.brokers)
    for (const [partition, bytes] of whole.entries()) {
      expect(logOf(loser, partition).subarray(0, bytes.length).equals(bytes)).toBe(true)
    }
    // What was left of the damaged one is kept.
    expect(readdirSync(loser.dataDir).filter(isStray)).toHaveLength(1)
  })
})
