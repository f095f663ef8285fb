import { deepEqual, equal } from 'node:assert/strict'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { batchesOnDisk } from '../helpers/segments.ts'
import { topicConfig } from './administer.ts'
import { NotApplicable } from './driver-process.ts'
import { numbered } from './produce.ts'
import { Stage } from './stage.ts'

/** Scenarios of settings and values that a client's first program does not have. */

const mebibyte = 1 << 20

/** A broker of its own, since what is told of one that others use is of their topics too. */
async function onOwnBroker(
  stage: Stage,
  settings: Readonly<Record<string, string>>,
  act: (own: Stage) => Promise<void>,
): Promise<void> {
  await using ground = await stage.ground.twin(settings)
  await using own = await Stage.open(ground, stage.client, 'own')
  await act(own)
  stage.remarks.push(...own.remarks)
}

export async function flushOfOthers(stage: Stage): Promise<void> {
  await onOwnBroker(stage, {}, async others => {
    await using rare = await others.sibling('rare')
    await rare.createTopic({ 'flush.ms': '3600000' })
    await rare.produce(numbered(10, 'stays in memory'))
    const ofRare = await unflushedBytes(rare)
    equal(ofRare > 0, true)
    await others.createTopic({ 'flush.ms': '50' })
    await others.produce(numbered(100, 'is flushed'))
    await others.middle()
    const isFlushed = async (): Promise<boolean> => (await unflushedBytes(others)) === ofRare
    await others.until('all but the rare topic is flushed', isFlushed)
    equal((await others.consume(0, 100)).length, 100)
  })
}

function unflushedBytes({ ground }: Stage): Promise<number> {
  return ground.unflushedBytes()
}

/** A fetch that ends where a segment does has fewer bytes than were asked for, and there are more all the same. */
export async function minBytes(stage: Stage): Promise<void> {
  await stage.createTopic({ 'segment.bytes': String(mebibyte) })
  const value = 'm'.repeat(100_000)
  const batch = encodeBatch({ records: [{ value }], baseTimestamp: Date.now() })
  const [wanted, more] = [40, 40]
  for (let at = 0; at < wanted + more; at++) {
    const { errorCode } = await stage.wire.produce({ topic: stage.topic, partition: 0 }, batch)
    equal(errorCode, 0)
  }
  await stage.middle()
  const found = await stage.driver.call('consume', {
    topic: stage.topic,
    partition: 0,
    offset: 0,
    count: wanted,
    minBytes: mebibyte,
  })
  deepEqual(
    found.map(({ offset }) => offset),
    Array.from({ length: wanted }, (_, at) => at),
  )
}

export async function timesOutOfOrder(stage: Stage): Promise<void> {
  await stage.createTopic({ 'message.timestamp.type': 'CreateTime' })
  const baseMs = Date.now() - 600_000
  const batches = [
    { codec: 'none', afterMs: [300, 100, 200] },
    { codec: 'gzip', afterMs: [1000, 5000, 2000] },
    { codec: 'none', afterMs: [4000, 3000, 3500] },
  ]
  for (const { codec, afterMs } of batches) {
    const records = numbered(afterMs.length, 't'.repeat(100)).map((record, at) => ({
      ...record,
      timestamp: baseMs + afterMs[at]!,
    }))
    await stage.produce(records, { codec })
  }
  const given = batches.flatMap(({ afterMs }) => afterMs)
  const maxMs = Math.max(...given)
  await stage.middle()
  const onDisk = batchesOnDisk(await stage.ground.dataDirOf(stage.topic), stage.topic, 0)
  equal(Math.max(...onDisk.map(({ maxTimestamp }) => maxTimestamp)), baseMs + maxMs)
  const latest = await stage.wire.listOffset({ topic: stage.topic, partition: 0 }, -3)
  equal(latest.offset, given.indexOf(maxMs))
  for (const afterMs of [0, 300, 301, 1001, 4500, 5000, 5001]) {
    const found = await stage.driver.call('offsetForTime', {
      topic: stage.topic,
      partition: 0,
      timestamp: baseMs + afterMs,
    })
    equal(
      found,
      given.findIndex(one => one >= afterMs),
      `first record at or after ${afterMs}`,
    )
  }
}

/** At least one of each type, each with a value that is not the default; some have no effect here. */
const unusual: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact,delete',
  'compression.gzip.level': '9',
  'compression.type': 'lz4',
  'delete.retention.ms': '60000',
  'flush.messages': '5000',
  'flush.ms': '9223372036854775807',
  'leader.replication.throttled.replicas': '*',
  'local.retention.bytes': '1000',
  'max.compaction.lag.ms': '3600000',
  'max.message.bytes': '54321',
  'message.timestamp.after.max.ms': '9223372036854775807',
  'message.timestamp.type': 'LogAppendTime',
  'min.cleanable.dirty.ratio': '0.25',
  'min.insync.replicas': '1',
  preallocate: 'true',
  'retention.bytes': '123456789012',
  'retention.ms': '-1',
  'segment.bytes': '2097152',
  'segment.jitter.ms': '1000',
  'segment.ms': '86400000',
  'unclean.leader.election.enable': 'false',
}

export async function topicConfigs(stage: Stage): Promise<void> {
  const { topic } = stage
  await stage.driver.call('createTopic', { topic, partitions: 1, configs: unusual })
  await stage.middle()
  const described = await stage.driver.call('describeTopic', { topic })
  for (const [name, value] of Object.entries(unusual)) {
    equal(described[name], value, name)
    equal(await topicConfig(stage, name), value, name)
  }
}

/** Who asks first for the topic of committed offsets must not have it made as any other topic. */
export async function offsetsTopicFirst(stage: Stage): Promise<void> {
  await onOwnBroker(stage, { 'auto.create.topics.enable': 'true' }, async own => {
    const topic = '__consumer_offsets'
    const count = async (): Promise<number> => {
      const asked = own.driver.call('partitions', { topic })
      // A library may tell that the topic is not there yet by an error.
      return asked.catch((error: unknown) => {
        if (error instanceof NotApplicable) throw error
        return 0
      })
    }
    await own.until('the topic is there', async () => (await count()) === 50)
    equal(await topicConfig(own, 'cleanup.policy', topic), 'compact')
    await own.createTopic()
    await own.produceBatch(20)
    await own.middle()
    const wish = { topic: own.topic, group: 'after', count: 10 }
    for (const first of [0, 10]) {
      const [found] = await own.driver.call('consumeGroup', wish)
      equal(found?.offset, first)
    }
  })
}
