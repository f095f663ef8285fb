import { expect } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { produce } from '../../src/broker/wire/messages/index.ts'
import { Prng } from '../../src/lib/prng.ts'
import { produceRequest, type PartitionId, type BrokerClient } from '../helpers/broker-client.ts'

export const kibibyte = 1024
export const mebibyte = 1024 * kibibyte

/** One uncompressed batch of exactly `sizeBytes`, with one record that no file system can squeeze. */
export function batchOf(sizeBytes: number): Uint8Array {
  const noise = new Uint32Array(Math.ceil(sizeBytes / 4))
  const random = new Prng(sizeBytes)
  for (let at = 0; at < noise.length; at++) noise[at] = random.uint32()
  const value = new Uint8Array(noise.buffer, 0, sizeBytes)
  const of = (length: number) =>
    encodeBatch({ records: [{ value: value.subarray(0, length) }], baseTimestamp: Date.now() })
  // Lengths are varints: a shorter value may have less around it too.
  const guess = sizeBytes - (of(sizeBytes).length - sizeBytes)
  const batch = of(sizeBytes - (of(guess).length - guess))
  expect(batch.length).toBe(sizeBytes)
  return batch
}

/** Runs `act` for 0 to `count - 1`, `width` at a time. */
export async function pipelined(
  count: number,
  width: number,
  act: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: width }, lane))
}

/** Produces the same batch `count` times, four requests in flight. */
export async function fill(
  client: BrokerClient,
  to: PartitionId,
  batch: Uint8Array,
  count: number,
): Promise<void> {
  await pipelined(count, 4, async () => {
    const answer = await client.request(produce, 9, produceRequest(to, batch, 1))
    expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  })
}

/** Reads `[0, end)` in fetches of at most `maxBytes`; the bytes of records that came. */
export async function readAll(
  client: BrokerClient,
  from: PartitionId,
  end: number,
  maxBytes: number,
): Promise<number> {
  let bytes = 0
  let offset = 0
  while (offset < end) {
    const { errorCode, records } = await client.fetch(from, offset, { maxBytes })
    expect(errorCode).toBe(0)
    expect(records.length).toBeGreaterThan(0)
    bytes += records.length
    offset = nextOffset(records)
  }
  return bytes
}

/** The offset behind the last batch of what a fetch gave. */
export function nextOffset(records: Uint8Array): number {
  const view = new DataView(records.buffer, records.byteOffset, records.length)
  let at = 0
  let next = -1
  while (at < records.length) {
    next = Number(view.getBigInt64(at)) + view.getInt32(at + 23) + 1
    at += 12 + view.getInt32(at + 8)
  }
  expect(at).toBe(records.length)
  return next
}
