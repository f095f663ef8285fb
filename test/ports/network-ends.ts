import { describe, expect, test } from 'vitest'
import type { ConnectionEvents } from '../../src/env/network.ts'
import { Prng } from '../../src/lib/prng.ts'
import { framed } from './network-client.ts'
import type { NetworkBench } from './network-bench.ts'
import { echo, fewTurns } from './network-server.ts'

/** How listeners and connections end, and what an exception costs. */
export function networkEnds(bench: () => NetworkBench): void {
  const body = new Prng(30).bytes(100)

  describe('the end of a connection', () => {
    test('a client that has sent its last gets its answers, and is told to be gone', async () => {
      const server = await bench().serve()
      const client = await bench().connect(server)
      client.duplex.end(Buffer.concat([framed(body), framed(body)]))
      const expected = Buffer.concat([framed(body), framed(body)])
      expect((await client.takeRest()).equals(expected)).toBe(true)
      expect((await server.reasonOf(server.connections[0]!)).kind).toBe('peer')
      expect(server.frameCount).toBe(2)
    })

    test('in the middle of a frame is the end too', async () => {
      const server = await bench().serve()
      const client = await bench().connect(server)
      client.duplex.end(framed(body).subarray(0, 50))
      await server.until(() => server.connections.length === 1)
      expect((await server.reasonOf(server.connections[0]!)).kind).toBe('peer')
      expect(server.frameCount).toBe(0)
    })

    test('by a reset is told as such', async () => {
      const server = await bench().serve()
      const client = await bench().connect(server)
      client.write(framed(body))
      await client.takeFrame()
      bench().under.reset(client.duplex)
      expect((await server.reasonOf(server.connections[0]!)).kind).toBe('socket')
    })

    test('close drops what is queued', async () => {
      const server = await bench().serve()
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      client.duplex.pause()
      const [connection] = server.connections
      for (let at = 0; at < 64; at++) connection!.send([new Uint8Array(1_000_000)])
      connection!.close()
      connection!.close()
      connection!.send([new Uint8Array(10)])
      expect(await server.reasonOf(connection!)).toMatchObject({ kind: 'local' })
      client.duplex.resume()
      expect((await client.takeRest()).length).toBeLessThan(64_000_000)
      await fewTurns()
      expect(server.drainedCount).toBe(0)
    })

    test('end waits for what is queued, and takes no more frames', async () => {
      const server = await bench().serve()
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      client.duplex.pause()
      const [connection] = server.connections
      const parts = Array.from({ length: 24 }, (_, at) => new Uint8Array(1_000_000).fill(at))
      for (const part of parts) connection!.send([part])
      connection!.end()
      client.write(framed(body))
      await fewTurns()
      expect(server.reasons.size).toBe(0)
      client.duplex.resume()
      expect((await client.takeRest()).equals(Buffer.concat(parts))).toBe(true)
      expect(await server.reasonOf(connection!)).toMatchObject({ kind: 'local' })
      expect(server.frameCount).toBe(0)
    })

    test('end with nothing queued ends at once; an answer given just before still leaves', async () => {
      const server = await bench().serve({
        frames: (frames, connection) => {
          for (const frame of frames) echo(frame, connection)
          connection.end()
        },
      })
      const client = await bench().connect(server)
      client.write(framed(body))
      expect((await client.takeRest()).equals(framed(body))).toBe(true)
      expect((await server.reasonOf(server.connections[0]!)).kind).toBe('local')
    })

    test('closing from inside frames is heard once', async () => {
      const reasons: string[] = []
      const server = await bench().serve({
        frames: (frames, connection) => {
          connection.close()
          for (const frame of frames) frame.release()
        },
        closed: ({ kind }) => void reasons.push(kind),
      })
      const client = await bench().connect(server)
      client.write(Buffer.concat([framed(body), framed(body)]))
      await client.takeRest()
      await server.until(() => reasons.length > 0)
      await fewTurns()
      expect(reasons).toEqual(['local'])
    })
  })

  describe('an exception', () => {
    test('in frames closes that connection only, and its frames are not counted any more', async () => {
      const server = await bench().serve({
        frames: (frames, connection) => {
          if (connection === server.connections[0]) throw new Error('planted')
          for (const frame of frames) echo(frame, connection)
        },
      })
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      const other = await bench().connect(server)
      client.write(framed(body))
      other.write(framed(body))
      const reason = await server.reasonOf(server.connections[0]!)
      expect(reason.kind).toBe('callback')
      expect(reason.detail).toContain('planted')
      await client.takeRest()
      expect((await other.takeFrame()).equals(Buffer.from(body))).toBe(true)
    })

    test('in drained closes that connection only', async () => {
      const server = await bench().serve({
        drained: () => {
          throw new Error('planted')
        },
      })
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      for (let at = 0; at < 32; at++) server.connections[0]!.send([new Uint8Array(1_000_000)])
      await client.takeRest()
      expect((await server.reasonOf(server.connections[0]!)).kind).toBe('callback')
    })

    test('in closed hurts nobody', async () => {
      const server = await bench().serve({
        closed: () => {
          throw new Error('planted')
        },
      })
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      client.duplex.end()
      await server.reasonOf(server.connections[0]!)
      const other = await bench().connect(server)
      other.write(framed(body))
      await other.takeFrame()
    })

    test('in accepted, as a refusal, closes the connection', async () => {
      const { network } = bench().under
      let count = 0
      const events: (() => ConnectionEvents | null)[] = [
        () => null,
        () => {
          throw new Error('planted')
        },
      ]
      const listener = await network.listen(
        { host: '127.0.0.1', port: 0, frameSizeMax: 1000, requestMemoryMax: 1_000_000 },
        { accepted: () => events[count++]!(), acceptFailed: () => {} },
      )
      for (let at = 0; at < 2; at++) {
        const duplex = await bench().under.connect(listener.host, listener.port)
        await new Promise<void>(resolve => {
          duplex.on('error', () => {})
          duplex.on('end', () => duplex.destroy())
          duplex.on('close', resolve)
          duplex.resume()
        })
      }
      expect(count).toBe(2)
      await listener.close()
    })
  })

  describe('listening', () => {
    test('a taken port is refused with its code', async () => {
      const server = await bench().serve()
      const { host, port } = server.listener
      await expect(bench().serve({}, { host, port })).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'EADDRINUSE',
      })
    })

    test('after close nobody is accepted, and connections live on', async () => {
      const server = await bench().serve()
      const { host, port } = server.listener
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      await server.listener.close()
      await expect(bench().under.connect(host, port)).rejects.toMatchObject({
        code: 'ECONNREFUSED',
      })
      client.write(framed(body))
      expect((await client.takeFrame()).equals(Buffer.from(body))).toBe(true)
      const again = await bench().serve({}, { host, port })
      expect(again.listener.port).toBe(port)
    })
  })
}
