import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { DiskFile } from '../../env/disk.ts'
import type {
  Connection,
  ConnectionEvents,
  Frame,
  FileRange,
  Listener,
  OutPart,
  SendStream,
} from '../../env/network.ts'
import { Prng } from '../../lib/prng.ts'
import { eventually, measuredAgain } from '../../../test/helpers/eventually.ts'
import { poisonedNetwork } from '../../../sim/poisoned-network.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

/** What is the addon's own, beyond the suite of test/ports that every network passes. */

const { native } = nativeForTests()
const { disk } = native
const network = poisonedNetwork(native.network)
const mebibyte = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'native-network-'))
afterAll(() => rmSync(folder, { recursive: true }))

const content = Buffer.from(new Prng(3).bytes(4 * mebibyte))
let files = 0
const listeners: Listener[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const listener of listeners.splice(0)) await listener.close()
  await eventually(
    'request memory',
    () => network.counters.requestMemoryBytes,
    bytes => bytes === 0,
  )
})

test('pipelined requests for ranges of all sizes get the exact bytes, cold and hot alike', async () => {
  const file = segment()
  for (const cold of [false, true]) {
    const prng = new Prng(9)
    const stream = network.openStream()
    const listener = await serve(frames => {
      for (const [frame, connection] of frames) {
        const { position, length } = wish(frame)
        const header = Buffer.alloc(4)
        header.writeUInt32BE(length)
        connection.send([header, { file, position, length, cold, stream }])
        frame.release()
      }
    })
    const socket = await dial(listener)
    const lengths = [0, 1, 16_384, 16_385, mebibyte, 2 * mebibyte]
    for (let at = 0; at < 60; at++) lengths.push(prng.below(at % 6 === 0 ? mebibyte : 40_000))
    const expected: Buffer[] = []
    const requests: Buffer[] = []
    for (const length of lengths) {
      const position = prng.below(content.length - length)
      requests.push(request(position, length))
      const header = Buffer.alloc(4)
      header.writeUInt32BE(length)
      expected.push(header, content.subarray(position, position + length))
    }
    for (const byte of Buffer.concat(requests.splice(0, 3))) socket.write(Uint8Array.of(byte))
    socket.write(Buffer.concat(requests))
    const whole = Buffer.concat(expected)
    expect((await take(socket, whole.length)).equals(whole)).toBe(true)
    const total = lengths.reduce((sum, length) => sum + length, 0)
    await eventually(
      'bytes sent',
      () => stream.sentBytes(),
      bytes => bytes === total,
    )
    stream.close()
  }
  file.close()
})

test.runIf(measuresHits())('hits: all of a cached file, none of a dropped one', async () => {
  const listener = await serve(() => {})
  const connections = acceptedOf(listener)
  const hits = async (dropped: boolean): Promise<number> => {
    // A new file each time: pages that were sent cannot be dropped while the kernel has not freed the packet. It may
    // put that off until the processor that made the packet receives another one (skb_attempt_defer_free).
    const file = segment()
    await file.sync()
    const socket = await dial(listener)
    await eventually(
      'a connection',
      () => connections.length,
      count => count > 0,
    )
    const connection = connections.pop()!
    if (dropped)
      await eventually(
        'nothing is cached',
        () => cachedAfterDrop(file),
        it => it === 0,
      )
    const stream = network.openStream()
    for (let position = 0; position < content.length; position += mebibyte) {
      connection.send([{ file, position, length: mebibyte, cold: dropped, stream }])
      await take(socket, mebibyte)
    }
    await eventually(
      'bytes sent',
      () => stream.sentBytes(),
      bytes => bytes === content.length,
    )
    file.close()
    return stream.hitBytes()!
  }
  // Measured again where a kernel drops pages by itself, as DAMON does, or reads ahead of what was dropped.
  await measuredAgain(
    'hits of a cached file',
    () => hits(false),
    bytes => bytes === content.length,
  )
  for (let time = 0; time < 2; time++) {
    const few = content.length * 0.05
    await measuredAgain(
      'hits of a dropped file',
      () => hits(true),
      bytes => bytes <= few,
    )
  }
})

