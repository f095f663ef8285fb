import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import type { SimDisk } from '../../sim/disk.ts'
import type { Connection, ConnectionEvents, ConnectOptions } from '../../src/env/env.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'
import { BrokerError } from '../../src/operator/brokers/broker-error.ts'
import type { BrokerAccess } from '../../src/operator/brokers/brokers.ts'
import { WireBrokers } from '../../src/operator/brokers/wire-brokers.ts'
import { HeldDisk } from '../helpers/held-disk.ts'
import type { InProcessBroker } from '../helpers/in-process.ts'
import {
  madePrivate,
  passwords,
  privatePort,
  putPassword,
  startPrivate,
} from '../helpers/private-broker.ts'

let broker: InProcessBroker
let brokers: WireBrokers
let access: BrokerAccess

beforeEach(async () => {
  broker = await startPrivate()
  brokers = new WireBrokers({ clock: realClock, random: realRandom, network: new NodeNetwork() })
  access = { host: '127.0.0.1', port: privatePort(broker), password: passwords.operator }
})

afterEach(async () => {
  brokers.close()
  await broker[Symbol.asyncDispose]()
})

/** Tells when the connections that it made ended, and who ended them. */
class WatchedNetwork extends NodeNetwork {
  readonly ends: Promise<string>[] = []

  override connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    const end = deferred<string>()
    this.ends.push(end.promise)
    return super.connect(options, {
      frames: frames => events.frames(frames),
      drained: () => events.drained(),
      closed: reason => {
        events.closed(reason)
        end.resolve(reason.kind)
      },
    })
  }
}

const orders = { name: 'orders', partitionCount: 3, replicationFactor: 1, configs: {} }

test('a broker tells its status', async () => {
  const status = await brokers.status(access)
  expect(status).toMatchObject({ brokerId: 1, isReady: true, offlinePartitions: [], strayCount: 0 })
  expect(Date.now() - status.startedAtMs).toBeLessThan(3_600_000)
})

test('a connection that nobody uses is closed, and the next request makes another', async () => {
  const clock = new SimClock()
  const network = new WatchedNetwork()
  using idle = new WireBrokers({ clock, random: realRandom, network }, { idleMs: 60_000 })
  await idle.status(access)
  await clock.run(59_999)
  await idle.status(access)
  await clock.run(59_999)
  expect(network.ends).toHaveLength(1)
  await clock.run(1)
  expect(await network.ends[0]).toBe('local')
  await idle.status(access)
  expect(network.ends).toHaveLength(2)
})

test('many requests go by one connection', async () => {
  await Promise.all(Array.from({ length: 20 }, () => brokers.status(access)))
  const text = await broker.metrics.text()
  expect(text).toContain('logcluster_connections_accepted_total 1\n')
})

describe('topics', () => {
  test('are made, seen, get more partitions, and go by their id', async () => {
    const [created] = await brokers.createTopics(access, [
      { ...orders, configs: { 'retention.ms': '1000' } },
    ])
    expect(created).toEqual({ topicId: expect.stringMatching(/^[\w-]{22}$/) as string })
    const { topicId } = created as { topicId: string }
    const described = {
      name: 'orders',
      topicId,
      isInternal: false,
      partitionCount: 3,
      replicationFactor: 1,
      leaderlessCount: 0,
    }
    expect(await brokers.describeTopics(access, ['none', 'orders', 'no/name'])).toEqual([
      null,
      described,
      null,
    ])
    expect(await brokers.createPartitions(access, [{ ...orders, partitionCount: 5 }])).toEqual([
      null,
    ])
    expect(await brokers.listTopics(access)).toEqual([{ ...described, partitionCount: 5 }])
    expect(await brokers.deleteTopics(access, [zeroUuid, topicId])).toEqual([
      expect.objectContaining({ error: expect.any(String) as string }),
      null,
    ])
    expect(await brokers.listTopics(access)).toEqual([])
  })

  test('that cannot be made are refused, each with its reason', async () => {
    await brokers.createTopics(access, [orders])
    const [again, wrong] = await brokers.createTopics(access, [
      orders,
      { ...orders, name: 'odd', configs: { 'retention.mss': '1' } },
    ])
    expect(again).toMatchObject({ error: 'TOPIC_ALREADY_EXISTS' })
    expect(wrong).toMatchObject({ error: 'INVALID_CONFIG' })
    expect((wrong as { message: string }).message).toContain('retention.ms')
    expect(await brokers.createPartitions(access, [{ ...orders, partitionCount: 2 }])).toEqual([
      expect.objectContaining({ error: 'INVALID_PARTITIONS' }),
    ])
  })

  test('are not made by asking for them', async () => {
    await brokers.describeTopics(access, ['orders'])
    expect(await brokers.listTopics(access)).toEqual([])
  })
})

