import { errorName } from '../../../src/broker/wire/errors.ts'
import { brokerLabel, brokerSelector } from '../../../src/operator/desired/labels.ts'
import type { Node as KubernetesNode, Pod } from '../../../src/operator/kubernetes/objects.ts'
import type { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually } from '../../helpers/eventually.ts'
import type { Node } from '../node/node.ts'
import { installChart, operatorNamespace } from './installed.ts'
import { Orders } from './orders.ts'
import { sharedAccess, sharedCluster } from './shared.ts'

/** For what a whole cluster goes through: a node that dies is forgotten by Kubernetes a minute later. */
export const longMs = 240_000

/** On a machine that does much else. */
const bootMs = 120_000

/** Prints how long `act` took. */
export async function timed(what: string, act: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  await act()
  console.log(`${what}: ${Math.round(performance.now() - began)} ms`)
}

/** A broker, and the node that it runs on. */
export interface Placed {
  readonly broker: string
  readonly node: Node
}

export interface PartitionSight {
  /** `topic-index` */
  readonly name: string
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

/** The LogCluster `orders` with several brokers, each on a node of its own, and what befalls those nodes. */
export class Several extends Orders {
  constructor(namespace: string, exampleName = 'three-brokers.yaml') {
    super(namespace, exampleName)
  }

  /** With the operator that looks after it, a topic that its load does not use, and nothing left to do. */
  async begin(topic = 'many', partitions = 12): Promise<void> {
    await installChart()
    await this.make()
    await this.makeTopic(topic, partitions)
    await this.until('Stable', 'True Stable')
  }

  /** Of its brokers, by name. */
  async pods(): Promise<readonly Pod[]> {
    const label = Object.entries(brokerSelector('orders')).map(each => each.join('='))
    const text = await this.kubectl('get', 'pods', '-l', label.join(','), '-o', 'json')
    return (JSON.parse(text) as { items: Pod[] }).items
  }

  async uids(): Promise<readonly string[]> {
    return (await this.pods()).map(({ metadata }) => metadata.uid)
  }

  /** Changes with each pod, and each start of its container. */
  async starts(): Promise<readonly string[]> {
    return (await this.pods()).map(({ metadata, status }) => {
      return `${metadata.uid} ${status?.containerStatuses?.[0]?.restartCount}`
    })
  }

  /** Whose disks the first three brokers have. */
  identities(): Promise<readonly object[]> {
    return Promise.all([0, 1, 2].map(slot => this.identity(`orders-main-${slot}`)))
  }

  async placed(): Promise<readonly Placed[]> {
    return (await this.pods()).map(({ metadata, spec }) => ({
      broker: metadata.labels![brokerLabel]!,
      node: sharedCluster().node(spec!.nodeName!),
    }))
  }

  /**
   * Brokers whose nodes can go while everything that a test needs goes on: the operator, and this machine's way to Services, which
   * leads over the first node.
   */
  async expendable(): Promise<readonly Placed[]> {
    const needed = new Set([sharedCluster().nodes[0]!.name, await nodeOfOperator()])
    return (await this.placed()).filter(({ node }) => !needed.has(node.name))
  }

  /** A topic of as many copies as a new one has. */
  async makeTopic(name: string, partitions: number): Promise<void> {
    const topic = {
      apiVersion: 'logcluster.dev/v1beta1',
      kind: 'LogTopic',
      metadata: { name },
      spec: { clusterRef: { name: 'orders' }, partitions },
    }
    await sharedAccess().plane.apply([topic], this.namespace)
    await this.kubectl('wait', '--for=condition=Ready', `logtopic/${name}`, '--timeout=60s')
  }

  /** Until each partition has all of its replicas in sync. */
  untilReplicated(msMax = longMs): Promise<unknown> {
    return eventually(
      'all replicas in sync',
      () => this.#lagging(),
      found => found.length === 0,
      msMax,
    )
  }

  /** Until the operator has given up the disk of a broker, for the incarnation after `before`. */
  untilGivenUp(broker: string, before = 1): Promise<unknown> {
    return eventually(
      `incarnation ${before + 1} of ${broker}`,
      () => this.identity(broker),
      found => (found as { incarnation: string }).incarnation === `${before + 1}`,
      longMs,
    )
  }

