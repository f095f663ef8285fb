import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { SimNetwork } from '../../../sim/network.ts'
import { eventually } from '../../../test/helpers/eventually.ts'
import { poisonedNetwork } from '../../../sim/poisoned-network.ts'
import { ask, header, id } from '../../../test/helpers/served.ts'
import type { Network } from '../../env/env.ts'
import { realClock } from '../../env/real/clock.ts'
import { NodeNetwork } from '../../env/real/network.ts'
import { concat, readInt32, utf8, writeInt32 } from '../../lib/bytes.ts'
import { deferred } from '../../lib/deferred.ts'
import { Prng } from '../../lib/prng.ts'
import { resolveListeners } from '../config/listeners.ts'
import { defaultSettings, type Settings } from '../config/settings.ts'
import { HandlerTable, type Handler } from '../handlers/handler.ts'
import { loadNative } from '../native/load.ts'
import { createLogger } from '../telemetry/logger.ts'
import { Metrics } from '../telemetry/metrics.ts'
import {
  initProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../wire/messages/index.ts'
import { Server } from './server.ts'

const prng = new Prng(7)

/** Answers after a few turns of the loop, so that answers are ready in another order than asked. */
const unsteady: Handler<InitProducerIdRequest, InitProducerIdResponse> = {
  api: initProducerId,
  handle({ transactionTimeoutMs: number }, context) {
    const turns = prng.below(6)
    if (turns === 0) return id(number)
    const release = prng.chance(1, 2) ? context.keepFrame() : () => {}
    const later = deferred<InitProducerIdResponse>()
    const after = (left: number): void => {
      if (left > 0) return realClock.soon(() => after(left - 1))
      release()
      later.resolve(id(number))
    }
    after(turns)
    return later.promise
  },
}

let server: Server | null = null
let lines: Record<string, unknown>[] = []

async function serve(network: Network, changes: Partial<Settings> = {}): Promise<number> {
  lines = []
  server = new Server({
    clock: realClock,
    network,
    settings: defaultSettings(changes),
    listeners: resolveListeners(
      defaultSettings({ listeners: 'PLAINTEXT://127.0.0.1:0' }),
      'machine',
    ),
    handlers: new HandlerTable([unsteady]),
    metrics: new Metrics(),
    logger: createLogger({
      level: 'info',
      clock: realClock,
      stream: { write: line => void lines.push(JSON.parse(line)) },
    }),
    fatal: error => {
      throw error
    },
  })
  await server.start()
  return server.listeners[0]!.port
}

/** What the other end of `duplex` gets until it ends. */
function received(duplex: Duplex): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  duplex.on('data', (chunk: Uint8Array) => void chunks.push(chunk))
  return new Promise(resolve => {
    duplex.on('error', () => {})
    duplex.on('end', () => duplex.end())
    duplex.on('close', () => resolve(concat(chunks)))
  })
}

/** Resolves when `count` answers came. */
function answers(duplex: Duplex, count: number): Promise<number[]> {
  let bytes: Uint8Array = new Uint8Array(0)
  const found: number[] = []
  return new Promise(resolve => {
    duplex.on('data', (chunk: Uint8Array) => {
      bytes = concat([bytes, chunk])
      while (bytes.length >= 4 && bytes.length >= 4 + readInt32(bytes, 0)) {
        found.push(readInt32(bytes, 4))
        bytes = bytes.subarray(4 + readInt32(bytes, 0))
      }
      if (found.length >= count) resolve(found)
    })
  })
}

function framed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 4)
  writeInt32(bytes, 0, body.length)
  bytes.set(body, 4)
  return bytes
}

afterEach(async () => {
  await server?.stop()
  server = null
})

interface World {
  readonly network: Network
  readonly connect: (port: number) => Duplex
}

const worlds: [name: string, make: () => World][] = [
  [
    'the network in memory, cut anywhere',
    () => {
      const network = new SimNetwork(undefined, { prng: new Prng(11) })
      return {
        network: poisonedNetwork(network),
        connect: port => network.wires.connect('127.0.0.1', port),
      }
    },
  ],
  [
    'node:net',
    () => ({
      network: poisonedNetwork(new NodeNetwork()),
      connect: port => connectTcp({ port, host: '127.0.0.1' }),
    }),
  ],
]

const addon = loadNative()
if (addon.ok) {
  const network = poisonedNetwork(addon.native.network)
  worlds.push([
    'the addon',
    () => ({ network, connect: port => connectTcp({ port, host: '127.0.0.1' }) }),
  ])
} else {
  console.warn(`the server is not tested over the addon: ${addon.reason}`)
}

describe.each(worlds)('over %s', (_, make) => {
  test('500 pipelined requests of each of 4 clients are answered in order, 3 at a time', async () => {
    const { network, connect } = make()
    const port = await serve(network, { connectionsRequestsInFlightMax: 3 })
    const numbers = Array.from({ length: 500 }, (_unused, at) => at)
    const stream = concat(numbers.map(number => framed(ask(number))))
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = connect(port)
        const all = answers(client, numbers.length)
        client.write(stream)
        expect(await all).toEqual(numbers)
        client.destroy()
      }),
    )
    const held = () => network.counters.requestMemoryBytes
    await eventually('request memory', held, bytes => bytes === 0)
  })

  test.each([
    ['HTTP', utf8('GET / HTTP/1.1\r\n\r\n'), 'frame'],
    ['a frame above the limit', framed(new Uint8Array(5000)), 'frame'],
    ['a negative length', new Uint8Array([255, 255, 255, 255, 0]), 'frame'],
    ['an unknown API', framed(header(999, 0, 1)), 'unknown-api'],
  ])(
    '%s closes the connection without an answer, and nobody else notices',
    async (_what, bytes, reason) => {
      const { network, connect } = make()
      const port = await serve(network, { socketRequestMaxBytes: 4096 })
      const other = connect(port)
      const client = connect(port)
      const all = received(client)
      client.write(bytes)
      expect(await all).toEqual(new Uint8Array(0))
      await eventually(
        'the line of the log',
        () => lines,
        told => {
          return told.some(line => line['level'] === 'warn' && line['reason'] === reason)
        },
      )
      const answered = answers(other, 1)
      other.write(framed(ask(5)))
      expect(await answered).toEqual([5])
      other.destroy()
    },
  )

  test('a stop answers what was taken and ends the stream', async () => {
    const { network, connect } = make()
    const port = await serve(network)
    const client = connect(port)
    const first = answers(client, 1)
    const all = received(client)
    client.write(concat([framed(ask(1)), framed(ask(2))]))
    await first
    await server!.stop()
    server = null
    expect(readInt32(await all, 4)).toBe(1)
  })
})