test('configs are set, described with where they come from, and taken back', async () => {
  await brokers.createTopics(access, [orders])
  const topic = { kind: 'topic', name: 'orders' } as const
  const own = { kind: 'broker', id: 1 } as const
  const common = { kind: 'all brokers' } as const
  const changed = await brokers.alterConfigs(access, [
    { of: topic, configs: { 'retention.ms': '2000' } },
    { of: own, configs: { 'log.retention.ms': '3000' } },
    { of: common, configs: { 'log.segment.bytes': '1048576' } },
    { of: { kind: 'topic', name: 'none' }, configs: { 'retention.ms': '1' } },
    { of: { kind: 'broker', id: 7 }, configs: {} },
  ])
  expect(changed.slice(0, 3)).toEqual([null, null, null])
  expect(changed[3]).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' })
  const sourcesOf = async () => {
    const [ofTopic, ofBroker] = await brokers.describeConfigs(access, [topic, own])
    if (!(ofTopic instanceof Map) || !(ofBroker instanceof Map)) throw new Error('refused')
    return [ofTopic.get('retention.ms'), ofBroker.get('log.retention.ms'), ofBroker.get('node.id')]
  }
  expect(await sourcesOf()).toMatchObject([
    { value: '2000', source: 'topic', isReadOnly: false },
    { value: '3000', source: 'dynamic', isReadOnly: false },
    { isReadOnly: true },
  ])
  await brokers.alterConfigs(access, [
    { of: topic, configs: { 'retention.ms': null } },
    { of: own, configs: { 'log.retention.ms': null } },
  ])
  expect(await sourcesOf()).toMatchObject([
    { source: 'default' },
    { source: 'default' },
    { isReadOnly: true },
  ])
  const [refused] = await brokers.describeConfigs(access, [{ kind: 'topic', name: 'none' }])
  expect(refused).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('a broker that starts tells its status, and all else once it is up, over the same brokers', async () => {
  const disk = new HeldDisk()
  await using starting = madePrivate({}, disk)
  const started = starting.broker.start()
  await disk.isAsked.promise
  const early = { ...access, port: privatePort(starting) }
  expect(await brokers.status(early)).toMatchObject({ isReady: false })
  await expect(brokers.listTopics(early)).rejects.toMatchObject({ kind: 'unreachable' })
  disk.held.resolve()
  await started
  expect(await brokers.listTopics(early)).toEqual([])
})

describe('a broker that cannot be asked', () => {
  async function failure(asked: Promise<unknown>): Promise<BrokerError> {
    const error = await asked.catch((thrown: unknown) => thrown)
    if (error instanceof BrokerError) return error
    throw new Error('no BrokerError', { cause: error })
  }

  test('is unreachable where nobody listens', async () => {
    const { kind, message } = await failure(brokers.status({ ...access, port: 1 }))
    expect([kind, message]).toEqual(['unreachable', expect.stringContaining('127.0.0.1:1')])
  })

  test('refuses another password, and is asked once', async () => {
    const { kind, message, error } = await failure(
      brokers.status({ ...access, password: 'open barley' }),
    )
    expect([kind, error]).toEqual(['refused', null])
    expect(message).toContain("does not accept the operator's password")
    expect(message).not.toContain('barley')
    expect(await broker.metrics.text()).toContain('login_failures_total{listener="private"} 1\n')
  })

  test('is asked anew once it believes us', async () => {
    const wrong = { ...access, password: 'later' }
    await failure(brokers.status(wrong))
    putPassword(broker.disk, 'operator', 'later')
    expect(await brokers.status(wrong)).toMatchObject({ isReady: true })
  })

  test('is connected again after it was away', async () => {
    await brokers.status(access)
    const { port } = access
    const disk: SimDisk = broker.disk
    await broker[Symbol.asyncDispose]()
    expect((await failure(brokers.status(access))).kind).toBe('unreachable')
    broker = await startPrivate({ privateListener: `127.0.0.1:${port}` }, disk)
    expect(await brokers.status(access)).toMatchObject({ startClass: 'A' })
  })

  test('is not asked any more after the end', async () => {
    await brokers.status(access)
    brokers.close()
    expect((await failure(brokers.status(access))).kind).toBe('unreachable')
  })
})

describe('a directory is retired', () => {
  const directoryId = '8Jb3kPz1QmSx5rT0vW2yAg'
  const wish = { directoryId, acceptDataLoss: ['gone-0', 'orders-2'] }

  /** As a broker among others, at one that may be the controller. */
  const peer = (of: InProcessBroker) =>
    ({ ...access, port: privatePort(of), password: passwords.broker, user: 'broker' }) as const

  test('by the controller alone, once and again', async () => {
    await using several = await startPrivate({ metadataDir: '/metadata' })
    await brokers.createTopics({ ...access, port: privatePort(several) }, [orders])
    expect(await brokers.retireDirectory(peer(several), wish)).toBeNull()
    expect(await brokers.retireDirectory(peer(several), wish)).toBeNull()
  })

  test('and not while it may be the last complete copy of what is not named: that is said in words', async () => {
    await using several = await startPrivate({ metadataDir: '/metadata' })
    await brokers.createTopics({ ...access, port: privatePort(several) }, [orders])
    const own = { directoryId: several.broker.status.directoryId, acceptDataLoss: ['orders-0'] }
    expect(await brokers.retireDirectory(peer(several), own)).toEqual({
      error: 'POLICY_VIOLATION',
      message: expect.stringContaining('orders-1, orders-2'),
    })
  })

  test('by nobody whom the operator asks as itself', async () => {
    expect(await brokers.retireDirectory(access as never, wish)).toMatchObject({
      error: 'CLUSTER_AUTHORIZATION_FAILED',
    })
  })

  test('by another, where the one that was asked is not the controller', async () => {
    expect(await brokers.retireDirectory(peer(broker), wish)).toMatchObject({
      error: 'NOT_CONTROLLER',
    })
  })
})
