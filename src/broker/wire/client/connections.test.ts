import { beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import { SimNetwork } from '../../../../sim/network.ts'
import { simRandom } from '../../../../sim/random.ts'
import { ScriptedBroker } from '../../../../test/helpers/scripted-broker.ts'
import { Prng } from '../../../lib/prng.ts'
import { Connections } from './connections.ts'

let clock: SimClock
let network: SimNetwork
let brokers: ScriptedBroker[]
let connections: Connections

const [one, two, nowhere] = ['one', 'two', 'nowhere'].map(host => ({ host, port: 9092 })) as [
  { host: string; port: number },
  { host: string; port: number },
  { host: string; port: number },
]

beforeEach(async () => {
  clock = new SimClock({ turn: () => new Promise(resolve => setImmediate(resolve)) })
  network = new SimNetwork(undefined, { clock, prng: new Prng(5) })
  brokers = await Promise.all([one, two].map(place => ScriptedBroker.start(network, place)))
  connections = pool([one, two])
})

function pool(bootstrap: readonly { host: string; port: number }[]): Connections {
  return new Connections({ clock, network, random: simRandom(new Prng(1)) }, { bootstrap })
}

const stepMs = 5

/** Simulated milliseconds from asking for the place where nobody listens to its refusal. */
async function pauseBeforeFailing(): Promise<number> {
  const sinceMs = clock.monotonic()
  let hasFailed = false
  connections.at(nowhere).catch(() => (hasFailed = true))
  await clock.settle()
  while (!hasFailed) await clock.run(stepMs)
  return clock.monotonic() - sinceMs
}

describe('an address', () => {
  test('has one client, whoever asks, also while it is being connected', async () => {
    const clients = await Promise.all([connections.at(one), connections.at({ ...one })])
    expect(clients[0]).toBe(clients[1])
    expect(await connections.at(one)).toBe(clients[0])
    expect(await connections.at(two)).not.toBe(clients[0])
    expect(brokers.map(each => each.connections.length)).toEqual([1, 1])
  })

  test('has a new one after it broke', async () => {
    const first = await connections.at(one)
    brokers[0]!.connections[0]!.close()
    await first.closed
    const second = await connections.at(one)
    expect(second).not.toBe(first)
    expect(second.isOpen).toBe(true)
  })

  test('that cannot be reached is tried again after growing pauses, not at once', async () => {
    const pausesMs: number[] = []
    for (let attempt = 0; attempt < 7; attempt++) pausesMs.push(await pauseBeforeFailing())
    const expected = [0, 100, 200, 400, 800, 1000, 1000]
    for (const [at, pauseMs] of pausesMs.entries()) {
      expect(pauseMs).toBeGreaterThanOrEqual(expected[at]! * 0.8)
      expect(pauseMs).toBeLessThanOrEqual(expected[at]! * 1.2 + stepMs)
    }
    // Long after the last attempt there is nothing to wait for.
    await clock.run(10_000)
    expect(await pauseBeforeFailing()).toBe(0)
  })

  test('that comes back is connected, and its pauses begin anew', async () => {
    for (let attempt = 0; attempt < 4; attempt++) await pauseBeforeFailing()
    await clock.run(10_000)
    const back = await ScriptedBroker.start(network, nowhere)
    const client = await connections.at(nowhere)
    back.isRefusing = true
    client.close()
    await client.closed
    expect(await pauseBeforeFailing()).toBe(0)
    back.isRefusing = false
    const again = connections.at(nowhere)
    await clock.run(120)
    expect((await again).isOpen).toBe(true)
  })
})

describe('the bootstrap list', () => {
  test('is tried in its order, until one answers', async () => {
    const pooled = pool([nowhere, two, one])
    expect((await pooled.any()).address).toEqual(two)
    expect((await pooled.any()).address).toEqual(two)
  })

  test('without anybody tells what became of each', async () => {
    const trying = pool([nowhere, { host: 'one', port: 1 }]).any()
    await expect(trying).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringMatching(
        /no broker can be reached: .*nowhere:9092.*; .*one:1/,
      ) as string,
    })
  })
})

test('closed connections close every client, and give none any more', async () => {
  const clients = await Promise.all([connections.at(one), connections.at(two)])
  const late = connections.at(nowhere).catch((error: unknown) => error)
  await clock.settle()
  connections.close()
  await expect(connections.at(one)).rejects.toMatchObject({ reason: 'local' })
  await Promise.all(clients.map(each => each.closed))
  await expect(connections.at(one)).rejects.toMatchObject({ reason: 'local' })
  await expect(connections.any()).rejects.toMatchObject({ reason: 'local' })
  expect(await late).toMatchObject({ reason: 'unreachable' })
  await clock.settle()
  expect(brokers.map(each => each.ends.length)).toEqual([1, 1])
})

test('a pause that outlives the connections ends without an attempt', async () => {
  await pauseBeforeFailing()
  const waiting = connections.at(nowhere)
  waiting.catch(() => {})
  const there = await ScriptedBroker.start(network, nowhere)
  connections.close()
  await clock.run(1000)
  await expect(waiting).rejects.toMatchObject({ reason: 'local' })
  expect(there.connections).toHaveLength(0)
})

test('a client that is connected while the connections are closed is closed too', async () => {
  const connecting = connections.at(one)
  connections.close()
  const client = await connecting
  await client.closed
  expect(client.isOpen).toBe(false)
})
