import { deepEqual, equal } from 'node:assert/strict'
import { batchesOnDisk, type CodecName } from '../helpers/segments.ts'
import { NotApplicable } from './driver-process.ts'
import type { PlacedRecord, TextRecord } from './drivers/serve.ts'
import type { World } from './world.ts'

export async function compressed(world: World, codec: CodecName): Promise<void> {
  await world.createTopic()
  const records = numbered(300, `of ${codec} `.repeat(10))
  await world.produce(records, { codec })
  deepEqual(bare(await world.consume(0, records.length)), records)
  // Clients send a batch as it is where the codec does not make it smaller; the first may be one record.
  const { dataDir } = world.broker
  const batches = batchesOnDisk(dataDir, world.topic, 0).filter(({ count }) => count > 9)
  deepEqual([...new Set(batches.map(batch => batch.codec))], [codec])
}

export async function acknowledged(world: World, acks: '0' | '1' | 'all'): Promise<void> {
  await world.createTopic()
  const records = numbered(100, 'x')
  await world.produce(records, { acks })
  // With acks=0 nobody has waited for the broker.
  await world.until('all records are there', async () => (await world.endOffset()) >= 100)
  deepEqual(bare(await world.consume(0, records.length)), records)
}

/** Kafka's default of `message.max.bytes`. */
const batchBytesMax = 1_048_588

/** Of a batch of one record with a long value, no key and no headers: 61 of the batch and 11 of the record. */
const oneRecordOverheadBytes = 72

export async function batchLimit(world: World): Promise<void> {
  await world.createTopic()
  const many = numbered(900, 'y'.repeat(1000))
  await world.produce(many)
  equal(await world.endOffset(), 900)
  const fitting = valueOf(batchBytesMax - oneRecordOverheadBytes)
  await world.produce([fitting])
  equal(await world.endOffset(), 901)
  const last = batchesOnDisk(world.broker.dataDir, world.topic, 0).at(-1)
  equal(last?.sizeBytes, batchBytesMax)
  const [read] = await world.consume(900, 1)
  equal(read?.value?.length, fitting.value?.length)
  const above = valueOf(batchBytesMax - oneRecordOverheadBytes + 1)
  await refused(world.produce([above]))
  equal(await world.endOffset(), 901)
}

export async function headers(world: World): Promise<void> {
  await world.createTopic()
  const given = [
    ['a', '1'],
    ['Größe', 'groß 酸'],
    ['empty', ''],
    ['long', 'h'.repeat(2000)],
  ] as const
  const records = [
    { key: 'k', value: 'with', headers: given },
    { key: 'k', value: 'without', headers: [] },
  ]
  await world.produce(records)
  deepEqual(bare(await world.consume(0, 2)), records)
}

export async function nulls(world: World): Promise<void> {
  await world.createTopic()
  const records: TextRecord[] = [
    { key: null, value: 'no key', headers: [] },
    { key: 'tombstone', value: null, headers: [] },
    { key: 'key', value: 'value', headers: [] },
  ]
  await world.produce(records)
  const neither = { key: null, value: null, headers: [] }
  await world.produce([neither]).then(
    () => records.push(neither),
    (error: unknown) => world.without(error),
  )
  deepEqual(bare(await world.consume(0, records.length)), records)
}

export async function timestamps(world: World): Promise<void> {
  await world.createTopic({ 'message.timestamp.type': 'CreateTime' })
  const givenMs = Date.now() - 3_600_000
  const steps = [0, 5, 3, 1000]
  const records = numbered(steps.length, 't').map((record, at) => ({
    ...record,
    timestamp: givenMs + steps[at]!,
  }))
  let ownTimes = true
  await world.produce(records).catch(async (error: unknown) => {
    world.without(error)
    ownTimes = false
    await world.produce(numbered(steps.length, 't'))
  })
  const beforeMs = Date.now()
  const found = await world.consume(0, steps.length)
  if (ownTimes)
    deepEqual(
      found.map(({ timestamp }) => timestamp),
      records.map(it => it.timestamp),
    )
  else
    equal(
      found.every(({ timestamp = 0 }) => Math.abs(beforeMs - timestamp) < 60_000),
      true,
    )
  await underAppendTime(world, ownTimes ? records : numbered(steps.length, 't'))
}

async function underAppendTime(world: World, records: readonly TextRecord[]): Promise<void> {
  await using other = await world.sibling('append')
  await other.createTopic({ 'message.timestamp.type': 'LogAppendTime' })
  const sinceMs = Date.now()
  await other.produce(records)
  const { noAppendTime } = world.client
  const times = noAppendTime === null ? (await other.consume(0, records.length)).map(timeOf) : []
  const { dataDir } = world.broker
  times.push(...batchesOnDisk(dataDir, other.topic, 0).map(batch => batch.maxTimestamp))
  const untilMs = Date.now()
  if (noAppendTime !== null) world.remarks.push(noAppendTime)
  else equal(times.length > records.length, true)
  for (const time of times) {
    if (time < sinceMs || time > untilMs) throw new Error(`append time ${time}`)
  }
}

function timeOf({ timestamp = 0 }: PlacedRecord): number {
  return timestamp
}

/** Rejects where `sending` was not refused. */
export async function refused(sending: Promise<void>): Promise<void> {
  const error = await sending.then(
    () => new Error('nothing was refused'),
    (reason: Error) => reason,
  )
  if (error instanceof NotApplicable) throw error
  const words =
    /MESSAGE_TOO_LARGE|too ?large|larger than|RecordTooLarge|MessageSizeTooLarge|\b10\b/i
  if (!words.test(error.message)) throw new Error(`refused, but not for its size: ${error.message}`)
}

/** `count` records with a key, a value that ends with `filling`, and no headers. */
export function numbered(count: number, filling: string): TextRecord[] {
  return Array.from({ length: count }, (_, at) => ({
    key: `key ${at % 7}`,
    value: `value ${at} ${filling}`.trimEnd(),
    headers: [],
  }))
}

function valueOf(length: number): TextRecord {
  return { key: null, value: 'z'.repeat(length), headers: [] }
}

/** Without what the broker added. */
function bare(records: readonly PlacedRecord[]): TextRecord[] {
  return records.map(({ key, value, headers: pairs }) => ({ key, value, headers: pairs }))
}
