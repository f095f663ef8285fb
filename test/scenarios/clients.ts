import { join } from 'node:path'
import { type ClientName, kitFolder } from '../../tools/clients.ts'
import type { DriverProgram } from './driver-process.ts'

/** A client of the table: its driver, and what must have been fetched for it. */
export interface Client {
  readonly name: string
  readonly kit: ClientName | null
  readonly program: DriverProgram
  /** Also run on the TypeScript fallback. */
  readonly alsoOnFallback: boolean
  /** Why the library cannot restart a static member; null where it can. */
  readonly noStaticMembers: string | null
  /** How a static member has to be set up so that its restart is no rebalance; null for as the library has it. */
  readonly staticMembers: string | null
  /** What the library shows in place of the time of append; null where it shows that. */
  readonly noAppendTime: string | null
  /** Why records may come twice where a partition is handed over in order; null where none do. */
  readonly repeatsAtHandOver: string | null
  /** What an application has to do with the library before it joins a group; null for nothing. */
  readonly joinsGroups: string | null
  /** What an application has to do with the library to live through a restart of the broker; null for nothing. */
  readonly livesThroughRestart: string | null
  /** What an application has to do with the library where one of several brokers dies; null for nothing. */
  readonly livesThroughDeath: string | null
}

const drivers = join(import.meta.dirname, 'drivers')

function node(script: string): DriverProgram {
  return { command: [process.execPath, join(drivers, script)] }
}

function python(script: string, kit: ClientName): DriverProgram {
  const env = { PYTHONPATH: kitFolder(kit), PYTHONUNBUFFERED: '1', PYTHONWARNINGS: 'ignore' }
  return { command: ['python3', '-B', join(drivers, script)], env }
}

function go(name: string): DriverProgram {
  return { command: [join(kitFolder('go'), name)] }
}

const ofSarama =
  'the application sends a record again that failed while no broker was there to tell its leader: the retries of the library are of records on their way, and of metadata for less than a second'

const ofSaramaAmongSeveral =
  '`Producer.Retry.Max` 300 in place of 3, a tenth of a second apart. What it opens (an administrator, a reader of a partition, a group) is opened again where the broker that it asks is away, `Consume` is called again, and an error of `Close` is passed over'

const ofLibrdkafkaAmongSeveral =
  'the offsets of a time are asked for again where the library answers `_DESTROY_BROKER`, `_UNKNOWN_PARTITION` or `OFFSET_NOT_AVAILABLE`: it gives up what waits for a broker that the metadata no longer list, takes a partition that nobody leads yet for unknown, and hands out that a new leader knows no watermark yet'

const able = {
  alsoOnFallback: false,
  noStaticMembers: null,
  staticMembers: null,
  noAppendTime: null,
  repeatsAtHandOver: null,
  joinsGroups: null,
  livesThroughRestart: null,
  livesThroughDeath: null,
}

export const clients: readonly Client[] = [
  {
    ...able,
    name: 'kcat',
    kit: 'kcat',
    program: node('kcat.ts'),
    alsoOnFallback: true,
    livesThroughDeath:
      '`batch.num.messages` of 10: what gathers while nobody leads is one batch by itself, and too large for a small `max.message.bytes`',
  },
  {
    ...able,
    name: 'kafkajs',
    kit: 'kafkajs-codecs',
    program: node('kafkajs.ts'),
    noStaticMembers:
      'kafkajs sends a null group.instance.id with every JoinGroup: its consumer has no setting for static membership',
  },
  {
    ...able,
    name: '@platformatic/kafka',
    kit: null,
    program: node('platformatic.ts'),
    alsoOnFallback: true,
    repeatsAtHandOver:
      'the library hands out a fetch that was under way when it lost the partition',
    livesThroughRestart:
      'with `retries` for half a minute: with its default of 3, a second apart, the stream ends when the broker is away for longer',
    noAppendTime: "the library shows the producer's time also where the batch says LogAppendTime",
  },
  {
    ...able,
    name: 'confluent-kafka',
    kit: 'confluent-kafka',
    program: python('confluent.py', 'confluent-kafka'),
    livesThroughDeath: ofLibrdkafkaAmongSeveral,
  },
  {
    ...able,
    name: 'kafka-python',
    kit: 'kafka-python',
    program: python('kafka_python.py', 'kafka-python'),
    livesThroughDeath:
      'an administrator is made anew where the controller that it knows has left the metadata: it asks that one all its life',
    joinsGroups:
      'the application waits for `partitions_for_topic` before it polls: a leader that joins without metadata joins again, and where a poll ends meanwhile the library forgets that join and stops for good',
    livesThroughRestart:
      'while no broker is there, poll throws a RetriableError, and the application polls again; `reconnect_backoff_max_ms` is 1 s, its default of 30 s is longer than the scenario waits',
  },
  { ...able, name: 'aiokafka', kit: 'aiokafka', program: python('aio_kafka.py', 'aiokafka') },
  {
    ...able,
    name: 'node-rdkafka',
    kit: 'node-rdkafka',
    program: node('node-rdkafka.ts'),
    livesThroughDeath: ofLibrdkafkaAmongSeveral,
  },
  { ...able, name: 'Java tools', kit: 'java', program: node('java.ts') },
  {
    ...able,
    name: 'sarama',
    kit: 'go',
    program: go('sarama'),
    livesThroughRestart: ofSarama,
    livesThroughDeath: ofSaramaAmongSeveral,
  },
  {
    ...able,
    name: 'sarama 1.45.0',
    kit: 'go',
    program: go('sarama-1.45.0'),
    livesThroughRestart: ofSarama,
    livesThroughDeath: ofSaramaAmongSeveral,
  },
  {
    ...able,
    name: 'kafka-go',
    kit: 'go',
    program: go('kafka-go'),
    livesThroughDeath:
      'its writer has `MaxAttempts` 300 in place of 10, a tenth of a second apart, and `MetadataTTL` of half a second in place of 6; a request of its client is sent again, and its reader is asked again where it tells an error: it gives up after three attempts',
    noAppendTime: "the library shows the producer's time also where the batch says LogAppendTime",
    noStaticMembers:
      'kafka-go joins with JoinGroup version 2 at most, which has no group.instance.id',
  },
  {
    ...able,
    name: 'franz-go',
    kit: 'go',
    program: go('franz-go'),
    livesThroughDeath:
      'an error that a poll brings while a broker is away is passed over: the library tries again by itself; offsets of a time are asked for again where their leader cannot be reached',
    staticMembers:
      'with its range balancer: by its default, cooperative-sticky, a leader that is back plans anew, finds its plan unlike the one in force, and asks for a rebalance itself',
  },
]
