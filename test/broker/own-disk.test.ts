import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import { SimKubernetes } from '../../sim/kubernetes-objects.ts'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { genesisObjects } from '../../src/broker/metadata/kubernetes/genesis.ts'
import type { Settings } from '../../src/broker/config/settings.ts'
import { errorCode } from '../../src/broker/wire/errors.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { eventually } from '../helpers/eventually.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import { WireGroup } from '../helpers/wire-groups.ts'

const clusterId = '8Jb3kPz1QmSx5rT0vW2yAg'
const settings = {
  nodeId: 0,
  clusterId,
  metadataStore: 'kubernetes',
  kubernetesNamespace: 'streaming',
  kubernetesClusterName: 'orders',
  identityConfigMap: 'orders-main-0-identity',
  groupInitialRebalanceDelayMs: 0,
  offsetsTopicNumPartitions: 1,
} as const
const batch = encodeBatch({ records: [{ key: null, value: utf8('value') }] })
const orders = { topic: 'orders', partition: 0 }

/** A cluster in a simulated API, and the operator's part in it. */
class World {
  readonly api = new SimKubernetes()
  readonly #running: InProcessBroker[] = []

  constructor(from: 'nothing' | 'disks' = 'nothing', mayFormat = true) {
    for (const { kind, name, ...fields } of genesisObjects({
      cluster: 'orders',
      clusterId,
      from,
    })) {
      this.api.post(kind, name, fields)
    }
    const data = { clusterId, brokerId: '0', incarnation: '1', directoryId: '' }
    this.api.post('ConfigMap', settings.identityConfigMap, {
      data: { ...data, mayFormat: String(mayFormat) },
    })
  }

  /** What the operator writes into the identity. */
  write(changes: Readonly<Record<string, string>>): void {
    this.api.touch('ConfigMap', settings.identityConfigMap, object => ({
      ...object,
      data: { ...(object['data'] as object), ...changes },
    }))
  }

  /** Begins to start; whether that goes well `started` tells. */
  begin(
    disk: SimDisk,
    more: Partial<Settings> = {},
  ): { readonly broker: InProcessBroker; readonly started: Promise<void> } {
    if (disk.stat('/data') === null) disk.mkdir('/data')
    const broker = new InProcessBroker(disk, { ...settings, ...more }, undefined, {
      openObjects: () => this.api.client(),
    })
    this.#running.push(broker)
    const started = broker.broker.start()
    started.catch(() => {})
    return { broker, started }
  }

  /** A broker that is ready: the operator records its disk as soon as it is told. */
  async start(disk: SimDisk): Promise<InProcessBroker> {
    const { broker, started } = this.begin(disk)
    const { directoryId } = await told(broker)
    this.write({ directoryId, mayFormat: 'false' })
    await started
    return broker
  }

  async restart(disk: SimDisk): Promise<InProcessBroker> {
    const { broker, started } = this.begin(disk)
    await started
    return broker
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(broker => broker[Symbol.asyncDispose]()))
  }
}

/** Its status when it has told its disk. */
async function told({ broker }: InProcessBroker) {
  return eventually(
    'the directory id',
    () => broker.status,
    ({ directoryId }) => directoryId !== 'AAAAAAAAAAAAAAAAAAAAAA',
  )
}

const worlds: World[] = []

function newWorld(...options: ConstructorParameters<typeof World>): World {
  const world = new World(...options)
  worlds.push(world)
  return world
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

/** A broker that has a topic with a record in it, stopped. */
async function withData(world: World, disk: SimDisk): Promise<void> {
  await using broker = await world.start(disk)
  const client = await broker.connect()
  await client.createTopics([{ name: 'orders' }])
  expect(await client.produce(orders, batch)).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await new WireGroup(client, 'group').find()).toBe('NONE')
}

