import { createHash } from 'node:crypto'
import type { DiskFile } from '../../src/env/disk.ts'
import type { Connection, Frame, OutPart, SendStream } from '../../src/env/network.ts'
import { Prng } from '../../src/lib/prng.ts'
import { framed, TestClient } from './network-client.ts'
import type { NetworkUnderTest } from './network-bench.ts'
import { TestServer } from './network-server.ts'

const fileBytes = 1_500_000

export interface SessionResult {
  readonly sentBytes: number
  readonly digest: string
}

/**
 * One scripted session: a client that pipelines, pauses and cuts its requests anywhere, and a server whose answers
 * mix bytes with file ranges, hot and cold, some of them given later. What the client gets must depend on `seed` only.
 */
export async function scriptedSession(
  under: NetworkUnderTest,
  seed: number,
): Promise<SessionResult> {
  const content = new Prng(seed).bytes(fileBytes)
  const file = under.disk.open(`${under.root}/session`, 'create')
  file.write(0, [content])
  const streams: SendStream[] = []
  const late: Late[] = []
  const answer = (frames: readonly Frame[], connection: Connection): void => {
    const stream = (streams[0] ??= connection.openStream())
    for (const frame of frames) answerFrame({ frame, connection, file, stream, late })
  }
  const server = await TestServer.start(under.network, { frames: answer })
  const client = new TestClient(await under.connect(server.listener.host, server.listener.port))
  const expected = await runClient(client, content, new Prng(seed + 1))
  client.duplex.end()
  await server.stop()
  streams[0]?.close()
  file.close()
  if (!expected.got.equals(expected.promised))
    throw new Error('an answer is not what was asked for')
  const digest = createHash('sha256').update(expected.got).digest('hex')
  return { sentBytes: expected.got.length, digest }
}

interface Late {
  readonly frame: Frame
  readonly parts: readonly OutPart[]
}

interface Answering {
  readonly frame: Frame
  readonly connection: Connection
  readonly file: DiskFile
  readonly stream: SendStream
  readonly late: Late[]
}

/** A request is a number of (position, length, flags); answers keep its order, also those that come later. */
function answerFrame({ frame, connection, file, stream, late }: Answering): void {
  const request = Buffer.from(frame.bytes)
  const parts: OutPart[] = [prefixOf(request)]
  for (let at = 0; at < request.length; at += 12) {
    const position = request.readUInt32BE(at)
    const length = request.readUInt32BE(at + 4)
    const flags = request.readUInt32BE(at + 8)
    parts.push(request.subarray(at, at + 12))
    parts.push({ file, position, length, cold: (flags & 1) === 1, stream })
  }
  const isLate = (request.readUInt32BE(8) & 2) === 2
  late.push({ frame, parts })
  if (isLate && late.length === 1) setImmediate(() => flushLate(connection, late))
  else if (late.length === 1) flushLate(connection, late)
}

function flushLate(connection: Connection, late: Late[]): void {
  for (const { frame, parts } of late.splice(0)) {
    connection.send(parts)
    frame.release()
  }
}

function prefixOf(request: Buffer): Buffer {
  let bytes = request.length
  for (let at = 4; at < request.length; at += 12) bytes += request.readUInt32BE(at)
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(bytes)
  return prefix
}

async function runClient(
  client: TestClient,
  content: Uint8Array,
  prng: Prng,
): Promise<{ got: Buffer; promised: Buffer }> {
  const promised: Buffer[] = []
  const requests: Buffer[] = []
  for (let at = 0; at < 40; at++) {
    const { request, parts } = makeRequest(prng, content)
    requests.push(framed(request))
    promised.push(prefixOf(request), ...parts)
  }
  const stream = Buffer.concat(requests)
  for (let at = 0; at < stream.length;) {
    const length = prng.chance(1, 3) ? 1 + prng.below(8) : 1 + prng.below(400)
    client.write(stream.subarray(at, at + length))
    at += length
    if (prng.chance(1, 4)) await new Promise(resolve => setImmediate(resolve))
    if (prng.chance(1, 20)) client.duplex.pause()
    if (prng.chance(1, 4)) client.duplex.resume()
  }
  client.duplex.resume()
  const all = Buffer.concat(promised)
  return { got: await client.take(all.length), promised: all }
}

function makeRequest(prng: Prng, content: Uint8Array): { request: Buffer; parts: Buffer[] } {
  const rangeCount = 1 + prng.below(5)
  const request = Buffer.alloc(12 * rangeCount)
  const parts: Buffer[] = []
  const isLate = prng.chance(1, 4)
  for (let range = 0; range < rangeCount; range++) {
    const length = prng.pick([
      0,
      1,
      prng.below(5000),
      16_384,
      prng.below(100_000),
      prng.below(900_000),
    ])
    const position = prng.below(content.length - length)
    const flags = (prng.chance(1, 3) ? 1 : 0) | (isLate ? 2 : 0)
    request.writeUInt32BE(position, range * 12)
    request.writeUInt32BE(length, range * 12 + 4)
    request.writeUInt32BE(flags, range * 12 + 8)
    parts.push(request.subarray(range * 12, range * 12 + 12))
    parts.push(Buffer.from(content.subarray(position, position + length)))
  }
  return { request, parts }
}
