import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { writeInt32 } from '../../src/lib/bytes.ts'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { apiVersions } from '../../src/broker/wire/messages/index.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { batchOf, fill, kibibyte, mebibyte } from './load.ts'
import { describeNeeding } from './needs.ts'

const announcedBytes = 100 * mebibyte - 4
const sentBytes = kibibyte
const pageBytes = 4096
const clientCount = 4
const grownBytesMax = 32 * mebibyte

function residentBytes({ pid }: TestBroker): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return kibibyte * Number(/VmRSS:\s+(\d+)/.exec(status)![1])
}

/** The beginning of a request that will never be whole. */
function begun(bytes: number, announced: number): Uint8Array {
  const start = new Uint8Array(bytes)
  writeInt32(start, 0, announced)
  return start
}

function requestMemory(broker: TestBroker): Promise<number> {
  return broker.metric('logcluster_request_memory_bytes')
}

const software = { clientSoftwareName: 'memory-test', clientSoftwareVersion: '1' }

/** Waits until the metric of request memory is as it must be. */
async function holds(
  broker: TestBroker,
  what: string,
  isSo: (bytes: number) => boolean,
): Promise<void> {
  await eventually(`request memory: ${what}`, () => requestMemory(broker), isSo)
}

/**
 * Garbage is resident too, until it is collected, so this looks until it is gone. What is held for the begun frames
 * stays as long as they do, and with it what is wrong.
 */
async function hasGrownLess(broker: TestBroker, before: number, bytesMax: number): Promise<void> {
  const grown = () => residentBytes(broker) - before
  await eventually('resident memory grew less', grown, bytes => bytes < bytesMax)
}

function waits(broker: TestBroker): Promise<number> {
  return broker.metric('logcluster_request_memory_waits_total')
}

for (const native of ['on', 'off'] as const) {
  describeNeeding(native === 'on' ? ['addon'] : [], `announced frames, native ${native}`, () => {
    test('cost what was sent of them, and are told by the metric', () =>
      withBroker({ native }, async broker => {
        using producer = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
        const to = { topic: 'other', partition: 0 }
        await producer.createTopics([{ name: to.topic }])
        const batch = batchOf(mebibyte)
        await fill(producer, to, batch, 32)
        await holds(broker, 'nothing', bytes => bytes === 0)

        const before = residentBytes(broker)
        const clients = await Promise.all(
          Array.from({ length: clientCount }, async () => {
            const client = await RawClient.connect(broker.port, { timeoutMs: 30_000 })
            // Behind a request that is answered: what follows on a used connection costs no more.
            const answered = client.ask(apiVersions, 3, software)
            client.send(begun(sentBytes, announcedBytes))
            await answered
            return client
          }),
        )
        // The addon counts the pages that are in use, the fallback what was sent.
        const held = clientCount * (native === 'on' ? pageBytes : sentBytes)
        await holds(broker, 'all that was sent', bytes => bytes === held)
        await hasGrownLess(broker, before, grownBytesMax)

        // Announced only, so nobody else is kept from producing: 400 MiB would be above the limit.
        await fill(producer, to, batch, 8)
        for (const client of clients) client.close()
        await holds(broker, 'nothing', bytes => bytes === 0)
      }))

    test('that fill the limit stop the reading, and give it back', () => {
      const limit = 48 * mebibyte
      const each = 24 * mebibyte
      const settings = {
        'socket.request.max.bytes': String(32 * mebibyte),
        'queued.max.request.bytes': String(limit),
      }
      return withBroker({ native, settings }, async broker => {
        const before = residentBytes(broker)
        const clients = await Promise.all(
          Array.from({ length: clientCount }, async () => {
            const client = await RawClient.connect(broker.port, { timeoutMs: 30_000 })
            client.send(begun(each, 32 * mebibyte - 4))
            return client
          }),
        )
        await eventually(
          'somebody waits',
          () => waits(broker),
          count => count > 0,
        )
        // Begun frames hold all of it, which nobody will ever release: one may go on to its end, the others wait.
        if (native === 'on') {
          await holds(broker, 'more than one has sent', bytes => bytes > each)
          expect(await requestMemory(broker)).toBeLessThanOrEqual(limit)
          await hasGrownLess(broker, before, limit + grownBytesMax)
          // Small requests go on meanwhile.
          using small = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
          for (let count = 0; count < 100; count++) await small.apiVersions()
          expect(await requestMemory(broker)).toBeGreaterThan(each)
        } else {
          await holds(broker, 'all that there may be', bytes => bytes >= limit)
          expect(await requestMemory(broker)).toBeLessThanOrEqual(limit + each)
          // A buffer of the fallback has at most twice the size of what is in it.
          await hasGrownLess(broker, before, 2 * (limit + each) + grownBytesMax)
        }
        for (const client of clients) client.close()
        await holds(broker, 'nothing', bytes => bytes === 0)
        using after = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
        expect((await after.apiVersions()).errorCode).toBe(0)
      })
    })
  })
}
