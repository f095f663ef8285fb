import { growTopic, configureTopic, createTopic, deleteTopic, restartBroker } from './administer.ts'
import { commitAndResume, groupOfThree, staticRestart } from './groups.ts'
import { acknowledged, batchLimit, compressed, headers, nulls, timestamps } from './produce.ts'
import { middleOfBatch, pauseAndResume, seekByTime } from './read.ts'
import {
  flushOfOthers,
  minBytes,
  offsetsTopicFirst,
  timesOutOfOrder,
  topicConfigs,
} from './settings.ts'
import type { Stage } from './stage.ts'

/** Something that people do with a Kafka client, and what it proves of the broker. */
export interface Scenario {
  readonly name: string
  readonly proves: string
  /** Part of `npm test`. The others take longer: they wait for members to be missed, or restart the broker. */
  readonly quick: boolean
  /** Rejects where the promise is broken. */
  run(stage: Stage): Promise<void>
}

/** Codecs in the order of their numbers. */
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export const scenarios: readonly Scenario[] = [
  ...codecs.map(codec => ({
    name: `codec-${codec}`,
    proves: `records produced with ${codec} come back whole, and the batch on disk has just this codec's bits`,
    quick: true,
    run: (stage: Stage) => compressed(stage, codec),
  })),
  ...(['0', '1', 'all'] as const).map(acks => ({
    name: `acks-${acks}`,
    proves: `records produced with acks=${acks} are all there, in order`,
    quick: acks !== '1',
    run: (stage: Stage) => acknowledged(stage, acks),
  })),
  {
    name: 'batch-limit',
    proves:
      'a batch of exactly `message.max.bytes` is stored; one byte more is refused, and the client says so',
    quick: true,
    run: batchLimit,
  },
  {
    name: 'headers',
    proves: 'headers come back in order, with empty and non-ASCII names and values',
    quick: true,
    run: headers,
  },
  {
    name: 'nulls',
    proves: 'null keys and null values (tombstones) stay null',
    quick: true,
    run: nulls,
  },
  {
    name: 'timestamps',
    proves:
      "the client's timestamps come back; under `message.timestamp.type=LogAppendTime` the broker's do",
    quick: true,
    run: timestamps,
  },
  {
    name: 'seek-by-time',
    proves: 'the first record at or after a time is found inside a batch; none after the last',
    quick: true,
    run: seekByTime,
  },
  {
    name: 'middle-of-batch',
    proves: 'reading from an offset in the middle of a batch begins with exactly that record',
    quick: true,
    run: middleOfBatch,
  },
  {
    name: 'pause-resume',
    proves: 'nothing is delivered while paused, and nothing lost or repeated after resume',
    quick: true,
    run: pauseAndResume,
  },
  {
    name: 'commit-resume',
    proves: 'the next consumer of a group goes on after what the last one committed',
    quick: true,
    run: commitAndResume,
  },
  {
    name: 'group-of-three',
    proves:
      'through a leave, a crash and a join every record is read and committed, and each partition has one owner',
    quick: false,
    run: groupOfThree,
  },
  {
    name: 'static-restart',
    proves: 'a static member comes back to its own partitions without a rebalance of the others',
    quick: false,
    run: staticRestart,
  },
  {
    name: 'topic-create',
    proves:
      'a topic is made with partitions and configs while another is in use, and takes records at once',
    quick: true,
    run: createTopic,
  },
  {
    name: 'topic-grow',
    proves: 'a running producer finds the new partitions of its topic; no record fails',
    quick: true,
    run: growTopic,
  },
  {
    name: 'topic-configure',
    proves: 'a smaller `max.message.bytes` is in force at once; the running producer goes on',
    quick: false,
    run: configureTopic,
  },
  {
    name: 'topic-delete',
    proves:
      'a topic deleted under a running producer is gone, and made again under its name it is empty and usable by that producer',
    quick: false,
    run: deleteTopic,
  },
  {
    name: 'times-out-of-order',
    proves:
      'records with times of their own in any order: the header of their batches has the greatest, look-ups by time find the first that is as late, compressed or not',
    quick: true,
    run: timesOutOfOrder,
  },
  {
    name: 'fetch-min-bytes',
    proves:
      '`fetch.min.bytes` of 1 MiB does not wait where a segment of 1 MiB ends and more is there',
    quick: true,
    run: minBytes,
  },
  {
    name: 'topic-configs',
    proves: "a topic is made with configs of all of Kafka's types, and described with just these",
    quick: true,
    run: topicConfigs,
  },
  {
    name: 'flush-of-others',
    proves: 'beside a topic with `flush.ms` of an hour other topics are flushed as they say',
    quick: false,
    run: flushOfOthers,
  },
  {
    name: 'offsets-topic-first',
    proves:
      '`__consumer_offsets` that a client asks for before there is a group is made with its own partitions and policy',
    quick: false,
    run: offsetsTopicFirst,
  },
  {
    name: 'broker-restart',
    proves:
      'through a restart of the broker every record of a running producer is acknowledged and read by a running group',
    quick: false,
    run: restartBroker,
  },
]
