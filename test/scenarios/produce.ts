import { deepEqual, equal } from 'node:assert/strict'
import { batchesOnDisk, type CodecName } from '../helpers/segments.ts'
import { NotApplicable } from './driver-process.ts'
import type { PlacedRecord, TextRecord } from './drivers/serve.ts'
import type { Stage } from './stage.ts'

export async function compressed(stage: Stage, codec: CodecName): Promise<void> {
  await stage.createTopic()
  const records = numbered(300, `of ${codec} `.repeat(10))
  await stage.produce(records, { codec })
  await stage.middle()
  deepEqual(bare(await stage.consume(0, records.length)), records)
  // Clients send a batch as it is where the codec does not make it smaller; the first may be one record.
  const dataDir = await stage.ground.dataDirOf(stage.topic)
  const batches = batchesOnDisk(dataDir, stage.topic, 0).filter(({ count }) => count > 9)
  deepEqual([...new Set(batches.map(batch => batch.codec))], [codec])
}

export async function acknowledged(stage: Stage, acks: '0' | '1' | 'all'): Promise<void> {
  await stage.createTopic()
  const records = numbered(100, 'x')
  await stage.produce(records.slice(0, 50), { acks })
  // With acks=0 nobody has waited for the broker, and with less than all nobody for its followers.
  await stage.until('half of the records', async () => (await stage.endOffset()) >= 50)
  // What is sent to a broker that no longer leads is gone, where no answer is wanted.
  if (acks !== '0') await stage.middle()
  await stage.produce(records.slice(50), { acks })
  await stage.until('all records are there', async () => (await stage.endOffset()) >= 100)
  await stage.middle()
  deepEqual(bare(await stage.consume(0, records.length)), records)
}

/** Kafka's default of `message.max.bytes`. */
const batchBytesMax = 1_048_588

/** Of a batch of one record with a long value, no key and no headers: 61 of the batch and 11 of the record. */
const oneRecordOverheadBytes = 72

export async function batchLimit(stage: Stage): Promise<void> {
  await stage.createTopic()
  const many = numbered(900, 'y'.repeat(1000))
  await stage.produce(many)
  equal(await stage.endOffset(), 900)
  await stage.middle()
  const fitting = valueOf(batchBytesMax - oneRecordOverheadBytes)
  await stage.produce([fitting])
  equal(await stage.endOffset(), 901)
  const last = batchesOnDisk(await stage.ground.dataDirOf(stage.topic), stage.topic, 0).at(-1)
  equal(last?.sizeBytes, batchBytesMax)
  const [read] = await stage.consume(900, 1)
  equal(read?.value?.length, fitting.value?.length)
  const above = valueOf(batchBytesMax - oneRecordOverheadBytes + 1)
  await refused(stage.produce([above]))
  equal(await stage.endOffset(), 901)
}

export async function headers(stage: Stage): Promise<void> {
  await stage.createTopic()
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
  await stage.produce(records)
  await stage.middle()
  deepEqual(bare(await stage.consume(0, 2)), records)
}

export async function nulls(stage: Stage): Promise<void> {
  await stage.createTopic()
  const records: TextRecord[] = [
    { key: null, value: 'no key', headers: [] },
    { key: 'tombstone', value: null, headers: [] },
    { key: 'key', value: 'value', headers: [] },
  ]
  await stage.produce(records)
  await stage.middle()
  const neither = { key: null, value: null, headers: [] }
  await stage.produce([neither]).then(
    () => records.push(neither),
    (error: unknown) => stage.without(error),
  )
  deepEqual(bare(await stage.consume(0, records.length)), records)
}

export async function timestamps(stage: Stage): Promise<void> {
  await stage.createTopic({ 'message.timestamp.type': 'CreateTime' })
  const givenMs = Date.now() - 3_600_000
  const steps = [0, 5, 3, 1000]
  const records = numbered(steps.length, 't').map((record, at) => ({
    ...record,
    timestamp: givenMs + steps[at]!,
  }))
  let ownTimes = true
  await stage.produce(records).catch(async (error: unknown) => {
    stage.without(error)
    ownTimes = false
    await stage.produce(numbered(steps.length, 't'))
  })
  const beforeMs = Date.now()
  await stage.middle()
  const found = await stage.consume(0, steps.length)
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
  await underAppendTime(stage, ownTimes ? records : numbered(steps.length, 't'))
}

async function underAppendTime(stage: Stage, records: readonly TextRecord[]): Promise<void> {
  await using other = await stage.sibling('append')
  await other.createTopic({ 'message.timestamp.type': 'LogAppendTime' })
  const sinceMs = Date.now()
  await other.produce(records)
  const { noAppendTime } = stage.client
  const times = noAppendTime === null ? (await other.consume(0, records.length)).map(timeOf) : []
  const dataDir = await stage.ground.dataDirOf(other.topic)
  times.push(...batchesOnDisk(dataDir, other.topic, 0).map(batch => batch.maxTimestamp))
  const untilMs = Date.now()
  if (noAppendTime !== null) stage.remarks.push(noAppendTime)
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
