import { describe, expect, test } from 'vitest'
import type { Frame } from '../../src/env/network.ts'
import { Prng } from '../../src/lib/prng.ts'
import { framed } from './network-client.ts'
import type { NetworkBench } from './network-bench.ts'
import { echo, fewTurns } from './network-server.ts'

/** Frames in: cuts, order, limits, memory, back-pressure. */
export function networkFrames(bench: () => NetworkBench): void {
  describe('frames', () => {
    test('arrive whole, wherever the stream is cut', async () => {
      const prng = new Prng(1)
      const server = await bench().serve()
      const client = await bench().connect(server)
      const bodies = [8, 9, 31, 8, 60].map(length => prng.bytes(length))
      const stream = Buffer.concat(bodies.map(framed))
      for (let cut = 0; cut <= stream.length; cut++) {
        client.write(stream.subarray(0, cut))
        await new Promise(resolve => setImmediate(resolve))
        client.write(stream.subarray(cut))
        expect(await client.take(stream.length)).toEqual(stream)
      }
      expect(server.frameCount).toBe(bodies.length * (stream.length + 1))
      const [connection] = server.connections
      expect(connection!.partialBytes).toBe(0)
      expect(connection!.receivedBytes).toBe(stream.length * (stream.length + 1))
    })

    test('arrive whole when every byte comes alone', async () => {
      const server = await bench().serve()
      const client = await bench().connect(server)
      const stream = Buffer.concat([framed(new Prng(2).bytes(40)), framed(new Prng(3).bytes(8))])
      for (let at = 0; at < stream.length; at++) {
        client.write(stream.subarray(at, at + 1))
        await server.until(() => (server.connections[0]?.receivedBytes ?? 0) > at)
      }
      expect(await client.take(stream.length)).toEqual(stream)
    })

    test('are answered in order when thousands come at once', async () => {
      const prng = new Prng(4)
      const server = await bench().serve()
      const client = await bench().connect(server)
      const stream = Buffer.concat(
        Array.from({ length: 3000 }, () => framed(prng.bytes(8 + prng.below(100)))),
      )
      client.write(stream)
      expect((await client.take(stream.length)).equals(stream)).toBe(true)
      expect(server.frameCount).toBe(3000)
    })

    test('may be megabytes, among small ones', async () => {
      const prng = new Prng(5)
      const server = await bench().serve()
      const client = await bench().connect(server)
      const sizes = [100, 5_000_000, 8, 70_000, 65_536, 1_048_576, 65_532, 20]
      const stream = Buffer.concat(sizes.map(size => framed(prng.bytes(size))))
      client.write(stream)
      expect((await client.take(stream.length)).equals(stream)).toBe(true)
    })

    test('stay as they are until they are released', async () => {
      const prng = new Prng(6)
      const kept: Frame[] = []
      const server = await bench().serve({ frames: frames => void kept.push(...frames) })
      const clients = await Promise.all([bench().connect(server), bench().connect(server)])
      const bodies = Array.from({ length: 40 }, () => prng.bytes(8 + prng.below(60_000)))
      for (const [at, body] of bodies.entries()) {
        clients[at % 2]!.write(framed(body))
        if (at % 5 === 0) await fewTurns()
      }
      await server.until(() => kept.length === bodies.length)
      const total = bodies.reduce((sum, { length }) => sum + length, 0)
      const { counters } = bench().under.network
      expect(counters.requestMemoryBytes).toBeGreaterThanOrEqual(total)
      const texts = new Set(kept.map(({ bytes }) => Buffer.from(bytes).toString('base64')))
      for (const body of bodies) expect(texts).toContain(Buffer.from(body).toString('base64'))
      for (const frame of kept) frame.release()
      expect(bench().under.network.counters.requestMemoryBytes).toBe(0)
      expect(() => kept[0]!.release()).toThrow()
    })

    for (const size of [0, 7, -1, -(2 ** 31), 1001, 2 ** 31 - 1, 0x47455420]) {
      test(`of ${size} bytes close the connection, and only it`, async () => {
        const server = await bench().serve({}, { frameSizeMax: 1000 })
        const other = await bench().connect(server)
        const body = new Prng(7).bytes(1000)
        other.write(framed(body))
        expect(await other.takeFrame()).toEqual(Buffer.from(body))
        const client = await bench().connect(server)
        const wrong = Buffer.alloc(12)
        wrong.writeInt32BE(size | 0)
        client.write(Buffer.concat([framed(body), wrong]))
        await server.until(() => server.connections.length === 2)
        expect(await server.reasonOf(server.connections[1]!)).toMatchObject({ kind: 'frame' })
        expect(server.frameCount).toBe(2)
        await client.takeRest()
        other.write(framed(body))
        expect(await other.takeFrame()).toEqual(Buffer.from(body))
      })
    }

    test('that are only announced cost no memory', async () => {
      const server = await bench().serve({}, { frameSizeMax: 2 ** 30 })
      const client = await bench().connect(server)
      const start = Buffer.alloc(100)
      start.writeInt32BE(2 ** 30)
      client.write(start)
      await server.until(() => server.connections[0]?.receivedBytes === 100)
      expect(server.connections[0]!.partialBytes).toBeGreaterThan(90)
      expect(bench().under.network.counters.requestMemoryBytes).toBeLessThan(10_000)
    })
  })

  describe('back-pressure', () => {
    test('a paused connection is not read, until it is resumed', async () => {
      const server = await bench().serve({
        frames: (frames, connection) => {
          for (const frame of frames) echo(frame, connection)
          connection.pause()
          connection.pause()
        },
      })
      const client = await bench().connect(server)
      const body = new Prng(8).bytes(50)
      client.write(framed(body))
      await client.takeFrame()
      client.write(framed(body))
      const other = await bench().connect(server)
      other.write(framed(body))
      await other.takeFrame()
      await fewTurns()
      expect(server.frameCount).toBe(2)
      server.connections[0]!.resume()
      server.connections[0]!.resume()
      await client.takeFrame()
      expect(server.frameCount).toBe(3)
    })

    test('above the memory limit nobody is read until frames are released', async () => {
      const kept: Frame[] = []
      const server = await bench().serve(
        { frames: frames => void kept.push(...frames) },
        { requestMemoryMax: 400_000 },
      )
      const clients = await Promise.all(Array.from({ length: 4 }, () => bench().connect(server)))
      const body = new Prng(9).bytes(90_000)
      for (let round = 0; round < 3; round++)
        for (const client of clients) client.write(framed(body))
      await server.until(() => kept.length >= 2)
      await fewTurns()
      expect(kept.length).toBeLessThan(8)
      expect(server.connections.some(({ isStarved }) => isStarved)).toBe(true)
      let released = 0
      while (released < 12) {
        await server.until(() => kept.length > released)
        expect(Buffer.compare(kept[released]!.bytes, body)).toBe(0)
        kept[released++]!.release()
      }
      expect(kept.length).toBe(12)
      expect(server.connections.some(({ isStarved }) => isStarved)).toBe(false)
    })

    test('a listener without a limit is read though the memory of another is full', async () => {
      const kept: Frame[] = []
      const keep = { frames: (frames: readonly Frame[]) => void kept.push(...frames) }
      const server = await bench().serve(keep, { requestMemoryMax: 400_000 })
      const reserved = await bench().serve({}, { requestMemoryMax: Infinity })
      const clients = await Promise.all(Array.from({ length: 4 }, () => bench().connect(server)))
      const body = new Prng(9).bytes(90_000)
      for (let round = 0; round < 3; round++)
        for (const client of clients) client.write(framed(body))
      await server.until(() => kept.length >= 2)
      await fewTurns()
      const fullAt = kept.length
      expect(fullAt).toBeLessThan(8)
      const peer = await bench().connect(reserved)
      for (let round = 0; round < 3; round++) {
        peer.write(framed(body))
        expect((await peer.takeFrame()).equals(Buffer.from(body))).toBe(true)
      }
      expect(kept).toHaveLength(fullAt)
      for (let released = 0; released < 12; released++) {
        await server.until(() => kept.length > released)
        kept[released]!.release()
      }
    })

    test('begun frames alone cannot fill the memory for ever', async () => {
      const server = await bench().serve({}, { requestMemoryMax: 300_000 })
      const clients = await Promise.all(Array.from({ length: 5 }, () => bench().connect(server)))
      const body = new Prng(10).bytes(200_000)
      const whole = framed(body)
      for (const client of clients) client.write(whole.subarray(0, 120_000))
      await fewTurns()
      for (const client of clients.toReversed()) client.write(whole.subarray(120_000))
      for (const client of clients) {
        expect((await client.takeFrame()).equals(Buffer.from(body))).toBe(true)
      }
    })

    test('a frame above the memory limit gets through alone', async () => {
      const server = await bench().serve({}, { requestMemoryMax: 1000 })
      const client = await bench().connect(server)
      const body = new Prng(11).bytes(300_000)
      client.write(framed(body))
      client.write(framed(body))
      for (let round = 0; round < 2; round++) {
        expect((await client.takeFrame()).equals(Buffer.from(body))).toBe(true)
      }
    })

    test('what a slow reader leaves is queued, leaves in order, and its end is told once', async () => {
      const server = await bench().serve()
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      const [connection] = server.connections
      client.duplex.pause()
      const parts = Array.from({ length: 32 }, (_, at) => new Uint8Array(1_000_000).fill(at))
      for (const part of parts) connection!.send([part])
      await fewTurns()
      expect(connection!.queuedBytes).toBeGreaterThan(8_000_000)
      expect(server.drainedCount).toBe(0)
      client.duplex.resume()
      const expected = Buffer.concat(parts)
      expect((await client.take(expected.length)).equals(expected)).toBe(true)
      await server.until(() => server.drainedCount > 0)
      await fewTurns()
      expect(connection!.queuedBytes).toBe(0)
      expect(server.drainedCount).toBe(1)
    })
  })
}
