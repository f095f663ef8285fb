import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { writeInt32 } from '../../src/lib/bytes.ts'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { WireClient } from '../helpers/wire-client.ts'
import { batchOf, fill, kibibyte, mebibyte, until } from './load.ts'
import { describeNeeding } from './needs.ts'

const announcedBytes = 100 * mebibyte - 4
const sentBytes = kibibyte
const clientCount = 4
const grownBytesMax = 32 * mebibyte

/** What a process has of memory, and of addresses for it: what was allocated and never touched is only in these. */
function sizesOf({ pid }: TestBroker): { readonly resident: number; readonly addresses: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (line: RegExp) => kibibyte * Number(line.exec(status)![1])
  return { resident: bytes(/VmRSS:\s+(\d+)/), addresses: bytes(/VmSize:\s+(\d+)/) }
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

for (const native of ['on', 'off'] as const) {
  describeNeeding(native === 'on' ? ['addon'] : [], `announced frames, native ${native}`, () => {
    test('cost what was sent of them, and are told by the metric', () =>
      withBroker({ native }, async broker => {
        using producer = await WireClient.connect(broker.port, { timeoutMs: 30_000 })
        const to = { topic: 'other', partition: 0 }
        await producer.createTopics([{ name: to.topic }])
        const batch = batchOf(mebibyte)
        await fill(producer, to, batch, 32)
        await until('nothing is held', async () => (await requestMemory(broker)) === 0)

        const before = sizesOf(broker)
        const clients = await Promise.all(
          Array.from({ length: clientCount }, async () => {
            const client = await WireClient.connect(broker.port, { timeoutMs: 30_000 })
            // Behind a request that is answered: what follows on a used connection costs no more.
            const answered = client.apiVersions()
            client.sendRaw(begun(sentBytes, announcedBytes))
            await answered
            return client
          }),
        )
        const held = clientCount * sentBytes
        await until('all that was sent is told', async () => (await requestMemory(broker)) === held)
        const after = sizesOf(broker)
        expect(after.resident - before.resident).toBeLessThan(grownBytesMax)
        expect(after.addresses - before.addresses).toBeLessThan(2 * announcedBytes)

        // Announced only, so nobody else is kept from producing: 400 MiB would be above the limit.
        await fill(producer, to, batch, 8)
        for (const client of clients) client.close()
        await until('nothing is held', async () => (await requestMemory(broker)) === 0)
      }))

    test('that fill the limit stop the reading, and give it back', () => {
      const limit = 48 * mebibyte
      const each = 24 * mebibyte
      const settings = {
        'socket.request.max.bytes': String(32 * mebibyte),
        'queued.max.request.bytes': String(limit),
      }
      return withBroker({ native, settings }, async broker => {
        const before = sizesOf(broker)
        const clients = await Promise.all(
          Array.from({ length: clientCount }, async () => {
            const client = await WireClient.connect(broker.port, { timeoutMs: 30_000 })
            client.sendRaw(begun(each, 32 * mebibyte - 4))
            return client
          }),
        )
        await until('the limit is met', async () => (await requestMemory(broker)) >= limit)
        // Begun frames hold all of it, which nobody will ever release: one may go on to its end, the others wait.
        expect(await requestMemory(broker)).toBeLessThanOrEqual(limit + each)
        // A receive buffer has at most twice the size of what is in it.
        const { resident } = sizesOf(broker)
        expect(resident - before.resident).toBeLessThan(2 * (limit + each) + grownBytesMax)
        for (const client of clients) client.close()
        await until('nothing is held', async () => (await requestMemory(broker)) === 0)
        using after = await WireClient.connect(broker.port, { timeoutMs: 30_000 })
        expect((await after.apiVersions()).errorCode).toBe(0)
      })
    })
  })
}
