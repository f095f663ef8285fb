import { beforeEach, describe, expect, test } from 'vitest'
import { Served, answered, ask, askProduce, header, id } from '../../../test/helpers/served.ts'
import { InvariantError } from '../../lib/assert.ts'
import { readInt32 } from '../../lib/bytes.ts'

let t: Served

beforeEach(() => {
  t = new Served()
})

describe('order', () => {
  test('answers leave in request order, whatever the order in which they are ready (G13)', async () => {
    await t.start()
    const client = t.connect()
    client.arrive(ask(1), ask(2), ask(3))
    client.arrive(ask(4))
    expect(t.handled).toEqual([1, 2, 3, 4])
    await t.answer(3)
    await t.answer(2)
    expect(client.sends).toEqual([])
    await t.answer(1)
    expect(answered(client)).toEqual([1, 2, 3])
    expect(client.sends).toHaveLength(1)
    await t.answer(4)
    expect(answered(client)).toEqual([1, 2, 3, 4])
  })

  test('requests of one poll that are answered at once leave in one send', async () => {
    await t.start()
    t.act = number => id(number)
    const client = t.connect()
    client.arrive(ask(1), ask(2), ask(3))
    expect(client.sends).toHaveLength(1)
    expect(answered(client)).toEqual([1, 2, 3])
  })

  test('Produces that one write answers leave in one send', async () => {
    await t.start()
    const written = Promise.withResolvers<void>()
    t.whenProduced = written.promise
    const [client, other] = [t.connect(), t.connect()]
    client.arrive(askProduce(1), askProduce(2))
    other.arrive(askProduce(3))
    client.arrive(askProduce(4))
    written.resolve()
    await t.clock.settle()
    expect(client.sends).toHaveLength(1)
    const correlationIds = client.answers().map(bytes => readInt32(bytes, 0))
    expect(correlationIds).toEqual([1, 2, 4])
    expect(other.sends).toHaveLength(1)
  })

  test('a request without an answer (acks=0) holds up nobody', async () => {
    await t.start()
    t.act = number => (number === 2 ? null : undefined)
    const client = t.connect()
    client.arrive(ask(1), ask(2), ask(3))
    await t.answer(3)
    await t.answer(1)
    expect(answered(client)).toEqual([1, 3])
  })

  test('what comes behind a Produce waits until that is done, and another Produce does not', async () => {
    await t.start()
    const written = Promise.withResolvers<void>()
    t.whenProduced = written.promise
    t.act = number => id(number)
    const [client, other] = [t.connect(), t.connect()]
    client.arrive(askProduce(1), askProduce(2), ask(3), askProduce(4))
    other.arrive(ask(5))
    expect(t.handled).toEqual([5])
    expect(client.isPaused).toBe(true)
    t.whenProduced = null
    written.resolve()
    await t.clock.settle()
    expect(t.handled).toEqual([5, 3])
    expect(client.isPaused).toBe(false)
    const correlationIds = client.answers().map(bytes => readInt32(bytes, 0))
    expect(correlationIds).toEqual([1, 2, 3, 4])
  })

  test('one connection does not hold up another (G14)', async () => {
    await t.start()
    const [first, second] = [t.connect(), t.connect()]
    first.arrive(ask(1))
    second.arrive(ask(2))
    await t.answer(2)
    expect(answered(second)).toEqual([2])
    expect(first.sends).toEqual([])
  })
})