test('500 connections torn down in the middle of ranges, from both sides, leave nothing behind', async () => {
  const file = segment()
  const stream = network.openStream()
  const kinds: string[] = []
  const prng = new Prng(11)
  const listener = await serve(
    frames => {
      for (const [frame, connection] of frames) {
        const parts: OutPart[] = []
        for (let part = 0; part < 4; part++) {
          parts.push(new Uint8Array(50), range(file, stream, prng.chance(1, 2)))
        }
        connection.send(parts)
        prng.pick([() => connection.close(), () => connection.end(), () => {}])()
        if (prng.chance(1, 2)) frame.release()
        else setImmediate(() => frame.release())
      }
    },
    reason => void kinds.push(reason),
  )
  const files = openFiles()
  for (let wave = 0; wave < 10; wave++) {
    const wavesSockets = await Promise.all(Array.from({ length: 50 }, () => dial(listener)))
    for (const [at, socket] of wavesSockets.entries()) {
      socket.on('error', () => {})
      socket.write(Buffer.concat([request(0, 1), request(0, 1), Buffer.alloc(at % 5)]))
      if (at % 3 === 0) socket.once('data', () => socket.resetAndDestroy())
      else if (at % 3 === 1) socket.once('data', () => socket.destroy())
      else socket.resume()
    }
    await new Promise(resolve => setTimeout(resolve, 5))
    for (const socket of wavesSockets) socket.destroy()
  }
  await has(kinds, 500)
  stream.close()
  file.close()
  await eventually(`open files, ${files} before`, openFiles, count => count <= files)
  expect(network.counters.requestMemoryBytes).toBe(0)
})

test('a slab lives until its last frame is released, and is used again', async () => {
  const kept: Frame[] = []
  const listener = await serve(frames => void kept.push(...frames.map(([frame]) => frame)))
  const socket = await dial(listener)
  socket.write(Buffer.concat([request(1, 2), request(3, 4)]))
  await has(kept, 2)
  const [first, second] = kept
  expect(Buffer.from(first!.bytes)).toEqual(request(1, 2).subarray(4))
  first!.release()
  expect(Buffer.from(second!.bytes)).toEqual(request(3, 4).subarray(4))
  const { buffer: slab } = second!.bytes
  second!.release()
  socket.write(request(5, 6))
  await has(kept, 3)
  expect(kept[2]!.bytes.buffer).toBe(slab)
  expect(Buffer.from(kept[2]!.bytes)).toEqual(request(5, 6).subarray(4))
  kept[2]!.release()
})

test('frames that an exception left unreleased stay as they are, and are not counted', async () => {
  const kept: Frame[] = []
  const listener = await serve(frames => {
    for (const [frame] of frames) kept.push(frame)
    throw new Error('planted')
  })
  const body = request(5, 6)
  for (let at = 0; at < 5; at++) (await dial(listener)).write(body)
  await has(kept, 5)
  expect(network.counters.requestMemoryBytes).toBe(0)
  for (const frame of kept) expect(Buffer.from(frame.bytes)).toEqual(body.subarray(4))
  kept[0]!.release()
  expect(() => kept[0]!.release()).toThrow('released once')
})

test('more slabs than the pool keeps are given back, and used views turn empty', async () => {
  const kept: Frame[] = []
  const listener = await serve(frames => void kept.push(...frames.map(([frame]) => frame)))
  const body = Buffer.alloc(4 + 12 * mebibyte)
  body.writeUInt32BE(12 * mebibyte)
  const connected = await Promise.all(Array.from({ length: 6 }, () => dial(listener)))
  for (const socket of connected) socket.write(body)
  await has(kept, 6)
  for (const frame of kept) frame.release()
  expect(network.counters.requestMemoryBytes).toBe(0)
  expect(kept.filter(({ bytes }) => bytes.length === 0).length).toBeGreaterThanOrEqual(2)
})

test('bytes that have to wait are copied, so that JavaScript may forget them', async () => {
  const listener = await serve(() => {})
  const connections = acceptedOf(listener)
  const socket = await dial(listener)
  await has(connections, 1)
  const parts = Array.from({ length: 30 }, (_, at) => new Uint8Array(mebibyte).fill(at))
  const expected = Buffer.concat(parts)
  for (const part of parts) {
    connections[0]!.send([part])
    part.fill(255)
  }
  expect((await take(socket, expected.length)).equals(expected)).toBe(true)
})

