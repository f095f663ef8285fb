import { equal } from 'node:assert/strict'
import { join } from 'node:path'
import { kitFolder } from '../../tools/clients.ts'
import { startKafka } from '../../tools/kafka.ts'
import { run } from '../helpers/run.ts'
import {
  consumeLines,
  createTopic,
  expectIn,
  fileOf,
  type Job,
  produceLines,
  type Site,
  told,
  tool,
  tools,
  topics,
} from './job.ts'
import { Program, writeProperties } from './surroundings.ts'

const mirrored = 'a topic is mirrored with its records, its 2 partitions, and its configs'

export const otherJobs: readonly Job[] = [
  {
    tool: 'MirrorMaker 2',
    name: 'mirror-from-kafka',
    proves: `${mirrored}, from Apache Kafka`,
    kit: 'surroundings',
    note: 'replication factors of its topics are 1',
    quick: false,
    run: site => withKafka(kafka => mirror(site, kafka, site.address)),
  },
  {
    tool: 'MirrorMaker 2',
    name: 'mirror-to-kafka',
    proves: `${mirrored}, to Apache Kafka`,
    kit: 'surroundings',
    note: 'replication factors of its topics are 1',
    quick: false,
    run: site => withKafka(kafka => mirror(site, site.address, kafka)),
  },
  {
    tool: 'Kafka Streams',
    name: 'streams-word-count',
    proves: 'words are counted on over a restart, from the store that its changelog brings back',
    kit: 'surroundings',
    note: null,
    quick: false,
    run: wordCount,
  },
  {
    tool: 'kminion, kafka_exporter, Burrow',
    name: 'watchers',
    proves:
      'log-dir sizes, end offsets, the lag of a group, and its commits read from `__consumer_offsets`',
    kit: 'go',
    note: 'do not scrape kafka_exporter beside our own `/metrics`: both tell series of the same names',
    quick: true,
    run: watchers,
  },
]

async function withKafka(act: (address: string) => Promise<void>): Promise<void> {
  const kafka = await startKafka()
  try {
    await act(kafka.address)
  } finally {
    await kafka.stop()
  }
}

async function mirror(site: Site, from: string, to: string): Promise<void> {
  const [source, target] = [from, to].map(address => ({ ...site, address })) as [Site, Site]
  const configs = {
    'retention.ms': '7654321',
    'max.message.bytes': '500000',
    'segment.ms': '99999',
  }
  const given = Object.entries(configs).flatMap(pair => ['--config', pair.join('=')])
  await createTopic(source, 'orders', '--partitions', '2', ...given)
  await produceLines(source, 'orders', ['1', '2', '3', '4', '5'])
  const factors = ['', 'checkpoints.topic.', 'heartbeats.topic.', 'offset-syncs.topic.']
  const stores = ['offset', 'status', 'config'].map(what => `${what}.storage.`)
  const properties = writeProperties(site, 'mm2.properties', {
    clusters: 'here, there',
    'here.bootstrap.servers': from,
    'there.bootstrap.servers': to,
    'here->there.enabled': 'true',
    'here->there.topics': 'orders',
    'there->here.enabled': 'false',
    'refresh.topics.interval.seconds': '1',
    'sync.topic.configs.interval.seconds': '1',
    ...Object.fromEntries([...factors, ...stores].map(what => [`${what}replication.factor`, '1'])),
  })
  await using program = new Program('org.apache.kafka.connect.mirror.MirrorMaker', [properties])
  const described = async (): Promise<string> =>
    (await tool(target, topics, '--describe', '--topic', 'here.orders')).stdout
  await program.until('the mirror is made', async () =>
    (await described()).includes('retention.ms=7654321'),
  )
  const pairs = Object.entries(configs).map(pair => pair.join('='))
  expectIn(await described(), 'PartitionCount: 2', ...pairs)
  equal((await consumeLines(target, 'here.orders', 5)).toSorted().join(), '1,2,3,4,5')
}

async function wordCount(site: Site): Promise<void> {
  const [input, output] = ['streams-plaintext-input', 'streams-wordcount-output']
  await createTopic(site, input, '--partitions', '2')
  await createTopic(site, output, '--partitions', '1', '--config', 'cleanup.policy=compact')
  // Where the second process finds no store, so that only the changelog can have the counts.
  const [first, second] = ['first', 'second'].map(name =>
    writeProperties(site, `${name}.properties`, {
      'bootstrap.servers': site.address,
      'state.dir': fileOf(site, name),
      'commit.interval.ms': '200',
    }),
  ) as [string, string]
  const main = 'org.apache.kafka.streams.examples.wordcount.WordCountDemo'
  const counts = async (word: string, count: number): Promise<boolean> => {
    const long = 'org.apache.kafka.common.serialization.LongDeserializer'
    const format = ['print.key=true', `value.deserializer=${long}`]
    const limit = ['--timeout-ms', '5000']
    const given = format.flatMap(one => ['--formatter-property', one])
    // Of a partition, since a group takes seconds to form.
    const from = ['--topic', output, '--partition', '0', '--offset', 'earliest']
    const { stdout } = await tool(
      site,
      `${tools}.consumer.ConsoleConsumer`,
      ...from,
      ...given,
      ...limit,
    )
    return stdout.split('\n').includes(`${word}\t${count}`)
  }
  {
    await using program = new Program(main, [first])
    await produceLines(site, input, ['hello kafka streams', 'all streams lead to kafka'])
    await program.until('the first counts', () => counts('kafka', 2))
  }
  await using program = new Program(main, [second])
  await produceLines(site, input, ['join kafka again'])
  await program.until('the count goes on', () => counts('kafka', 3))
}

interface Seen {
  readonly sizeBytes: Readonly<Record<string, number>>
  readonly usableBytes: number
  readonly endOffsets: Readonly<Record<string, number>>
  readonly state: string
  readonly lag: number
  readonly committed: Readonly<Record<string, number>>
}

async function watchers(site: Site): Promise<void> {
  await createTopic(site, 'watched', '--partitions', '1')
  await produceLines(site, 'watched', ['1', '2', '3', '4', '5'])
  await consumeLines(site, 'watched', 3, '--group', 'late')
  await told(site, topics, '--describe', '--topic', '__consumer_offsets')
  const { stdout } = await run(join(kitFolder('go'), 'watch'), [site.address, 'late'])
  const seen = JSON.parse(stdout) as Seen
  equal(seen.sizeBytes['watched']! > 61, true)
  equal(seen.usableBytes > 0, true)
  equal(seen.endOffsets['watched'], 5)
  equal(seen.state, 'Empty')
  equal(seen.lag, 2)
  equal(seen.committed['watched'], 3)
}
