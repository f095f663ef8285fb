import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CloseReason, SendStream } from '../../src/env/network.ts'
import { NodeDisk } from '../../src/env/real/disk.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { poisonedEvents } from '../../sim/poisoned-network.ts'
import { Prng } from '../../src/lib/prng.ts'
import { eventually } from '../helpers/eventually.ts'
import { framed, TestClient } from './network-client.ts'

// A shared key instead of certificates: what is tested is the stream, not who it is.
const tls = { ciphers: 'PSK+HIGH', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
const key = Buffer.alloc(32, 7)
const limits = { frameSizeMax: 10_000_000, requestMemoryMax: 100_000_000 }

let root = ''
beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/logcluster-tls-`)
})
afterEach(() => rmSync(root, { recursive: true }))

test('a TLS socket is a connection like any other: frames, answers, file ranges, the end', async () => {
  const content = new Prng(1).bytes(2_000_000)
  const file = new NodeDisk().open(`${root}/segment`, 'create')
  file.write(0, [content])
  const network = new NodeNetwork()
  const streams: SendStream[] = []
  const { promise: closed, resolve: tellClosed } = Promise.withResolvers<CloseReason>()
  const server = createServer({ ...tls, pskCallback: () => key }, socket => {
    network.attach({ duplex: socket, limits, ...endsOf(socket) }, connection =>
      poisonedEvents({
        frames: frames => {
          for (const frame of frames) {
            const stream = (streams[0] ??= connection.openStream())
            const range = { file, position: 5, length: 1_500_000, cold: false, stream }
            connection.send([framed(frame.bytes), range])
            frame.release()
          }
        },
        drained: () => {},
        closed: tellClosed,
      }),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const socket = connect({
    ...tls,
    port,
    pskCallback: () => ({ psk: key, identity: 'test' }),
    checkServerIdentity: () => undefined,
  })
  const client = new TestClient(socket)
  const body = new Prng(2).bytes(300_000)
  for (let round = 0; round < 3; round++) client.write(framed(body))
  for (let round = 0; round < 3; round++) {
    expect((await client.takeFrame()).equals(Buffer.from(body))).toBe(true)
    const range = await client.take(1_500_000)
    expect(range.equals(Buffer.from(content.subarray(5, 1_500_005)))).toBe(true)
  }
  await eventually(
    'bytes sent',
    () => streams[0]?.sentBytes(),
    bytes => bytes === 4_500_000,
  )
  client.duplex.end()
  expect((await closed).kind).toBe('peer')
  expect(network.counters.requestMemoryBytes).toBe(0)
  server.close()
  file.close()
})

function endsOf(socket: TLSSocket) {
  return {
    remote: { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    local: { host: socket.localAddress ?? '', port: socket.localPort ?? 0 },
  }
}
