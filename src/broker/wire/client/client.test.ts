import { beforeEach, describe, expect, test } from 'vitest'
import type { SimClock } from '../../../../sim/clock.ts'
import { ask, ClientWorld, frame } from '../../../../test/helpers/client-world.ts'
import { int32 } from '../../../../test/helpers/numbers.ts'
import type { Heard, ScriptedBroker } from '../../../../test/helpers/scripted-broker.ts'
import type { Connection, ConnectionEvents, ConnectOptions, Network } from '../../../env/env.ts'
import { Prng } from '../../../lib/prng.ts'
import { fetch, initProducerId, produce } from '../messages/index.ts'
import { WireClient } from './client.ts'
import { Versions } from './versions.ts'

let world: ClientWorld
let clock: SimClock
let broker: ScriptedBroker

beforeEach(async () => {
  world = await ClientWorld.start()
  ;({ clock, broker } = world)
})

describe('requests', () => {
  test('leave at once, and each gets its own answer, however late and however cut', async () => {
    const held: Heard[] = []
    const client = await world.connected(heard => void held.push(heard))
    const answers = Array.from({ length: 50 }, (_, number) => ask(client, number))
    await clock.settle()
    expect(held).toHaveLength(50)
    expect(client.inFlightCount).toBe(50)
    for (const heard of held) world.answerTo(heard)
    const ids = (await Promise.all(answers)).map(({ producerId }) => producerId)
    expect(ids).toEqual(Array.from({ length: 50 }, (_, number) => number))
    expect(client.inFlightCount).toBe(0)
  })

  test('an answer that overtakes another ends the connection, and nobody gets a foreign answer', async () => {
    const held: Heard[] = []
    const client = await world.connected(heard => void held.push(heard))
    const answers = [ask(client, 1), ask(client, 2)]
    await clock.settle()
    world.answerTo(held[1]!)
    world.answerTo(held[0]!)
    const settled = await Promise.allSettled(answers)
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await client.closed).toMatchObject({
      reason: 'protocol',
      message: `broker:9092 sent answer ${held[1]!.correlationId} where ${held[0]!.correlationId} was due`,
    })
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
  })

  test('an answer that nobody waits for ends the connection', async () => {
    const client = await world.connected(() => {})
    broker.connections[0]!.send([frame(int32(77), int32(0))])
    expect(await client.closed).toMatchObject({
      reason: 'protocol',
      message: 'broker:9092 sent answer 77 where none was awaited',
    })
  })

  test('an answer that cannot be read ends the connection', async () => {
    const client = await world.connected(({ correlationId, connection }) =>
      connection.send([frame(int32(correlationId), Uint8Array.of(0, 1, 2))]),
    )
    await expect(Promise.all([ask(client, 1), ask(client, 2)])).rejects.toMatchObject({
      reason: 'protocol',
      message: expect.stringContaining('InitProducerId response v') as string,
    })
    expect(client.isOpen).toBe(false)
  })

  test('an answer above the limit ends the connection before it comes', async () => {
    const client = await world.connected(({ connection }) => connection.send([int32(4097)]), {
      frameSizeMax: 4096,
    })
    await expect(ask(client, 1)).rejects.toMatchObject({
      reason: 'protocol',
      message: expect.stringContaining('4097') as string,
    })
  })

  test('records of an answer outlive the frame that they came in', async () => {
    const records = new Prng(9).bytes(3000)
    const client = await world.connected(answerFetch(records))
    const answer = await client.request(fetch, anything)
    expect(answer.responses[0]!.partitions[0]!.records).toEqual(records)
  })

  test('records that are borrowed are the frame itself, until it is given back', async () => {
    const records = new Prng(9).bytes(3000)
    const client = await world.connected(answerFetch(records))
    const answer = await client.borrow(fetch, anything)
    client.close()
    await clock.settle()
    const borrowed = answer.value.responses[0]!.partitions[0]!.records
    expect(borrowed).toEqual(records)
    answer.release()
    expect(borrowed).not.toEqual(records)
  })

  test('one without an answer takes none from another', async () => {
    const client = await world.connected(heard => {
      if (heard.api === initProducerId) world.answerTo(heard)
    })
    const empty = { transactionalId: null, timeoutMs: 1, topicData: [] }
    client.send(produce, { ...empty, acks: 0 })
    expect((await ask(client, 5)).producerId).toBe(5)
    expect(broker.heard.map(({ api }) => api?.name)).toEqual(['Produce', 'InitProducerId'])
  })

  test('more than may wait are refused, and are not sent', async () => {
    const held: Heard[] = []
    const client = await world.connected(heard => void held.push(heard), { inFlightMax: 2 })
    const answers = [ask(client, 1), ask(client, 2)]
    await expect(ask(client, 3)).rejects.toMatchObject({ reason: 'in-flight' })
    await clock.settle()
    for (const heard of held) world.answerTo(heard)
    expect((await Promise.all(answers)).map(({ producerId }) => producerId)).toEqual([1, 2])
    await Promise.all([ask(client, 4), clock.settle().then(() => world.answerTo(held[2]!))])
    expect(held).toHaveLength(3)
  })
})