test('a stream that is closed while its ranges wait is let go with them', async () => {
  const file = segment()
  const listener = await serve(() => {})
  const connections = acceptedOf(listener)
  const socket = await dial(listener)
  await has(connections, 1)
  const stream = network.openStream()
  for (let at = 0; at < 12; at++) connections[0]!.send([range(file, stream, at % 2 === 0)])
  stream.close()
  const others = Array.from({ length: 50 }, () => network.openStream())
  expect((await take(socket, 12 * 900_000)).length).toBe(12 * 900_000)
  for (const other of others) {
    expect(other.sentBytes()).toBe(0)
    other.close()
  }
  file.close()
})

test('files and streams of others are refused', async () => {
  const listener = await serve(() => {})
  const connections = acceptedOf(listener)
  await dial(listener)
  await has(connections, 1)
  const stream = network.openStream()
  const foreign = { ...segment() } as unknown as DiskFile
  expect(() => connections[0]!.send([range(foreign, stream, false)])).toThrow('native disk')
  const file = segment()
  const other = {
    sentBytes: () => 0,
    hitBytes: () => null,
    isSettled: () => false,
    close: () => {},
  }
  expect(() => connections[0]!.send([range(file, other, false)])).toThrow('streams of its own')
})

test('both address families, by address and by name', async () => {
  for (const host of ['127.0.0.1', '::1', 'localhost']) {
    const listener = await serve(() => {}, undefined, host)
    const connections = acceptedOf(listener)
    await dial(listener)
    await has(connections, 1)
    expect(connections[0]!.local).toEqual({ host: listener.host, port: listener.port })
  }
})

type Come = readonly [frame: Frame, connection: Connection]

const acceptedBy = new Map<Listener, Connection[]>()

async function serve(
  frames: (come: readonly Come[]) => void,
  closed: (kind: string) => void = () => {},
  host = '127.0.0.1',
): Promise<Listener> {
  const connections: Connection[] = []
  const limits = { frameSizeMax: 2 ** 25, requestMemoryMax: 2 ** 28 }
  const listener = await network.listen(
    { host, port: 0, ...limits },
    {
      acceptFailed: () => {},
      accepted: (connection): ConnectionEvents => {
        connections.push(connection)
        return {
          frames: come => frames(come.map(frame => [frame, connection])),
          drained: () => {},
          closed: ({ kind }) => closed(kind),
        }
      },
    },
  )
  acceptedBy.set(listener, connections)
  listeners.push(listener)
  return listener
}

function acceptedOf(listener: Listener): Connection[] {
  return acceptedBy.get(listener)!
}

async function dial({ host, port }: Listener): Promise<Socket> {
  const socket = connect({ host, port })
  sockets.push(socket)
  socket.on('error', () => {})
  await new Promise(resolve => socket.once('connect', resolve))
  return socket
}

function segment(): DiskFile {
  const file = disk.open(join(folder, `segment-${files++}`), 'create')
  file.write(0, [content])
  return file
}

function range(file: DiskFile, stream: SendStream, cold: boolean): FileRange {
  return { file, position: 10, length: 900_000, cold, stream }
}

function request(position: number, length: number): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(8)
  bytes.writeUInt32BE(position, 4)
  bytes.writeUInt32BE(length, 8)
  return bytes
}

function wish({ bytes }: Frame): { position: number; length: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return { position: view.readUInt32BE(0), length: view.readUInt32BE(4) }
}

function take(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let got = 0
  return new Promise(resolve => {
    socket.on('data', function onData(chunk: Buffer) {
      parts.push(chunk)
      got += chunk.length
      if (got < length) return
      socket.off('data', onData)
      resolve(Buffer.concat(parts))
    })
  })
}

/** Drops a file's pages, and tells how much of it is cached nevertheless. */
function cachedAfterDrop(file: DiskFile): number {
  file.dropCache(0, content.length)
  return file.residency(0, content.length)!.cachedBytes
}

function measuresHits(): boolean {
  const { isMemory } = disk.fileSystem(folder)
  const probe = segment()
  const isKnown = probe.residency(0, 1) !== null
  probe.close()
  return isKnown && !isMemory && network.openStream().hitBytes() !== null
}

/** Waits until `count` have come. */
async function has(come: readonly unknown[], count: number): Promise<void> {
  await eventually(
    'how many came',
    () => come.length,
    length => length === count,
  )
}

/** Descriptors of this process. */
function openFiles(): number {
  return disk.list('/proc/self/fd').length
}