  /** How many replicas each broker holds, by its id; whoever holds none is not there. */
  async replicaCounts(): Promise<ReadonlyMap<number, number>> {
    const counts = new Map<number, number>()
    for (const { partitions } of await this.#topics()) {
      for (const id of partitions.flatMap(({ replicaNodes }) => replicaNodes)) {
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
    }
    return counts
  }

  /** Which leader each partition has, and how many it has had: `topic-index: leader in epoch N`. */
  async leaderEpochs(): Promise<readonly string[]> {
    const told = (await this.#topics()).flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, leaderId, leaderEpoch }) => {
        return `${name}-${partitionIndex}: ${leaderId} in epoch ${leaderEpoch}`
      }),
    )
    return told.toSorted()
  }

  /** Every partition with its leader, replicas and those of them in sync, as one of the brokers tells it. @throws Error where none does */
  async partitions(): Promise<readonly PartitionSight[]> {
    return (await this.#topics()).flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
        name: `${name}-${partitionIndex}`,
        leader: leaderId,
        replicas: replicaNodes,
        inSync: isrNodes,
      })),
    )
  }

  /** Until each partition is led by the first of its replicas. */
  untilLedAsPreferred(): Promise<unknown> {
    return eventually(
      'leaders that are preferred',
      async () => (await this.partitions()).filter(each => each.leader !== each.replicas[0]),
      found => found.length === 0,
    )
  }

  /** How often each partition was elected so far, by `topic-index`. */
  async electionCounts(): Promise<ReadonlyMap<string, number>> {
    return new Map(
      (await this.#topics()).flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, leaderEpoch }) => [
          `${name}-${partitionIndex}`,
          leaderEpoch,
        ]),
      ),
    )
  }

  /** Partitions that have fewer replicas in sync than replicas, as one of the brokers tells it; or why nobody told. */
  async #lagging(): Promise<readonly string[]> {
    try {
      return (await this.#topics()).flatMap(({ errorCode, name, partitions }) => {
        if (errorCode !== 0) return [`${name}: ${errorName(errorCode)}`]
        return partitions
          .filter(({ isrNodes, replicaNodes }) => isrNodes.length < replicaNodes.length)
          .map(({ partitionIndex }) => `${name}-${partitionIndex}`)
      })
    } catch (error) {
      return [`nobody answers: ${String(error)}`]
    }
  }

  /** To whoever leads a partition; null where nobody does. */
  async connectToLeader(topic: string, partition = 0): Promise<BrokerClient | null> {
    using client = await this.connect()
    const { brokers, topics } = await client.metadata([topic])
    const found = topics[0]?.partitions.find(each => each.partitionIndex === partition)
    const leader = brokers.find(({ nodeId }) => nodeId === found?.leaderId)
    return leader === undefined ? null : this.connectTo(leader.host, leader.port, 10_000)
  }

  async #topics() {
    using client = await this.connect()
    return (await client.metadata()).topics
  }
}

export async function nodeOfOperator(): Promise<string> {
  const asked = ['get', 'pods', '-o', 'jsonpath={.items[0].spec.nodeName}']
  return (await sharedCluster().plane.kubectl(['-n', operatorNamespace, ...asked])).stdout
}

/** kubectl's own, of the brokers alone: the operator and others stay where they are. */
export function drain({ name }: Node): Promise<unknown> {
  const only = ['--pod-selector=logcluster.dev/cluster=orders', '--timeout=120s']
  const options = { timeoutMs: 150_000 }
  return sharedCluster().plane.kubectl(['drain', name, '--delete-emptydir-data', ...only], options)
}

export async function uncordon({ name }: Node): Promise<void> {
  await sharedCluster().plane.kubectl(['uncordon', name])
}

/** As who has given a machine up. */
export async function deleteNode({ name }: Node): Promise<void> {
  await sharedCluster().plane.kubectl(['delete', 'node', name, '--ignore-not-found'])
}

/** Its machine boots, and Kubernetes takes it for ready. Does nothing where it is. */
export async function boot(node: Node): Promise<void> {
  await node.kill()
  await node.start()
  const { plane } = sharedCluster()
  const asked = ['get', 'nodes', '-o', 'json']
  await eventually(
    `${node.name} is ready`,
    async () => {
      const { items } = JSON.parse((await plane.kubectl(asked)).stdout) as {
        items: KubernetesNode[]
      }
      const found = items.find(({ metadata }) => metadata.name === node.name)
      return found?.status?.conditions?.some(
        each => each.type === 'Ready' && each.status === 'True',
      )
    },
    Boolean,
    bootMs,
  )
}
