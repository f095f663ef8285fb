import { describe, expect, test } from 'vitest'
import type {
  CloseReason,
  Connection,
  ConnectionEvents,
  ConnectOptions,
  Frame,
} from '../../src/env/network.ts'
import { Prng } from '../../src/lib/prng.ts'
import { framed } from './network-client.ts'
import type { NetworkBench } from './network-bench.ts'

/** What a test notes of a connection that it made. */
class Dialled implements ConnectionEvents {
  readonly bodies: Uint8Array[] = []
  readonly held: Frame[] = []
  readonly reasons: CloseReason[] = []
  drainedCount = 0
  /** Frames are kept until the test releases them. */
  holds = false

  frames(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.bodies.push(Uint8Array.from(frame.bytes))
      if (this.holds) this.held.push(frame)
      else frame.release()
    }
  }

  drained(): void {
    this.drainedCount++
  }

  closed(reason: CloseReason): void {
    this.reasons.push(reason)
  }
}

function releaseAll(frames: readonly Frame[]): void {
  for (const frame of frames) frame.release()
}

/** Connections that the network makes itself: like accepted ones, but for what they receive. */
export function networkConnects(bench: () => NetworkBench): void {
  const body = new Prng(40).bytes(100)
  const dial = async (
    place: { readonly host: string; readonly port: number },
    options: Partial<ConnectOptions> = {},
  ): Promise<{ events: Dialled; connection: Connection }> => {
    const events = new Dialled()
    const { host, port } = place
    const limits = { frameSizeMax: 2 ** 24, timeoutMs: 30_000 }
    const { network } = bench().under
    return {
      events,
      connection: await network.connect({ host, port, ...limits, ...options }, events),
    }
  }

  describe('connect', () => {
    test('gives a connection that sends frames and receives them, and knows its ends', async () => {
      const server = await bench().serve()
      const { host, port } = server.listener
      const { connection, events } = await dial(server.listener)
      expect(connection.remote).toEqual({ host, port })
      connection.send([framed(body), framed(body).subarray(0, 10)])
      connection.send([framed(body).subarray(10)])
      await server.until(() => events.bodies.length === 2)
      expect(events.bodies).toEqual([body, body])
      expect(server.connections[0]!.remote.port).toBe(connection.local.port)
      expect(server.connections[0]!.id).not.toBe(connection.id)
      expect(connection.receivedBytes).toBe(208)
      expect(connection.partialBytes).toBe(0)
      connection.close()
      await server.until(() => events.reasons.length > 0)
      expect(events.reasons).toEqual([{ kind: 'local', detail: '' }])
      expect((await server.reasonOf(server.connections[0]!)).kind).toBe('peer')
    })

    test('large frames come whole, both ways, on many connections at a time', async () => {
      const large = new Prng(41).bytes(3_000_000)
      const server = await bench().serve()
      const all = await Promise.all([1, 2, 3, 4].map(() => dial(server.listener)))
      for (const { connection } of all) connection.send([framed(large), framed(body)])
      await server.until(() => all.every(({ events }) => events.bodies.length === 2))
      for (const { events } of all) {
        expect(Buffer.from(events.bodies[0]!).equals(large)).toBe(true)
        expect(events.bodies[1]).toEqual(body)
      }
      for (const { connection } of all) connection.close()
      await server.until(() => all.every(({ events }) => events.reasons.length === 1))
    })

    test('an answer may be as small as a correlation id, and not smaller', async () => {
      const server = await bench().serve()
      const { events } = await dial(server.listener)
      await server.until(() => server.connections.length === 1)
      server.connections[0]!.send([framed(Uint8Array.of(0, 0, 0, 7)), framed(body)])
      await server.until(() => events.bodies.length === 2)
      expect(events.bodies[0]).toEqual(Uint8Array.of(0, 0, 0, 7))
      server.connections[0]!.send([framed(Uint8Array.of(1, 2, 3))])
      await server.until(() => events.reasons.length > 0)
      expect(events.reasons.map(({ kind }) => kind)).toEqual(['frame'])
    })

    test('an answer above the limit closes the connection when it is announced', async () => {
      const server = await bench().serve()
      const { events } = await dial(server.listener, { frameSizeMax: 1000 })
      await server.until(() => server.connections.length === 1)
      server.connections[0]!.send([framed(body), Uint8Array.of(0, 0, 3, 233)])
      await server.until(() => events.reasons.length > 0)
      expect(events.bodies).toEqual([body])
      expect(events.reasons).toEqual([expect.objectContaining({ kind: 'frame' })])
      expect(events.reasons[0]!.detail).toContain('1001')
    })

    test('the listener goes away: what it said before is heard, then the end', async () => {
      const server = await bench().serve()
      const { events } = await dial(server.listener)
      await server.until(() => server.connections.length === 1)
      server.connections[0]!.send([framed(body)])
      server.connections[0]!.end()
      await server.until(() => events.reasons.length > 0)
      expect(events.bodies).toEqual([body])
      expect(events.reasons.map(({ kind }) => kind)).toEqual(['peer'])
    })

    test('end lets leave what is queued', async () => {
      // It answers nothing: an answer to whoever is gone is met by a reset, which drops what was not read yet.
      const server = await bench().serve({ frames: releaseAll })
      const { connection, events } = await dial(server.listener)
      const many = Array.from({ length: 8 }, () => framed(new Prng(42).bytes(500_000)))
      connection.send(many)
      connection.end()
      await server.until(() => events.reasons.length > 0)
      expect(events.reasons.map(({ kind }) => kind)).toEqual(['local'])
      await server.until(() => server.frameCount === 8)
    })

    test('a queue that was full and is empty again is told', async () => {
      const server = await bench().serve()
      const { connection, events } = await dial(server.listener)
      connection.send([framed(new Uint8Array(12_000_000))])
      expect(connection.queuedBytes).toBeGreaterThan(0)
      await server.until(() => events.drainedCount > 0)
      expect(connection.queuedBytes).toBe(0)
      connection.close()
    })

    test('answers that are held take no memory from requests', async () => {
      const server = await bench().serve()
      const { connection, events } = await dial(server.listener)
      events.holds = true
      connection.send([framed(body)])
      await server.until(() => events.held.length === 1)
      expect(events.held[0]!.bytes).toEqual(body)
      expect(bench().under.network.counters.requestMemoryBytes).toBe(0)
      for (const frame of events.held) frame.release()
      connection.close()
    })

    test('answers come while requests fill the memory', async () => {
      const requests: Frame[] = []
      const keep = (frames: readonly Frame[]): void => void requests.push(...frames)
      const server = await bench().serve({ frames: keep }, { requestMemoryMax: 1000 })
      const { connection, events } = await dial(server.listener)
      connection.send([framed(new Uint8Array(100_000))])
      await server.until(() => requests.length === 1)
      const { counters } = bench().under.network
      expect(counters.requestMemoryBytes).toBeGreaterThan(1000)
      const answer = new Prng(43).bytes(3_000_000)
      server.connections[0]!.send([framed(answer), framed(body)])
      await server.until(() => events.bodies.length === 2)
      expect(Buffer.from(events.bodies[0]!).equals(answer)).toBe(true)
      for (const frame of requests) frame.release()
      connection.close()
    })

    test('answers of four bytes come by the ten thousands, in order', async () => {
      const server = await bench().serve()
      const { connection, events } = await dial(server.listener)
      await server.until(() => server.connections.length === 1)
      const count = 60_000
      const answers = Buffer.alloc(8 * count)
      for (let at = 0; at < count; at++) {
        answers.writeInt32BE(4, 8 * at)
        answers.writeInt32BE(at, 8 * at + 4)
      }
      server.connections[0]!.send([answers])
      await server.until(() => events.bodies.length === count)
      const came = Buffer.concat(events.bodies)
      expect(came.readInt32BE(4 * 40_000)).toBe(40_000)
      expect(came.readInt32BE(4 * (count - 1))).toBe(count - 1)
      connection.close()
    })

    test('an exception in frames closes it, and is told', async () => {
      const server = await bench().serve()
      const { connection, events } = await dial(server.listener)
      events.frames = () => {
        throw new Error('planted')
      }
      connection.send([framed(body)])
      await server.until(() => events.reasons.length > 0)
      expect(events.reasons[0]).toMatchObject({ kind: 'callback' })
      expect(events.reasons[0]!.detail).toContain('planted')
    })

    test('where nobody listens it is refused with its code', async () => {
      const server = await bench().serve()
      const { host, port } = server.listener
      await server.listener.close()
      await expect(dial({ host, port })).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'ECONNREFUSED',
        message: expect.stringContaining(`${host}:${port}`) as string,
      })
    })

    test('where nobody answers it is given up', async () => {
      await using place = await bench().under.silentPlace()
      await expect(dial(place, { timeoutMs: 200 })).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'ETIMEDOUT',
      })
    })
  })
}