const anything = {
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1,
  isolationLevel: 0,
  sessionId: 0,
  topics: [],
  forgottenTopicsData: [],
  rackId: '',
}

function answerFetch(records: Uint8Array): (heard: Heard) => void {
  const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1 }
  const partitions = [{ ...partition, abortedTransactions: null, records }]
  const responses = [{ topic: 't', partitions }]
  return heard =>
    broker.answer(heard, fetch, { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses })
}

describe('deadlines', () => {
  test('one that is over ends the connection, and rejects whatever waits', async () => {
    const client = await world.connected(() => {}, { requestTimeoutMs: 5000 })
    const settled = Promise.allSettled([ask(client, 1), ask(client, 2, { timeoutMs: 60_000 })])
    await clock.run(4999)
    expect(client.isOpen).toBe(true)
    await clock.run(1)
    const late = {
      reason: 'timeout',
      message: /^broker:9092 did not answer InitProducerId v\d within 5000 ms$/,
    }
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { reason: late.reason } })
      expect((outcome as PromiseRejectedResult).reason).toHaveProperty(
        'message',
        expect.stringMatching(late.message),
      )
    }
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
    expect(clock.timerCount).toBe(0)
  })

  test('of a later request may be the earlier one', async () => {
    const client = await world.connected(() => {})
    const settled = Promise.allSettled([
      ask(client, 1, { timeoutMs: 60_000 }),
      ask(client, 2, { timeoutMs: 100 }),
    ])
    await clock.run(100)
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  test('that was met counts no more, and the next has its own', async () => {
    const client = await world.connected(world.answerTo, { requestTimeoutMs: 1000 })
    await ask(client, 1)
    expect(clock.timerCount).toBe(0)
    await clock.run(999)
    broker.act = () => {}
    const answer = ask(client, 2)
    answer.catch(() => {})
    await clock.run(999)
    expect(client.isOpen).toBe(true)
    await clock.run(1)
    await expect(answer).rejects.toMatchObject({ reason: 'timeout' })
  })

  test('of one that is still waited for is kept when an earlier one was met', async () => {
    const client = await world.connected(heard => {
      const { transactionTimeoutMs } = heard.value as { readonly transactionTimeoutMs: number }
      if (transactionTimeoutMs === 1) world.answerTo(heard)
    })
    const [met, missed] = [ask(client, 1, { timeoutMs: 100 }), ask(client, 2, { timeoutMs: 1000 })]
    missed.catch(() => {})
    expect((await met).producerId).toBe(1)
    await clock.run(999)
    expect(client.isOpen).toBe(true)
    await clock.run(1)
    await expect(missed).rejects.toMatchObject({ reason: 'timeout' })
  })

  test('a peer that accepts and says nothing is given up', async () => {
    broker.act = () => {}
    const connecting = expect(world.connect({ requestTimeoutMs: 2000 })).rejects.toMatchObject({
      reason: 'timeout',
      message: expect.stringContaining('ApiVersions') as string,
    })
    await clock.run(2000)
    await connecting
  })

  test('a place that does not answer is given up', async () => {
    world.network.wires.setSilent(broker.host, broker.port, true)
    const connecting = expect(world.connect({ connectTimeoutMs: 500 })).rejects.toMatchObject({
      reason: 'unreachable',
      cause: { code: 'ETIMEDOUT' },
    })
    await clock.run(500)
    await connecting
  })
})

