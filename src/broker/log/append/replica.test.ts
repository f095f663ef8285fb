import { describe, expect, test } from 'vitest'
import { drive } from '../../../../test/helpers/drive.ts'
import {
  append,
  batchesIn,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
  worldOn,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { SimDisk } from '../../../../sim/disk.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { encodeBatch, stampBatch } from '../batch/batch.ts'
import type { Log } from '../log.ts'
import type { LogConfig } from '../log-config.ts'
import type { AppendOptions, AppendResult } from './result.ts'

const compacted = { cleanupPolicy: 'compact' } as const

async function follower(over: Partial<LogConfig> = {}, disk = new SimDisk()) {
  const world = simWorld(disk)
  const directory = await drive(world.clock, openDirectory(world))
  const log = await drive(world.clock, directory.openLog(logId(), logConfig(over)))
  return { world, directory, log }
}

/** Batches as a leader has them: `[offset, epoch]` of each, of two records. */
function fetched(...places: readonly (readonly [offset: number, epoch: number])[]): Uint8Array {
  const batches = places.map(([offset, epoch], at) => {
    const batch = batchOf(2, { producerId: 5, producerEpoch: 0, baseSequence: at * 2 })
    stampBatch(batch, 0, offset, epoch)
    return batch
  })
  return Uint8Array.from(batches.flatMap(batch => [...batch]))
}

/** What a fetch brought, appended by a follower of the leader of epoch 3. */
async function take(
  { clock }: Pick<LogWorld, 'clock'>,
  log: Log,
  records: Uint8Array,
  over: Partial<AppendOptions> = {},
): Promise<AppendResult> {
  const { promise, resolve } = Promise.withResolvers<AppendResult>()
  const options = { origin: 'replica', leaderEpoch: 3, leaderEpochMax: 3, ...over } as const
  log.append(records, options, resolve)
  return drive(clock, promise)
}

const placesOf = async (log: Log) => {
  const batches = batchesIn(await readAll(log))
  return batches.map(({ baseOffset }) => [baseOffset, log.epochAt(baseOffset)])
}

describe('what a leader sent (R13, I-15)', () => {
  test('is kept as it is, batch for batch; one that was cut short comes again', async () => {
    const { world, log } = await follower()
    const records = fetched([0, 1], [2, 1], [4, 3])
    for (const missing of [1, 30, 80]) {
      const part = fetched([log.endOffset, 3], [log.endOffset + 2, 3]).slice(0, -missing)
      expect(await take(world, log, part)).toMatchObject({ ok: true })
    }
    expect(log.endOffset).toBe(6)
    const other = await follower()
    expect(await take(other.world, other.log, records.slice())).toMatchObject({
      ok: true,
      baseOffset: 0,
      lastOffset: 5,
    })
    expect(await readAll(other.log)).toEqual(records)
    expect(other.log.endOfEpoch(1)).toEqual({ epoch: 1, endOffset: 4 })
    const [producer] = other.log.producers.states()
    expect(producer?.batches.map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 4])
  })

  test('goes where the first batch of a later epoch begins, with all behind it: KAFKA-18723', async () => {
    const { world, log } = await follower()
    expect(await take(world, log, fetched([0, 2], [2, 4], [4, 3]))).toMatchObject({ lastOffset: 1 })
    expect(await placesOf(log)).toEqual([[0, 2]])
    const nothing = await take(world, log, fetched([2, 4]))
    expect(nothing).toMatchObject({ ok: true, baseOffset: 1, lastOffset: 1 })
    expect([log.endOffset, log.latestEpoch]).toEqual([2, 2])
  })

  test.each([
    ['a CRC that is wrong', (bytes: Uint8Array) => (bytes[bytes.length - 5]! ^= 1)],
    ['another format', (bytes: Uint8Array) => (bytes[bytes.length / 2 + 16] = 3)],
    ['offsets that go back', (bytes: Uint8Array) => stampBatch(bytes, bytes.length / 2, 1, 3)],
    ['an epoch that is over', (bytes: Uint8Array) => stampBatch(bytes, bytes.length / 2, 2, 1)],
    ['offsets that are none', (bytes: Uint8Array) => setLastDelta(bytes, bytes.length / 2, -1)],
  ])('is refused as a whole, and nothing is kept, with %s', async (_, damage) => {
    const { world, log } = await follower()
    const records = fetched([0, 2], [2, 3])
    damage(records)
    expect(await take(world, log, records)).toMatchObject({ ok: false })
    expect([log.endOffset, log.sizeBytes, log.latestEpoch, log.producers.size]).toEqual([
      0, 0, -1, 0,
    ])
  })

  test.each([
    ['a time of its own', { messageTimestampType: 'LogAppendTime' }],
    ['that, and keys', { ...compacted, messageTimestampType: 'LogAppendTime' }],
  ] as const)(
    'is kept byte for byte whatever the topic asks for here by now: the leader gave it %s',
    async (_, config) => {
      const leader = await follower(config)
      for (const key of ['a', 'b', 'a']) {
        const batch = encodeBatch({
          records: [{ key: utf8(key), value: new Uint8Array(300) }],
          baseTimestamp: 5,
          crc32c,
        })
        expect(await append(leader.world, leader.log, batch)).toMatchObject({ ok: true })
      }
      const records = await readAll(leader.log)
      // What its topic asks for by now, each of which a client would be refused or changed by.
      const strict = {
        maxMessageBytes: 1,
        segmentBytes: 200,
        messageTimestampBeforeMaxMs: 0,
        messageTimestampAfterMaxMs: 0,
      }
      for (const other of [
        config,
        { ...strict, compressionType: 'lz4' },
        { ...strict, ...config },
      ] as const) {
        const { world, log } = await follower(other)
        world.clock.advance(86_400_000)
        expect(await take(world, log, records.slice())).toMatchObject({ ok: true, lastOffset: 2 })
        expect(await readAll(log)).toEqual(records)
      }
    },
  )

  test('is refused where it was asked for at another offset', async () => {
    const { world, log } = await follower()
    await take(world, log, fetched([0, 3]), { fetchOffset: 0 })
    expect(await take(world, log, fetched([4, 3]), { fetchOffset: 4 })).toMatchObject({
      error: 'OFFSET_OUT_OF_RANGE',
    })
    expect(await take(world, log, fetched([4, 3]))).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    expect(log.endOffset).toBe(2)
  })

  test('may have the gaps of a compacted log, which no crash takes for a loss', async () => {
    const { world, log } = await follower({ segmentBytes: 300 })
    const places = [
      [7, 1],
      [20, 1],
      [22, 3],
      [2 ** 33, 3],
      [2 ** 34, 3],
    ] as const
    const records = fetched(...places)
    expect(await take(world, log, records, { fetchOffset: 0 })).toMatchObject({ ok: true })
    await take(world, log, fetched([2 ** 34 + 100, 3]), { fetchOffset: log.endOffset })
    expect(await placesOf(log)).toEqual([...places, [2 ** 34 + 100, 3]])
    const before = await readAll(log)
    const next = worldOn(world.disk.crashProcess(), world)
    const directory = await drive(next.clock, openDirectory(next))
    const again = await drive(next.clock, directory.openLog(logId(), logConfig()))
    expect(again.offline).toBe(null)
    expect(await readAll(again)).toEqual(before)
  })

  test('is refused where the gaps cannot be noted, and taken the next time', async () => {
    const disk = new SimDisk()
    const { world, log } = await follower({}, disk)
    disk.failNext({ operation: 'write', pathPattern: /sparse-offset/, code: 'ENOSPC' })
    const records = fetched([7, 3])
    const refused = await take(world, log, records, { fetchOffset: 0 })
    expect(refused).toMatchObject({ ok: false, error: 'KAFKA_STORAGE_ERROR' })
    expect(await take(world, log, records, { fetchOffset: 0 })).toMatchObject({ ok: true })
  })

  test('fills one segment after the other, and stays up to where a write failed', async () => {
    const disk = new SimDisk()
    const { world, log } = await follower({ segmentBytes: 250 }, disk)
    const places = Array.from({ length: 8 }, (_, at) => [at * 2, 3] as const)
    const records = fetched(...places)
    expect(await take(world, log, records.slice())).toMatchObject({ ok: true })
    expect([log.endOffset, log.segmentCount]).toEqual([16, 4])
    const other = await follower({ segmentBytes: 250 }, disk.clone())
    await drive(other.world.clock, other.log.truncateTo(0))
    const failing = { operation: 'write', pathPattern: /0{19}8\.log$/, code: 'ENOSPC' } as const
    other.world.disk.failNext(failing)
    expect(await take(other.world, other.log, records.slice())).toMatchObject({ ok: false })
    expect(other.log.endOffset).toBe(8)
    const rest = fetched(...places.slice(4))
    expect(await take(other.world, other.log, rest)).toMatchObject({ ok: true, lastOffset: 15 })
    expect(other.log.producers.stateOf(5)?.batches.at(-1)?.baseOffset).toBe(14)
  })

  test('is appended behind a cut, in the epoch that a leader begins meanwhile', async () => {
    const { world, log } = await follower()
    await take(world, log, fetched([0, 1], [2, 2], [4, 3]))
    const cut = log.truncateTo(3)
    await world.clock.settle()
    log.noteEpoch(7)
    await drive(world.clock, cut)
    expect(log.latestEpoch).toBe(7)
    expect(log.endOfEpoch(1)).toEqual({ epoch: 1, endOffset: 2 })
    expect(await append(world, log, batchOf(1), { leaderEpoch: 7 })).toMatchObject({
      baseOffset: 2,
    })
    expect(log.epochAt(2)).toBe(7)
  })
})

function setLastDelta(bytes: Uint8Array, at: number, delta: number): void {
  const view = new DataView(bytes.buffer)
  view.setInt32(at + 23, delta)
  view.setUint32(at + 17, crc32c(bytes.subarray(at + 21)))
}
