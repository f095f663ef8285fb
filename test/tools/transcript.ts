import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { createTopics } from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { Cluster } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { tools } from './job.ts'
import type { ToolsProcess } from './tools-process.ts'

/** What each command said, line by line, without what is chance or a place. */
export type Transcript = Readonly<Record<string, readonly string[]>>

/** How the brokers of a transcript are started, whoever made them. */
export const transcriptSettings: Readonly<Record<string, string>> = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'default.replication.factor': '3',
  'num.partitions': '2',
}

const classes = {
  'kafka-topics': `${tools}.TopicCommand`,
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-log-dirs': `${tools}.LogDirsCommand`,
  'kafka-reassign-partitions': `${tools}.reassign.ReassignPartitionsCommand`,
  'kafka-leader-election': `${tools}.LeaderElectionCommand`,
  'kafka-metadata-quorum': `${tools}.MetadataQuorumCommand`,
  'kafka-cluster': `${tools}.ClusterTool`,
  'kafka-features': `${tools}.FeatureCommand`,
  'kafka-consumer-groups': `${tools}.consumer.group.ConsumerGroupCommand`,
  'kafka-groups': `${tools}.GroupsCommand`,
  'kafka-get-offsets': `${tools}.GetOffsetShell`,
  'kafka-transactions': `${tools}.TransactionsCommand`,
} as const

type Tool = keyof typeof classes

/** Kafka's command line on three brokers with ids 0, 1 and 2: whole, with one dead, and whole again. */
export class Typist {
  readonly #cluster: Cluster
  readonly #process: ToolsProcess
  readonly #folder: string
  readonly #client: BrokerClient
  readonly #transcript: Record<string, string[]> = {}

  /** Writes its plans into `folder`. */
  static async type(cluster: Cluster, process: ToolsProcess, folder: string): Promise<Transcript> {
    const typist = new Typist(cluster, process, folder, await cluster.connect(0))
    await typist.#makeTopics()
    await typist.#whole()
    await typist.#configs()
    await typist.#groups()
    await typist.#reassign()
    await cluster.broker(2).kill()
    await typist.#until('0,1')
    await typist.#oneDead()
    await cluster.broker(2).start()
    await typist.#until('0,1,2')
    await typist.#wholeAgain()
    return typist.#transcript
  }

  private constructor(
    cluster: Cluster,
    process: ToolsProcess,
    folder: string,
    client: BrokerClient,
  ) {
    this.#cluster = cluster
    this.#process = process
    this.#folder = folder
    this.#client = client
  }

