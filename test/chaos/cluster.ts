import { setTimeout as sleep } from 'node:timers/promises'
import { readCluster } from '../../src/cli/status/read-cluster.ts'
import type { ClusterFacts, PartitionFacts } from '../../src/cli/status/health.ts'
import { errorClassOf } from '../../src/broker/wire/client/client-error.ts'
import type { BrokerCluster } from '../helpers/broker-cluster.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { replicaBytes } from '../helpers/replica-bytes.ts'
import type { ChaosWorld } from './world.ts'

/** For what hangs: a cluster that was healed is whole again within seconds, on a loaded machine several times that. */
const wholeMsMax = 180_000

/** The brokers of a run, as its faults and its judgement need them. */
export class ChaosCluster {
  readonly brokers: readonly TestBroker[]
  readonly metadataDir: string
  readonly #world: ChaosWorld

  constructor({ brokers, metadataDir }: BrokerCluster, world: ChaosWorld) {
    this.brokers = brokers
    this.metadataDir = metadataDir
    this.#world = world
  }

  /** As any broker that answers knows it. */
  async facts(): Promise<ClusterFacts> {
    for (;;) {
      try {
        return await this.#world.ask(({ wire }) => readCluster(wire))
      } catch (error) {
        if (errorClassOf(error) === 'final') throw error
        await sleep(100)
      }
    }
  }

  /** Resolves when every broker is there, every partition led, and every replica in sync. */
  async whole(): Promise<readonly PartitionFacts[]> {
    const { partitions } = await eventually(
      'a whole cluster',
      () => this.facts(),
      facts => isWhole(facts, this.brokers.length),
      wholeMsMax,
    )
    return partitions
  }

  /** What is different between the replicas of a partition, as soon as those who follow have all; null where nothing is (I7). */
  async difference({ topic, index, replicas, leader }: PartitionFacts): Promise<string | null> {
    const partition = `${topic}-${index}`
    const logs = (): (Buffer | null)[] => replicas.map(id => readable(this.brokers[id]!, partition))
    try {
      await eventually('the same bytes', logs, ([first, ...rest]) => {
        return first !== null && rest.every(other => other?.equals(first!) === true)
      })
      return null
    } catch {
      const said = logs().map(
        (log, at) => `broker ${replicas[at]} has ${log?.length ?? 'no'} bytes`,
      )
      return `${partition}: ${said.join(', ')}; broker ${leader} leads`
    }
  }
}

/** Null where a file went between two looks. */
function readable(broker: TestBroker, partition: string): Buffer | null {
  try {
    return replicaBytes(broker, partition)
  } catch {
    return null
  }
}

function isWhole({ brokers, partitions }: ClusterFacts, count: number): boolean {
  return (
    brokers.filter(({ isFenced }) => !isFenced).length === count &&
    partitions.every(({ leader, replicas, inSync }) => {
      return leader !== -1 && inSync.length === replicas.length
    })
  )
}
