import { expect, test } from 'vitest'
import { withBroker, type BrokerOptions } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { metricsOf, sumOf, type Sample } from '../helpers/metrics.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { batchOf, fill, kibibyte, mebibyte, nextOffset } from './load.ts'
import { describeNeeding } from './needs.ts'

const topic = 'recycled'
const partitionCount = 4
const roundBytes = 16 * mebibyte

/** Old segments go while new ones come, so a disk need not hold all that passes through. */
const settings = {
  'log.segment.bytes': String(8 * mebibyte),
  'log.retention.bytes': String(2 * roundBytes),
  'log.retention.check.interval.ms': '50',
  'log.segment.delete.delay.ms': '0',
}

interface Session {
  readonly recordBytes: number
  readonly samples: readonly Sample[]
}

/** Produces, and consumes at once, at least `totalBytes` of uncompressed batches from 4 KiB to 1 MiB. */
async function session(options: BrokerOptions, totalBytes: number): Promise<Session> {
  let recordBytes = 0
  let samples: readonly Sample[] = []
  await withBroker({ ...options, settings }, async broker => {
    using client = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
    await client.createTopics([{ name: topic, partitions: partitionCount }])
    const batches = [4, 100, 1024].map(size => batchOf(size * kibibyte))
    const offsets = Array.from({ length: partitionCount }, () => 0)
    for (let round = 0; recordBytes < totalBytes; round++) {
      const partition = round % partitionCount
      const batch = batches[round % batches.length]!
      const count = Math.min(256, roundBytes / batch.length)
      await fill(client, { topic, partition }, batch, Math.floor(count))
      const end = offsets[partition]! + Math.floor(count)
      while (offsets[partition]! < end) {
        const from = { topic, partition }
        const { errorCode, records } = await client.fetch(from, offsets[partition]!)
        expect(errorCode).toBe(0)
        recordBytes += records.length
        offsets[partition] = nextOffset(records)
      }
    }
    // What the kernel took last may be counted after the client has it.
    samples = await eventually(
      'all is counted',
      () => metricsOf(broker),
      counted => {
        return sent({ samples: counted }) > recordBytes
      },
    )
  })
  return { recordBytes, samples }
}

function sent({ samples }: Pick<Session, 'samples'>, path?: string): number {
  return sumOf(samples, 'logcluster_sent_bytes_total', path === undefined ? {} : { path })
}

describeNeeding(['addon'], 'copies on the native path', () => {
  test('there are none in JavaScript over 1 GiB produced and consumed; sendfile sends it all', async () => {
    const native = await session({ native: 'on' }, 1024 * mebibyte)
    expect(native.recordBytes).toBeGreaterThanOrEqual(1024 * mebibyte)
    expect(sumOf(native.samples, 'logcluster_copied_bytes_total')).toBe(0)
    // What is left to copy: headers, and parts of 16 KiB or less.
    expect(sent(native, 'sendfile')).toBeGreaterThanOrEqual(native.recordBytes * 0.999)
    expect(sent(native, 'copied')).toBeLessThan(native.recordBytes * 0.001)
  })
})

describeNeeding([], 'copies on the fallback', () => {
  test('are told, by reason', async () => {
    const node = await session({ native: 'off' }, 64 * mebibyte)
    const copied = (reason: string) =>
      sumOf(node.samples, 'logcluster_copied_bytes_total', { reason })
    expect(copied('file-read')).toBe(node.recordBytes)
    expect(copied('frame-assembly')).toBeGreaterThanOrEqual(node.recordBytes / 2)
    expect(sent(node, 'sendfile')).toBe(0)
    expect(sent(node, 'copied')).toBeGreaterThan(node.recordBytes)
  })
})