  async #makeTopics(): Promise<void> {
    const placed = {
      wide: [
        [0, 1, 2],
        [1, 2, 0],
        [2, 0, 1],
      ],
      alone: [[1]],
    }
    const topics = Object.entries(placed).map(([name, lists]) => ({
      name,
      numPartitions: -1,
      replicationFactor: -1,
      assignments: lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
      configs: [],
    }))
    await this.#client.request(createTopics, 7, { topics, validateOnly: false })
    await this.#until('0,1,2')
    const records = Array.from({ length: 5 }, (_, at) => ({ key: `key ${at}`, value: `${at}` }))
    const batch = encodeBatch({ records, baseTimestamp: Date.now() })
    for (const partition of [0, 1, 2]) {
      const client = await this.#cluster.connect(partition)
      await client.produce({ topic: 'wide', partition }, batch)
    }
  }

  async #whole(): Promise<void> {
    await this.#type('kafka-topics', '--list')
    await this.#type('kafka-topics', '--describe', '--topic', 'wide')
    await this.#type('kafka-topics', '--describe', '--topic', 'no-such')
    await this.#type('kafka-topics', '--describe', '--under-replicated-partitions')
    await this.#type('kafka-topics', '--create', '--topic', 'four', '--replication-factor', '4')
    await this.#type('kafka-topics', '--create', '--topic', 'wide')
    await this.#type('kafka-log-dirs', '--describe', '--topic-list', 'wide,alone')
    await this.#type('kafka-log-dirs', '--describe', '--broker-list', '1,7', '--topic-list', 'wide')
    await this.#elect('--topic', 'wide', '--partition', '0', '--election-type', 'preferred')
    await this.#elect('--topic', 'wide', '--partition', '0', '--election-type', 'unclean')
    await this.#elect('--topic', 'no-such', '--partition', '0', '--election-type', 'preferred')
    await this.#type('kafka-metadata-quorum', 'describe', '--status')
    await this.#type('kafka-metadata-quorum', 'describe', '--replication')
    await this.#cluster_('cluster-id')
    await this.#cluster_('list-endpoints')
    await this.#cluster_('unregister', '--id', '7')
    await this.#type('kafka-features', 'describe')
    await this.#type('kafka-transactions', 'list')
    await this.#type('kafka-get-offsets', '--topic', 'wide')
    await this.#type('kafka-get-offsets', '--topic', 'wide', '--time', 'earliest')
  }

  async #configs(): Promise<void> {
    const of = (type: string, name: string | null): string[] => {
      const entity = name === null ? ['--entity-default'] : ['--entity-name', name]
      return ['--entity-type', type, ...entity]
    }
    for (const [type, name, config] of [
      ['topics', 'wide', 'retention.ms=7000000'],
      ['brokers', '1', 'log.retention.ms=88888'],
      ['brokers', null, 'log.segment.bytes=2000000'],
    ] as const) {
      await this.#type('kafka-configs', '--alter', ...of(type, name), '--add-config', config)
      await this.#type('kafka-configs', '--describe', ...of(type, name))
      const [removed] = config.split('=')
      await this.#type('kafka-configs', '--alter', ...of(type, name), '--delete-config', removed!)
    }
    await this.#type('kafka-configs', '--describe', ...of('brokers', '7'))
    await this.#type('kafka-configs', '--describe', ...of('topics', 'no-such'))
    await this.#type('kafka-configs', '--alter', ...of('topics', 'wide'), '--add-config', 'a=b')
    await this.#type('kafka-configs', '--describe', '--entity-type', 'brokers')
  }

  async #groups(): Promise<void> {
    const group = ['--group', 'readers']
    const reset = ['--reset-offsets', '--topic', 'wide', '--execute']
    await this.#type('kafka-consumer-groups', ...group, ...reset, '--shift-by', '2')
    await this.#type('kafka-consumer-groups', ...group, ...reset, '--to-latest')
    await this.#type('kafka-consumer-groups', '--list', '--state')
    await this.#type('kafka-groups', '--list')
    await this.#type('kafka-consumer-groups', '--describe', ...group)
    await this.#type('kafka-consumer-groups', '--describe', ...group, '--members')
    await this.#type('kafka-consumer-groups', '--describe', ...group, '--state')
    await this.#type('kafka-consumer-groups', '--describe', '--group', 'no-such')
    await this.#type('kafka-consumer-groups', ...group, '--delete-offsets', '--topic', 'wide:0')
    await this.#type('kafka-consumer-groups', ...group, '--delete')
    await this.#type('kafka-consumer-groups', ...group, '--delete')
  }

  async #reassign(): Promise<void> {
    await this.#move('alone', [1], '--verify')
    await this.#move('alone', [0, 2], '--execute')
    await this.#untilReplicas('alone', '0,2')
    await this.#move('alone', [0, 2], '--verify')
    await this.#move('alone', [0, 7], '--execute')
    await this.#move('no-such', [0], '--execute')
    await this.#move('alone', [0, 2], '--cancel')
    await this.#type('kafka-reassign-partitions', '--list')
    await this.#type('kafka-topics', '--describe', '--topic', 'alone')
  }

  async #oneDead(): Promise<void> {
    await this.#type('kafka-topics', '--describe', '--topic', 'wide')
    const states = ['under-replicated', 'unavailable', 'under-min-isr', 'at-min-isr']
    for (const state of states) {
      const shown = ['--describe', `--${state}-partitions`, '--exclude-internal']
      await this.#type('kafka-topics', ...shown)
    }
    await this.#elect('--topic', 'wide', '--partition', '2', '--election-type', 'preferred')
    await this.#elect('--topic', 'wide', '--partition', '2', '--election-type', 'unclean')
    await this.#type('kafka-log-dirs', '--describe', '--topic-list', 'alone')
    await this.#type('kafka-metadata-quorum', 'describe', '--status')
    await this.#cluster_('list-endpoints')
    await this.#cluster_('list-endpoints', '--include-fenced-brokers')
    await this.#type('kafka-get-offsets', '--topic', 'wide')
    await this.#type('kafka-topics', '--create', '--topic', 'three', '--replication-factor', '3')
    // It stays under way as long as the broker is away.
    await this.#move('alone', [0, 1, 2], '--execute')
    await this.#type('kafka-topics', '--describe', '--topic', 'alone')
  }

  async #wholeAgain(): Promise<void> {
    await this.#type('kafka-topics', '--describe', '--under-replicated-partitions')
    await this.#elect('--topic', 'wide', '--partition', '2', '--election-type', 'preferred')
    await this.#elect('--all-topic-partitions', '--election-type', 'unclean')
    await this.#type('kafka-topics', '--delete', '--topic', 'wide')
    await this.#type('kafka-topics', '--delete', '--topic', 'wide')
  }

  #elect(...args: string[]): Promise<void> {
    return this.#type('kafka-leader-election', ...args)
  }

  /** Its options follow what it is to do. */
  #cluster_(what: string, ...args: string[]): Promise<void> {
    const server = ['--bootstrap-server', this.#servers]
    return this.#run('kafka-cluster', [what, ...args], [what, ...server, ...args])
  }

  #move(topic: string, replicas: readonly number[], how: string): Promise<void> {
    const file = join(this.#folder, 'plan.json')
    const partitions = [{ topic, partition: 0, replicas }]
    writeFileSync(file, JSON.stringify({ version: 1, partitions }))
    const server = ['--bootstrap-server', this.#servers]
    const given = [...server, how, '--reassignment-json-file', file]
    return this.#run('kafka-reassign-partitions', [how, topic, replicas.join()], given)
  }

  #type(tool: Tool, ...args: string[]): Promise<void> {
    return this.#run(tool, args, ['--bootstrap-server', this.#servers, ...args])
  }

  /** Those that always run. */
  get #servers(): string {
    return [0, 1].map(id => this.#cluster.broker(id).address).join()
  }

  async #run(tool: Tool, shown: readonly string[], given: readonly string[]): Promise<void> {
    const { status, text } = await this.#process.run(classes[tool], ...given)
    const command = [tool, ...shown].join(' ')
    let label = command
    for (let time = 2; label in this.#transcript; time++) label = `${command} (${time})`
    this.#transcript[label] = [`status ${status}`, ...this.#withoutChance(text)]
  }

  #withoutChance(text: string): string[] {
    let plain = text
    for (const [id, { address, dataDir }] of this.#cluster.brokers.entries()) {
      const [host, port] = address.split(':')
      plain = plain.replaceAll(dataDir, `<dir ${id}>`).replaceAll(address, `<broker ${id}>`)
      plain = plain.replaceAll(new RegExp(`${host}(\\s+)${port}`, 'g'), `<broker ${id}>`)
    }
    const lines = plain.split('\n').map(line => {
      const shown = masks.reduce((masked, [what, by]) => masked.replaceAll(what, by), line)
      return shown.replaceAll(/\s+/g, ' ').trim()
    })
    return lines.filter(line => line !== '')
  }

  /** Whose in-sync replicas are these, of the topic that is on all brokers. */
  async #until(ids: string): Promise<void> {
    const look = async () => (await this.#client.metadata(['wide'])).topics[0]!.partitions
    await eventually(`in sync: ${ids}`, look, partitions => {
      return partitions.length === 3 && partitions.every(({ isrNodes }) => sorted(isrNodes) === ids)
    })
  }

  async #untilReplicas(topic: string, ids: string): Promise<void> {
    const look = async () => (await this.#client.metadata([topic])).topics[0]!.partitions[0]!
    await eventually(`replicas ${ids}`, look, ({ replicaNodes, isrNodes }) => {
      return sorted(replicaNodes) === ids && sorted(isrNodes) === ids
    })
  }
}

const sorted = (ids: readonly number[]): string => ids.toSorted((a, b) => a - b).join()

/** What two clusters, or two runs of one, cannot have in common. */
const masks: readonly (readonly [RegExp, string])[] = [
  [/TopicId: [\w-]{22}/g, 'TopicId: <id>'],
  [/(Cluster ?I[Dd]:\s+)[\w-]{22}/g, '$1<id>'],
  [/"size":\d+/g, '"size":<bytes>'],
]