describe('a disk', () => {
  test('that is formatted serves nobody until it is recorded and the permission withdrawn', async () => {
    const world = newWorld()
    const { broker, started } = world.begin(new SimDisk())
    const status = await told(broker)
    expect(status).toMatchObject({ isReady: false, incarnation: 1, clusterId })
    await eventually(
      'the reason',
      () => broker.broker.status.notReadyReason,
      reason => Boolean(reason?.includes(`that the disk ${status.directoryId} is recorded`)),
    )
    expect(broker.broker.listeners).toEqual([])
    world.write({ directoryId: status.directoryId })
    await eventually(
      'the other reason',
      () => broker.broker.status.notReadyReason,
      reason => Boolean(reason?.includes('may not be replaced')),
    )
    expect(broker.broker.listeners).toEqual([])
    world.write({ mayFormat: 'false' })
    await started
    expect(broker.broker.status).toMatchObject({ isReady: true, directoryId: status.directoryId })
  })

  test('that was formatted before a crash is recorded after it, and is the same one', async () => {
    const world = newWorld()
    const disk = new SimDisk()
    const first = world.begin(disk)
    const { directoryId } = await told(first.broker)
    // Before it is recorded, and before the permission is withdrawn.
    for (const recorded of ['', directoryId]) {
      world.write({ directoryId: recorded })
      for (const isMachine of [false, true]) {
        const left = disk.clone()
        const second = world.begin(isMachine ? left.crashMachine(new Prng(1)) : left.crashProcess())
        const status = await told(second.broker)
        expect(status.isReady).toBe(false)
        expect(status.directoryId).toBe(directoryId)
      }
    }
    world.write({ mayFormat: 'false' })
    await first.started
  })

  test('that is empty where another is recorded is refused, and stays empty', async () => {
    const world = newWorld()
    await withData(world, new SimDisk())
    for (const mayFormat of ['false', 'true']) {
      world.write({ mayFormat })
      const empty = new SimDisk()
      const { started } = world.begin(empty)
      await expect(started).rejects.toMatchObject({ name: 'RefusedDisk', reason: 'DiskEmpty' })
      expect(empty.list('/data').filter(name => name !== 'lock')).toEqual([])
    }
  })

  test('that is empty while nobody can be asked is waited with', async () => {
    const world = newWorld()
    world.api.isReachable = false
    const disk = new SimDisk()
    const { broker, started } = world.begin(disk)
    await eventually(
      'the reason',
      () => broker.broker.status.notReadyReason,
      reason => Boolean(reason?.includes('is empty, and nobody says whether it may be used')),
    )
    expect(disk.stat('/data/meta.properties')).toBe(null)
    world.api.isReachable = true
    const { directoryId } = await told(broker)
    world.write({ directoryId, mayFormat: 'false' })
    await started
  })

  test('whose loss was accepted begins anew, with what the metadata knows', async () => {
    const world = newWorld()
    await withData(world, new SimDisk())
    world.write({ directoryId: '', mayFormat: 'true', incarnation: '2' })
    await using broker = await world.start(new SimDisk())
    expect(broker.broker.status).toMatchObject({ incarnation: 2, offlinePartitions: [] })
    const client = await broker.connect()
    expect(await client.produce(orders, batch)).toMatchObject({ errorCode: 0, baseOffset: 0 })
  })
})

describe('while Kubernetes does not answer', () => {
  test('a broker starts from its copy: it is read, written, committed to, and gives producer ids', async () => {
    const world = newWorld()
    const disk = new SimDisk()
    await withData(world, disk)
    world.api.isReachable = false
    await using broker = await world.restart(disk)
    expect(broker.broker.status).toMatchObject({ isReady: true, isMetadataWaiting: true })
    const client = await broker.connect()
    expect((await client.fetch(orders, 0)).records.length).toBe(batch.length)
    expect(await client.produce(orders, batch)).toMatchObject({ errorCode: 0, baseOffset: 1 })
    await new WireGroup(client, 'group').enter()
    const first = await client.initProducerId()
    expect(first.errorCode).toBe(0)
    const [refused] = (await client.createTopics([{ name: 'late' }])).topics
    expect(refused).toMatchObject({
      errorCode: errorCode('REQUEST_TIMED_OUT'),
      errorMessage: expect.stringContaining('does not answer'),
    })
    const { startClass } = broker.broker.status

    world.api.isReachable = true
    await eventually(
      'the end',
      () => broker.broker.status.isMetadataWaiting,
      it => !it,
    )
    const [created] = (await client.createTopics([{ name: 'late' }])).topics
    expect(created?.errorCode).toBe(0)
    expect(await client.produce(orders, batch)).toMatchObject({ errorCode: 0, baseOffset: 2 })
    const second = await client.initProducerId()
    expect(second.errorCode).toBe(0)
    expect(second.producerId).not.toBe(first.producerId)
    expect(startClass).toBe('A')
  })

  test('a start after one that was registered late still knows how that one ended', async () => {
    const world = newWorld()
    const disk = new SimDisk()
    await withData(world, disk)
    world.api.isReachable = false
    const broker = await world.restart(disk)
    world.api.isReachable = true
    await eventually(
      'the end',
      () => broker.broker.status.isMetadataWaiting,
      it => !it,
    )
    await broker[Symbol.asyncDispose]()
    expect((await world.restart(disk)).broker.status.startClass).toBe('A')
  })
})

