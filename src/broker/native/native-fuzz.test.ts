import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Connection, Frame, OutPart } from '../../env/network.ts'
import { Prng } from '../../lib/prng.ts'
import { poisonedNetwork } from '../../../sim/poisoned-network.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

/** Clients and a server that do what they like, by seed: whatever comes is whole, and nothing is left behind. */

const { native } = nativeForTests()
const network = poisonedNetwork(native.network)
const folder = mkdtempSync(join(tmpdir(), 'native-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = native.disk.open(join(folder, 'segment'), 'create')
file.write(0, [new Prng(1).bytes(1 << 20)])
afterAll(() => file.close())

test.each(Array.from({ length: 24 }, (_, seed) => seed))('seed %i', async seed => {
  const prng = new Prng(seed)
  const stream = network.openStream()
  const kept: Frame[] = []
  const wrong: number[] = []
  const open = new Set<Connection>()
  const listener = await network.listen(
    {
      host: '127.0.0.1',
      port: 0,
      frameSizeMax: 400_000,
      requestMemoryMax: prng.pick([1000, 300_000, 100_000_000]),
    },
    {
      acceptFailed: () => {},
      accepted: connection => {
        if (prng.chance(1, 20)) return null
        open.add(connection)
        return {
          frames: frames => {
            for (const frame of frames) {
              if (!isWhole(frame.bytes)) wrong.push(frame.bytes.length)
              if (prng.chance(1, 3)) kept.push(frame)
              else frame.release()
              act(connection)
            }
            if (prng.chance(1, 60)) throw new Error('planted')
          },
          drained: () => act(connection),
          closed: () => void open.delete(connection),
        }
      },
    },
  )

  function act(connection: Connection): void {
    if (prng.chance(1, 2)) connection.send(answer(prng, stream))
    if (prng.chance(1, 30)) connection.pause()
    if (prng.chance(1, 10)) connection.resume()
    if (prng.chance(1, 80)) connection.end()
    if (prng.chance(1, 80)) connection.close()
    if (prng.chance(1, 4))
      kept
        .splice(prng.below(kept.length + 1), 1)
        .at(0)
        ?.release()
  }

  let running = true
  const releasing = setInterval(() => {
    for (const frame of kept.splice(0, running ? 3 : kept.length)) frame.release()
    // Who is paused does not hear that the peer has gone.
    if (!running) for (const connection of open) connection.resume()
  }, 1)
  await Promise.all([
    ...Array.from({ length: 9 }, () => client(prng, listener.port)),
    ...Array.from({ length: 4 }, () => dialled(prng, listener.port)),
  ])
  running = false
  await until(() => open.size === 0 && kept.length === 0)
  clearInterval(releasing)
  await listener.close()
  stream.close()
  expect(wrong).toEqual([])
  await until(() => network.counters.requestMemoryBytes === 0)
})

/** Sends whole frames in arbitrary pieces, perhaps nonsense in the end, reads or not, and leaves somehow. */
async function client(prng: Prng, port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  if (prng.chance(2, 3)) socket.resume()
  const frames = Array.from({ length: 1 + prng.below(30) }, () => frame(prng))
  if (prng.chance(1, 4)) frames.push(Buffer.from(prng.bytes(1 + prng.below(40))))
  const bytes = Buffer.concat(frames)
  for (let at = 0; at < bytes.length && !socket.destroyed;) {
    const length = prng.chance(1, 4) ? 1 + prng.below(10) : 1 + prng.below(200_000)
    socket.write(bytes.subarray(at, at + length))
    at += length
    if (prng.chance(1, 2)) await new Promise(resolve => setImmediate(resolve))
  }
  await leave(socket, prng)
}

/** The same over a connection of the addon's: what it is answered are frames only by chance. */
async function dialled(prng: Prng, port: number): Promise<void> {
  const limits = { frameSizeMax: 400_000, timeoutMs: 60_000 }
  const kept: Frame[] = []
  const connection = await native.network.connect(
    { host: '127.0.0.1', port, ...limits },
    {
      frames: frames => {
        for (const each of frames) {
          if (prng.chance(1, 3)) kept.push(each)
          else each.release()
        }
        if (prng.chance(1, 20)) throw new Error('planted')
      },
      drained: () => {},
      closed: () => {},
    },
  )
  for (let left = 1 + prng.below(30); left > 0; left--) {
    connection.send([frame(prng)])
    if (prng.chance(1, 8)) connection.pause()
    if (prng.chance(1, 4)) connection.resume()
    if (prng.chance(1, 2)) await new Promise(resolve => setImmediate(resolve))
  }
  if (prng.chance(1, 3)) connection.end()
  for (let turn = prng.below(30); turn > 0; turn--) {
    await new Promise(resolve => setImmediate(resolve))
  }
  connection.close()
  for (const each of kept) each.release()
}

async function leave(socket: Socket, prng: Prng): Promise<void> {
  for (let turn = prng.below(30); turn > 0; turn--) {
    await new Promise(resolve => setImmediate(resolve))
  }
  if (prng.chance(1, 3)) socket.resetAndDestroy()
  else socket.destroy()
}

/** The body's bytes follow from its length and its first byte. */
function frame(prng: Prng): Buffer {
  const length = prng.chance(1, 8) ? 8 + prng.below(390_000) : 8 + prng.below(2000)
  const bytes = Buffer.alloc(4 + length)
  bytes.writeUInt32BE(length)
  const first = prng.below(256)
  for (let at = 0; at < length; at++) bytes[4 + at] = first + at * 7
  return bytes
}

function isWhole(bytes: Uint8Array): boolean {
  return bytes.every((byte, at) => byte === ((bytes[0]! + at * 7) & 0xff))
}

function answer(prng: Prng, stream: ReturnType<typeof network.openStream>): OutPart[] {
  return Array.from({ length: prng.below(5) }, () => {
    if (prng.chance(1, 2)) return new Uint8Array(prng.below(prng.chance(1, 10) ? 300_000 : 100))
    const length = prng.below(prng.chance(1, 2) ? 20_000 : 500_000)
    return { file, position: prng.below(1000), length, cold: prng.chance(1, 2), stream }
  })
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setTimeout(resolve, 2))
}
