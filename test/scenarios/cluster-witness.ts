import type { Api, Draft, Fields, Infer } from '../../src/broker/wire/field.ts'
import {
  type createTopics,
  type deleteTopics,
  describeGroups,
  type metadata,
  offsetFetch,
} from '../../src/broker/wire/messages/index.ts'
import { errorName, errors } from '../../src/broker/wire/errors.ts'
import { WireClientError } from '../../src/broker/wire/client/client-error.ts'
import type { BrokerClient, PartitionId, Produced } from '../helpers/broker-client.ts'
import { askCoordinator, type Cluster } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Witness } from './ground.ts'

type Metadata = Infer<typeof metadata.response>
type CreateWish = Parameters<BrokerClient['createTopics']>[0]
type Offset = Awaited<ReturnType<BrokerClient['listOffset']>>

/**
 * Our own client on several brokers of which one may be dead: asks leaders and coordinators, asks again what a broker that
 * is not yet or no longer in its office refused, and takes for the cluster's what all brokers that run agree on.
 */
export class ClusterWitness implements Witness {
  readonly #cluster: Cluster
  readonly #clients = new Map<number, BrokerClient>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async produce(to: PartitionId, records: Uint8Array, acks: -1 | 1 = -1): Promise<Produced> {
    return this.#atLeader(to, client => client.produce(to, records, acks))
  }

  listOffset(of: PartitionId, timestamp: number | bigint): Promise<Offset> {
    return this.#atLeader(of, client => client.listOffset(of, timestamp))
  }

  /** With a replica on every broker. */
  async createTopics(wishes: CreateWish): Promise<Infer<typeof createTopics.response>> {
    const replicas = this.#cluster.brokers.length
    const all = wishes.map(wish => ({ replicas, ...wish }))
    const answer = await this.#anywhere(client => client.createTopics(all))
    await this.metadata(wishes.map(({ name }) => name))
    return answer
  }

  deleteTopics(names: readonly string[]): Promise<Infer<typeof deleteTopics.response>> {
    return this.#anywhere(client => client.deleteTopics(names))
  }

  /** As soon as all brokers that run tell the same; one of them is the controller, who knows. */
  async metadata(names: readonly string[] | null = null): Promise<Metadata> {
    const look = async (): Promise<readonly Metadata[]> => {
      const ids = this.#running()
      const answers = ids.map(async id => (await this.client(id)).metadata(names))
      return Promise.all(answers).catch(passOver)
    }
    const isAgreed = ([first, ...others]: readonly Metadata[]): boolean =>
      first !== undefined && others.every(other => told(other) === told(first))
    const [agreed] = await eventually('brokers that agree', look, isAgreed)
    return agreed!
  }

  /** What is about groups is asked of their coordinator. */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    value: Draft<Request>,
  ): Promise<Infer<Response>> {
    const group = groupOf(api, value)
    if (group === null) return this.#anywhere(client => client.request(api, version, value))
    return this.#tried(`the coordinator of ${group}`, async () => {
      const client = await this.client(await this.coordinatorOf(group))
      return client.request(api, version, value)
    })
  }

  close(): void {
    for (const client of this.#clients.values()) client.close()
  }

  async client(id: number): Promise<BrokerClient> {
    let client = this.#clients.get(id)
    if (client?.isOpen !== true) this.#clients.set(id, (client = await this.#cluster.connect(id)))
    return client
  }

  async leaderOf({ topic, partition }: PartitionId): Promise<number> {
    const look = async (): Promise<number> => {
      const { topics } = await this.metadata([topic])
      const found = topics[0]?.partitions.find(one => one.partitionIndex === partition)
      return found?.leaderId ?? -1
    }
    return eventually(`a leader of ${topic}-${partition}`, look, id => this.#runs(id))
  }

  async coordinatorOf(group: string): Promise<number> {
    const look = async () => {
      const [id] = this.#running()
      return askCoordinator(await this.client(id!), group)
    }
    const isThere = (seen: Awaited<ReturnType<typeof look>>): boolean =>
      typeof seen !== 'string' && this.#runs(seen.id)
    const found = await eventually(`a coordinator of ${group}`, look, isThere)
    if (typeof found === 'string') throw new Error(found)
    return found.id
  }

  #running(): number[] {
    return [...this.#cluster.brokers.keys()].filter(id => this.#runs(id))
  }

  #runs(id: number): boolean {
    return this.#cluster.brokers[id]?.isRunning === true
  }

  #anywhere<Result>(act: (client: BrokerClient) => Promise<Result>): Promise<Result> {
    return this.#tried('an answer', async () => act(await this.client(this.#running()[0]!)))
  }

  #atLeader<Result extends { readonly errorCode: number }>(
    of: PartitionId,
    act: (client: BrokerClient) => Promise<Result>,
  ): Promise<Result> {
    return this.#tried(`${of.topic}-${of.partition}`, async () => {
      const answer = await act(await this.client(await this.leaderOf(of)))
      return errors[errorName(answer.errorCode)].retriable ? null : answer
    })
  }

  /** Again while it resolves to null, or the connection breaks. */
  async #tried<Result>(what: string, act: () => Promise<Result | null>): Promise<Result> {
    const found = await eventually(
      what,
      async () => {
        try {
          return { result: await act() }
        } catch (error) {
          if (error instanceof WireClientError) return { result: null }
          throw error
        }
      },
      ({ result }) => result !== null,
    )
    return found.result!
  }
}

function groupOf(api: unknown, value: unknown): string | null {
  if (api === offsetFetch) return (value as { groups: { groupId: string }[] }).groups[0]!.groupId
  return api === describeGroups ? (value as { groups: string[] }).groups[0]! : null
}

function passOver(error: unknown): readonly Metadata[] {
  if (error instanceof WireClientError) return []
  throw error
}

/** What must be the same on all brokers; each tells its topics in an order of its own. */
function told({ brokers, topics }: Metadata): string {
  const sorted = topics.toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
  const ids = brokers.map(({ nodeId }) => nodeId).toSorted((a, b) => a - b)
  return JSON.stringify([ids, sorted])
}
