import { beforeEach, describe, expect, test } from 'vitest'
import { Served, answered, ask, askProduce, id } from '../../../test/helpers/served.ts'

let t: Served

beforeEach(() => {
  t = new Served()
})

describe('waiting', () => {
  test('whoever is parked is told that the connection closed, and its answer goes nowhere', async () => {
    await t.start()
    const client = t.connect()
    client.arrive(ask(1), ask(2))
    const told: number[] = []
    t.contexts.get(1)!.onClosed(() => told.push(1))
    t.contexts.get(2)!.onClosed(() => told.push(2))
    client.leave()
    expect(told).toEqual([1, 2])
    t.contexts.get(2)!.onClosed(() => told.push(3))
    expect(told).toEqual([1, 2, 3])
    await t.answer(1)
    expect(client.sends).toEqual([])
    expect(t.server.connectionCount).toBe(0)
  })

  test('an idle connection is closed; one that is owed an answer is not', async () => {
    await t.start({ connectionsMaxIdleMs: 1000 })
    const [idle, owed] = [t.connect(), t.connect()]
    idle.arrive(ask(1))
    await t.answer(1)
    owed.arrive(ask(2))
    await t.clock.run(900)
    expect(idle.closedBy).toBeNull()
    await t.clock.run(300)
    expect(idle.closedBy?.kind).toBe('local')
    expect(owed.closedBy).toBeNull()
    expect(await t.metric('logcluster_connections_closed_total{reason="idle"}')).toMatch(/ 1$/)
    await t.answer(2)
    await t.clock.run(1300)
    expect(owed.closedBy).not.toBeNull()
  })

  test('a frame that does not become complete closes its connection (slowloris)', async () => {
    await t.start({ connectionsFrameTimeoutMs: 1000 })
    const [slow, steady, paused] = [t.connect(), t.connect(), t.connect()]
    for (let step = 0; step < 20; step++) {
      slow.partialBytes++
      steady.partialBytes = 5
      if (step % 5 === 0) steady.arrive(ask(100 + step))
      paused.partialBytes = 0
      await t.clock.run(100)
    }
    expect(slow.closedBy?.kind).toBe('local')
    expect(t.line('Closed a connection for a fault')).toMatchObject({ reason: 'frame-timeout' })
    expect(steady.closedBy).toBeNull()
    expect(paused.closedBy).toBeNull()
  })

  test('what was sent while the broker stood still is read before anybody is blamed', async () => {
    await t.start({ connectionsFrameTimeoutMs: 1000, connectionsMaxIdleMs: 2000 })
    const [whole, half, quiet] = [t.connect(), t.connect(), t.connect()]
    whole.partialBytes = 5
    half.partialBytes = 5
    await t.clock.run(500)
    t.life.stop()
    await t.clock.run(60_000)
    t.life.resume()
    await t.clock.settle()
    // Now its sockets are read.
    whole.partialBytes = 0
    whole.arrive(ask(1))
    await t.clock.run(150)
    expect([whole.closedBy, half.closedBy?.kind, quiet.closedBy?.kind]).toEqual([
      null,
      'local',
      'local',
    ])
  })

  test('a frame that we ourselves hold up is not blamed on the client', async () => {
    await t.start({ connectionsFrameTimeoutMs: 1000, connectionsRequestsInFlightMax: 1 })
    const client = t.connect()
    client.arrive(ask(1))
    client.partialBytes = 3
    await t.clock.run(5000)
    expect(client.closedBy).toBeNull()
    await t.answer(1)
    await t.clock.run(1300)
    expect(client.closedBy).not.toBeNull()
  })

  test('one that is not read for want of memory has four times as long, and no more', async () => {
    await t.start({ connectionsFrameTimeoutMs: 1000 })
    const [client, fed] = [t.connect(), t.connect()]
    for (const each of [client, fed]) {
      each.partialBytes = 3
      each.isStarved = true
    }
    await t.clock.run(2000)
    fed.isStarved = false
    await t.clock.run(300)
    expect([client.closedBy, fed.closedBy]).toEqual([null, null])
    await t.clock.run(400)
    expect([client.closedBy, fed.closedBy?.kind]).toEqual([null, 'local'])
    expect(t.line('Closed a connection for a fault')).toMatchObject({ reason: 'frame-timeout' })
    await t.clock.run(1000)
    expect(client.closedBy).toBeNull()
    await t.clock.run(700)
    expect(client.closedBy?.kind).toBe('local')
  })

  test('a peer that takes nothing for the idle time is closed; one that takes slowly is not', async () => {
    await t.start({ connectionsMaxIdleMs: 1000 })
    t.act = number => id(number)
    const [stuck, slow] = [t.connect(), t.connect()]
    for (const client of [stuck, slow]) {
      client.isStuck = true
      client.arrive(ask(1))
    }
    for (let step = 0; step < 20; step++) {
      slow.queuedBytes--
      await t.clock.run(100)
    }
    expect(stuck.closedBy?.kind).toBe('local')
    expect(t.line('Closed a connection for a fault')).toMatchObject({ reason: 'stuck-output' })
    expect(slow.closedBy).toBeNull()
  })
})