test('Kubernetes as it was before puts the broker in quarantine: it serves on, and changes nothing until that is mended', async () => {
  const world = newWorld()
  const disk = new SimDisk()
  await withData(world, disk)
  const rollBack = world.api.save()
  const broker = await world.restart(disk)
  const client = await broker.connect()
  await client.createTopics([{ name: 'late' }])
  const restore = world.api.save()
  rollBack()
  expect((await client.createTopics([{ name: 'later' }])).topics[0]?.errorCode).not.toBe(0)
  const reason = await eventually(
    'the quarantine',
    () => broker.broker.status.quarantineReason,
    it => it !== null,
  )
  expect(reason).toMatch(/went back in time.*Restore the store/s)
  // The newer metadata is in the copy: whoever reads the reason must not be sent to remove it, but to a page that is there.
  expect(reason).toMatch(/keep each metadata\.copy.*runbook LogClusterMetadataQuarantined/)
  expect(reason).not.toContain('remove')
  expect(existsSync('docs/runbooks/LogClusterMetadataQuarantined.md')).toBe(true)
  expect(broker.broker.probes.readiness()).toMatchObject({
    isReady: true,
    detail: { standsAlone: 'quarantine', standsAloneReason: reason },
  })
  const written: string[] = []
  world.api.onRequest = ({ verb, kind, name }) => {
    if (verb === 'update' && kind === 'ConfigMap') written.push(name)
  }
  expect(await broker.metrics.text()).toMatch(/^logcluster_metadata_quarantined 1$/m)
  expect(await client.produce(orders, batch)).toMatchObject({ errorCode: 0 })
  expect(await client.produce({ topic: 'late', partition: 0 }, batch)).toMatchObject({
    errorCode: 0,
  })
  const [refused] = (await client.createTopics([{ name: 'later' }])).topics
  expect(refused?.errorMessage).toContain('went back in time')
  expect(written).toEqual([])
  restore()
  await eventually(
    'the end',
    () => broker.broker.status.quarantineReason,
    it => it === null,
  )
  expect((await client.createTopics([{ name: 'later' }])).topics[0]?.errorCode).toBe(0)
  expect(broker.fatal).toEqual([])
})

test('a ring that was lost is made anew from the copy on the disk', async () => {
  const disk = new SimDisk()
  const first = newWorld()
  await withData(first, disk)
  const second = newWorld('disks', false)
  await using broker = await second.start(disk)
  const client = await broker.connect()
  expect(await client.produce(orders, batch)).toMatchObject({ errorCode: 0, baseOffset: 1 })
  expect((await client.createTopics([{ name: 'late' }])).topics[0]?.errorCode).toBe(0)
  await broker.broker.stop()
  expect((await second.restart(disk)).broker.status.isMetadataWaiting).toBe(false)
})

test('of several brokers one whose ring was made anew tells how far its copy reaches, and fills it only where that is permitted', async () => {
  const disk = new SimDisk()
  const before = newWorld()
  await withData(before, disk)
  const world = newWorld('disks', false)
  const { data } = before.api.object('ConfigMap', settings.identityConfigMap) as {
    data?: Record<string, string>
  }
  world.write({ directoryId: data!['directoryId']! })
  const { broker, started } = world.begin(disk, { clusterSize: 2 })
  const ends = (): { copy: number; log: number } => {
    const { awaitedCopySequence = -1, metadataSequence = -1 } = broker.broker.status
    return { copy: Number(awaitedCopySequence), log: Number(metadataSequence) }
  }
  const waiting = await eventually('it waits', ends, ({ copy }) => copy >= 0)
  expect(waiting.copy).toBeGreaterThan(0)
  world.write({ mayFill: 'true' })
  await eventually('the ring is filled', ends, ({ copy, log }) => copy === -1 && log > waiting.copy)
  await started
})