describe('frames', () => {
  /** A connection whose frames the test hands over, each with a count of its releases. */
  function handed() {
    const releases: number[] = []
    const state: { events: ConnectionEvents | null; isClosed: boolean } = {
      events: null,
      isClosed: false,
    }
    const connection = {
      local: { host: 'here', port: 1 },
      send: () => {},
      close: () => (state.isClosed = true),
    } as unknown as Connection
    const give = (...bodies: readonly Uint8Array[]): void =>
      state.events!.frames(
        bodies.map(bytes => {
          const at = releases.push(0) - 1
          return { bytes, release: () => void releases[at]!++ }
        }),
      )
    const hand = (events: ConnectionEvents): Promise<Connection> => {
      state.events = events
      return Promise.resolve(connection)
    }
    return { releases, state, give, hand }
  }

  const connectBy = (connectTo: (events: ConnectionEvents) => Promise<Connection>) => {
    const network = { connect: (_: ConnectOptions, events: ConnectionEvents) => connectTo(events) }
    const env = { clock, network: network as unknown as Network }
    return WireClient.connect(env, broker, { versions: Versions.assumed() })
  }

  test('go back once each, also those behind one that ends the connection', async () => {
    const { releases, state, give, hand } = handed()
    const client = await connectBy(hand)
    ask(client, 1).catch(() => {})
    give(int32(99), int32(100), int32(101))
    expect(releases).toEqual([1, 1, 1])
    expect(client.isOpen).toBe(false)
    expect(state.isClosed).toBe(true)
  })

  test('that come before the connection is ours end it', async () => {
    const { releases, state, give, hand } = handed()
    const connecting = connectBy(events => {
      const connection = hand(events)
      give(int32(1))
      return connection
    })
    await expect(connecting).rejects.toMatchObject({ reason: 'protocol' })
    expect(releases).toEqual([1])
    expect(state.isClosed).toBe(true)
  })
})

describe('the end', () => {
  test('where nobody listens there is no client', async () => {
    const nowhere = { host: 'broker', port: 1 }
    await expect(WireClient.connect(world, nowhere)).rejects.toMatchObject({
      reason: 'unreachable',
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('a peer that turns us away at once is no peer', async () => {
    broker.isRefusing = true
    await expect(world.connect()).rejects.toMatchObject({ reason: 'closed' })
  })

  test('by the peer rejects what waits, and whatever is asked later', async () => {
    const client = await world.connected(({ connection, value }) => {
      const { transactionTimeoutMs } = value as { readonly transactionTimeoutMs: number }
      if (transactionTimeoutMs === 2) connection.close()
    })
    const settled = await Promise.allSettled([ask(client, 1), ask(client, 2), ask(client, 3)])
    for (const outcome of settled) expect(outcome).toMatchObject({ reason: { reason: 'closed' } })
    expect(await client.closed).toMatchObject({ reason: 'closed' })
    await expect(ask(client, 4)).rejects.toBe(await client.closed)
    const empty = { transactionalId: null, timeoutMs: 1, topicData: [], acks: 0 }
    expect(() => client.send(produce, empty)).toThrow('broker:9092')
  })

  test('by the peer, in the middle of an answer', async () => {
    const client = await world.connected(({ connection, correlationId }) => {
      connection.send([int32(100), int32(correlationId)])
      connection.end()
    })
    await expect(ask(client, 1)).rejects.toMatchObject({
      reason: 'closed',
      message: 'broker:9092 closed the connection',
    })
  })

  test('by us rejects what waits with a clear error, once', async () => {
    const client = await world.connected(() => {})
    const answer = ask(client, 1)
    client.close()
    client.close()
    await expect(answer).rejects.toMatchObject({
      reason: 'local',
      message: 'the connection to broker:9092 was closed here',
    })
    expect(client.isOpen).toBe(false)
    expect((await client.closed).reason).toBe('local')
    await clock.settle()
    expect(broker.ends.map(({ kind }) => kind)).toEqual(['peer'])
    expect(clock.timerCount).toBe(0)
  })
})
