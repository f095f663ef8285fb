import { describe, expect, test } from 'vitest'
import type { DiskFile } from '../../src/env/disk.ts'
import type { OutPart, SendStream } from '../../src/env/network.ts'
import { Prng } from '../../src/lib/prng.ts'
import type { NetworkBench } from './network-bench.ts'

const mebibyte = 1024 * 1024

/** File ranges out: exact, in order with bytes, hot and cold, kept open, cut short. */
export function networkFiles(bench: () => NetworkBench): void {
  const content = Buffer.from(new Prng(20).bytes(3 * mebibyte + 5000))
  const makeFile = (): DiskFile => {
    const { disk, root } = bench().under
    const file = disk.open(`${root}/segment`, 'create')
    file.write(0, [content])
    return file
  }
  const range = (file: DiskFile, stream: SendStream, [position, length, cold]: Span): OutPart => ({
    file,
    position,
    length,
    cold,
    stream,
  })

  describe('file ranges', () => {
    test('of every size leave exactly, in order, among bytes, hot and cold', async () => {
      const file = makeFile()
      const server = await bench().serve()
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      const [connection] = server.connections
      const stream = server.connections[0]!.openStream()
      const lengths = [0, 1, 4095, 4096, 4097, 16_384, 16_385, 65_536, mebibyte - 1, 3 * mebibyte]
      let sentBytes = 0
      for (const cold of [false, true]) {
        for (const [at, length] of lengths.entries()) {
          const header = Buffer.from(`header ${at} ${cold};`)
          const position = at * 37
          connection!.send([header, range(file, stream, [position, length, cold]), header])
          sentBytes += length
          const body = content.subarray(position, position + length)
          const expected = Buffer.concat([header, body, header])
          expect((await client.take(expected.length)).equals(expected)).toBe(true)
        }
      }
      await server.until(() => stream.sentBytes() === sentBytes)
      const hitBytes = stream.hitBytes()
      if (hitBytes !== null) expect(hitBytes).toBeLessThanOrEqual(sentBytes)
      const { bytesSendfile, bytesCopied } = bench().under.network.counters
      expect(bytesSendfile + bytesCopied).toBeGreaterThanOrEqual(sentBytes)
      expect(client.bufferedBytes).toBe(0)
      stream.close()
      file.close()
    })

    test('may be many in one answer, for a reader that is slow', async () => {
      const prng = new Prng(21)
      const file = makeFile()
      const server = await bench().serve()
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      const stream = server.connections[0]!.openStream()
      client.duplex.pause()
      const expected: Buffer[] = []
      for (let answer = 0; answer < 20; answer++) {
        const parts: OutPart[] = []
        for (let part = 0; part < 8; part++) {
          const header = Buffer.from(prng.bytes(prng.below(60)))
          const length = prng.chance(1, 4) ? prng.below(800_000) : prng.below(20_000)
          const position = prng.below(content.length - length)
          parts.push(header, range(file, stream, [position, length, prng.chance(1, 2)]))
          expected.push(header, content.subarray(position, position + length))
        }
        server.connections[0]!.send(parts)
      }
      expect(server.connections[0]!.queuedBytes).toBeGreaterThan(0)
      client.duplex.resume()
      const whole = Buffer.concat(expected)
      expect((await client.take(whole.length)).equals(whole)).toBe(true)
      await server.until(() => server.connections[0]!.queuedBytes === 0)
      file.close()
    })

    test('stay readable after their file was closed and unlinked', async () => {
      const file = makeFile()
      const server = await bench().serve()
      const client = await bench().connect(server)
      await server.until(() => server.connections.length === 1)
      const stream = server.connections[0]!.openStream()
      client.duplex.pause()
      server.connections[0]!.send([
        range(file, stream, [0, 3 * mebibyte, false]),
        range(file, stream, [7, 3 * mebibyte, true]),
      ])
      file.close()
      bench().under.disk.unlink(`${bench().under.root}/segment`)
      client.duplex.resume()
      const expected = Buffer.concat([
        content.subarray(0, 3 * mebibyte),
        content.subarray(7, 7 + 3 * mebibyte),
      ])
      expect((await client.take(expected.length)).equals(expected)).toBe(true)
    })

    for (const cold of [false, true]) {
      for (const length of [100, 100_000]) {
        test(`that come up short close the connection (cold ${cold}, ${length} bytes)`, async () => {
          const file = makeFile()
          const server = await bench().serve()
          const client = await bench().connect(server)
          await server.until(() => server.connections.length === 1)
          const stream = server.connections[0]!.openStream()
          const position = content.length - length + 10
          server.connections[0]!.send([
            Buffer.from('header'),
            range(file, stream, [position, length, cold]),
            Buffer.from('never'),
          ])
          const reason = await server.reasonOf(server.connections[0]!)
          expect(reason.kind).toBe('short-file')
          const got = (await client.takeRest()).toString('latin1')
          const promised = `header${content.subarray(position).toString('latin1')}`
          expect(promised.startsWith(got)).toBe(true)
          file.close()
        })
      }
    }
  })
}

type Span = readonly [position: number, length: number, cold: boolean]