describe('bounds', () => {
  test('above its requests in flight a connection is not read, and the rest of the poll waits', async () => {
    await t.start({ connectionsRequestsInFlightMax: 2 })
    const client = t.connect()
    client.arrive(ask(1), ask(2), ask(3), ask(4))
    expect(t.handled).toEqual([1, 2])
    expect(client.isPaused).toBe(true)
    await t.answer(2)
    expect(t.handled).toEqual([1, 2])
    await t.answer(1)
    expect(t.handled).toEqual([1, 2, 3, 4])
    expect(client.isPaused).toBe(true)
    await t.answer(3)
    expect(client.isPaused).toBe(false)
    await t.answer(4)
    expect(answered(client)).toEqual([1, 2, 3, 4])
  })

  test('above its queued output a connection is not read until it was taken', async () => {
    await t.start({ connectionsQueuedOutputBytes: 40 })
    t.act = number => id(number)
    const client = t.connect()
    client.isStuck = true
    client.arrive(ask(1), ask(2), ask(3))
    expect(client.isPaused).toBe(true)
    const before = t.handled.length
    client.take()
    client.take()
    expect(t.handled.length).toBeGreaterThanOrEqual(before)
    expect(t.handled).toEqual([1, 2, 3])
    client.take()
    expect(client.isPaused).toBe(false)
  })

  test('above the output of all, only who took everything is read', async () => {
    await t.start({ queuedMaxOutputBytes: 40 })
    t.act = number => id(number)
    const [stuck, other, next] = [t.connect(), t.connect(), t.connect()]
    stuck.isStuck = true
    stuck.arrive(ask(1), ask(2), ask(3), ask(4), ask(5))
    expect(stuck.isPaused).toBe(true)
    expect(t.handled.length).toBeLessThan(5)
    // Others go on, one request at a time where theirs stays with them too.
    other.arrive(ask(11))
    other.arrive(ask(12))
    expect(answered(other)).toEqual([11, 12])
    expect(other.isPaused).toBe(false)
    next.isStuck = true
    next.arrive(ask(21), ask(22))
    expect(t.handled.filter(number => number > 20)).toEqual([21])
    next.leave()
    for (let times = 0; times < 5; times++) stuck.take()
    expect(answered(stuck)).toEqual([1, 2, 3, 4, 5])
    expect(stuck.isPaused).toBe(false)
  })

  test('what a closed connection had not taken counts no more', async () => {
    await t.start({ queuedMaxOutputBytes: 40 })
    t.act = number => id(number)
    const [stuck, other] = [t.connect(), t.connect()]
    stuck.isStuck = true
    stuck.arrive(ask(1), ask(2), ask(3))
    stuck.leave()
    other.arrive(ask(11), ask(12))
    expect(answered(other)).toEqual([11, 12])
  })

  test('answers that wait for an earlier one count as output', async () => {
    await t.start({ connectionsQueuedOutputBytes: 40 })
    t.act = number => (number === 1 ? undefined : id(number))
    const client = t.connect()
    client.arrive(...[1, 2, 3, 4, 5, 6].map(number => ask(number)))
    expect(t.handled).toEqual([1, 2, 3])
    expect(client.isPaused).toBe(true)
    await t.answer(1)
    expect(answered(client)).toEqual([1, 2, 3, 4, 5, 6])
    expect(client.isPaused).toBe(false)
  })

  test('connections above the limits are turned away, and room comes back', async () => {
    await t.start({ maxConnections: 3, maxConnectionsPerIp: 2 })
    const first = t.connect('10.0.0.1')
    t.connect('10.0.0.1')
    expect(t.isWelcome('10.0.0.1')).toBe(false)
    t.connect('10.0.0.2')
    expect(t.isWelcome('10.0.0.3')).toBe(false)
    expect(
      await t.metric('logcluster_connections_refused_total{reason="max.connections.per.ip"}'),
    ).toMatch(/ 1$/)
    expect(
      await t.metric('logcluster_connections_refused_total{reason="max.connections"}'),
    ).toMatch(/ 1$/)
    first.leave()
    expect(t.goneConnections).toEqual([first.id])
    expect(t.isWelcome('10.0.0.1')).toBe(true)
    expect(await t.metric('logcluster_connections ')).toMatch(/ 3$/)
  })

  test('the bounds of frames and of memory go to the network', async () => {
    await t.start({ socketRequestMaxBytes: 5000, queuedMaxRequestBytes: 9_000_000 })
    expect(t.network.options).toMatchObject({ frameSizeMax: 5000, requestMemoryMax: 9_000_000 })
  })
})

describe('frames', () => {
  test('a frame is released when its handler returned, once', async () => {
    await t.start()
    const client = t.connect()
    client.arrive(ask(1))
    expect(client.releases).toEqual([1])
    await t.answer(1)
    expect(client.releases).toEqual([1])
  })

  test('a kept frame is released by whoever keeps it, even after the connection is gone', async () => {
    await t.start()
    let release = (): void => {}
    t.act = (_, context) => void (release = context.keepFrame())
    const client = t.connect()
    client.arrive(ask(1))
    await t.answer(1)
    expect(client.releases).toEqual([0])
    client.leave()
    expect(client.releases).toEqual([0])
    release()
    expect(client.releases).toEqual([1])
    expect(release).toThrow(InvariantError)
  })

  test('a frame cannot be kept when its handler has returned', async () => {
    await t.start()
    t.connect().arrive(ask(1))
    expect(() => t.contexts.get(1)!.keepFrame()).toThrow(InvariantError)
  })

  test('every frame is released whatever becomes of it', async () => {
    await t.start({ connectionsRequestsInFlightMax: 2 })
    const client = t.connect()
    client.arrive(ask(1), header(999, 0, 2), ask(3))
    client.arrive(ask(4))
    client.leave()
    expect(client.releases).toEqual([1, 1, 1, 1])
    const other = t.connect()
    other.arrive(ask(5), ask(6), ask(7))
    other.leave()
    expect(other.releases).toEqual([1, 1, 1])
  })
})