describe('pressure', () => {
  test('connections that have produced are not read while too much is dirty', async () => {
    await t.start()
    const [producer, consumer, fresh] = [t.connect(), t.connect(), t.connect()]
    producer.arrive(askProduce(1))
    consumer.arrive(ask(2))
    t.server.setPressure(true)
    expect(producer.isPaused).toBe(true)
    expect(consumer.isPaused).toBe(false)
    fresh.arrive(askProduce(3), askProduce(4))
    expect(fresh.isPaused).toBe(true)
    expect(fresh.answers()).toHaveLength(1)
    t.server.setPressure(false)
    expect(producer.isPaused).toBe(false)
    expect(fresh.isPaused).toBe(false)
    expect(fresh.answers()).toHaveLength(2)
    expect(await t.metric('logcluster_pressure_pauses_total')).toMatch(/ 1$/)
  })
})

describe('start and stop', () => {
  test('a stop answers what was taken, takes nothing more, and waits for the output', async () => {
    await t.start()
    const [busy, quiet, slow] = [t.connect(), t.connect(), t.connect()]
    busy.arrive(ask(1), ask(2))
    slow.isStuck = true
    slow.arrive(ask(3))
    await t.answer(3)
    let isStopped = false
    const stopped = t.server.stop().then(() => (isStopped = true))
    await t.clock.settle()
    expect(t.network.listening.size).toBe(0)
    expect(quiet.closedBy?.kind).toBe('local')
    expect(busy.isPaused).toBe(true)
    busy.arrive(ask(4))
    await t.answer(2)
    await t.answer(1)
    expect(answered(busy)).toEqual([1, 2])
    expect(busy.closedBy?.kind).toBe('local')
    expect(t.handled).not.toContain(4)
    expect(isStopped).toBe(false)
    slow.take()
    await stopped
    expect(t.server.connectionCount).toBe(0)
    expect(t.clock.timerCount).toBe(0)
  })

  test('whoever waits is told of a stop, and whoever comes to wait after it', async () => {
    await t.start({ connectionsRequestsInFlightMax: 1 })
    const client = t.connect()
    client.arrive(ask(1), ask(2))
    const told: number[] = []
    t.contexts.get(1)!.onStopping(() => told.push(1))
    const stopped = t.server.stop()
    await t.clock.settle()
    expect(told).toEqual([1])
    await t.answer(1)
    t.contexts.get(2)!.onStopping(() => told.push(2))
    expect(told).toEqual([1, 2])
    await t.answer(2)
    await stopped
  })

  test('what takes longer than the setting is dropped', async () => {
    await t.start({ gracefulStopTimeoutMs: 1000 })
    const client = t.connect()
    client.arrive(ask(1))
    const stopped = t.server.stop()
    await t.clock.run(900)
    expect(client.closedBy).toBeNull()
    await t.clock.run(200)
    await stopped
    expect(client.closedBy?.kind).toBe('local')
    expect(t.line('Dropped requests that took too long')).toMatchObject({ connections: 1 })
  })

  test('a poll that waits for room is answered too before a stop ends', async () => {
    await t.start({ connectionsRequestsInFlightMax: 1 })
    const client = t.connect()
    client.arrive(ask(1), ask(2))
    const stopped = t.server.stop()
    await t.clock.settle()
    await t.answer(1)
    await t.answer(2)
    await stopped
    expect(answered(client)).toEqual([1, 2])
  })

  test('a listener that cannot start takes the others down with it', async () => {
    t.network.taken.add(9093)
    await expect(t.start({}, 'A://127.0.0.1:9092,B://127.0.0.1:9093')).rejects.toThrow(/taken/)
    expect(t.network.listening.size).toBe(0)
  })

  test('a request knows by which listener it came', async () => {
    await t.start({}, 'A://127.0.0.1:9092,B://127.0.0.1:9093')
    t.network.dial(9093)!.arrive(ask(1))
    expect(t.contexts.get(1)).toMatchObject({
      listenerName: 'B',
      local: { port: 9093 },
      clientId: 'tester',
      apiVersion: 1,
    })
    expect(t.server.listeners.map(({ name }) => name)).toEqual(['A', 'B'])
  })
})
