import { describe, expect, test } from 'vitest'
import { createTopic as create, expectSame } from '../../../test/helpers/brokers-checks.ts'
import { directoryOf } from '../../../test/metadata/brokers.ts'
import { tellFailedDirectory } from './tell-failed-directory.ts'
import { BrokersWorld } from '../../../test/helpers/brokers-world.ts'

describe('a broker', () => {
  test('whose process ends is fenced within two seconds, and not when its session is over (1.5)', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    await world.until(() => !first!.image.brokers.get(2)!.isFenced)
    world.node(2).kill()
    const killedMs = world.clock.monotonic()
    await world.until(() => first!.image.brokers.get(2)!.isFenced)
    expect(world.clock.monotonic() - killedMs).toBeLessThan(2_000)
    const again = await world.start(2)
    await world.until(() => !again.image.brokers.get(2)!.isFenced)
    expect(again.registration.before).toBeLessThan(again.registration.now)
    await expectSame(world)
  })

  test('hears that it is registered before the metadata log tells it, so that it can be noted on its disk (3.1)', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    world.node(2).kill()
    world.fault = ({ from, api }) => (from === 2 && api.name === 'FetchMetadata' ? 'drop' : 'pass')
    const epochs: number[] = []
    const starting = world.node(2).start({ registered: epoch => epochs.push(epoch) })
    await world.until(() => epochs.length > 0)
    expect(epochs).toEqual([first!.image.brokers.get(2)!.epoch])
    expect(world.node(2).cluster).toBe(null)
    world.fault = () => 'pass'
    await world.until(() => world.node(2).cluster !== null)
    expect((await starting).registration.now).toBe(epochs[0])
    expect(epochs).toHaveLength(1)
  })

  test('whose process ends while no request of it waits is fenced as soon (1.5)', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    await world.until(() => !first!.image.brokers.get(2)!.isFenced)
    let killedMs = -1
    world.answered = ({ from, api, value }) => {
      if (from === 2 && api.name === 'FetchMetadata' && killedMs < 0) {
        killedMs = world.clock.monotonic()
        world.node(2).kill()
      }
      return value
    }
    await world.until(() => first!.image.brokers.get(2)!.isFenced)
    expect(world.clock.monotonic() - killedMs).toBeLessThan(2_000)
  })

  test('whose process ended is fenced as soon where what it sent before is read after one of its connections was seen to close (1.5)', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    await world.until(() => !first!.image.brokers.get(2)!.isFenced)
    const office = first!.office!
    const [connectionId, other] = [-1, -2]
    office.heard(2, connectionId)
    world.node(2).kill()
    const killedMs = world.clock.monotonic()
    office.heard(2, connectionId)
    office.heard(1, other)
    office.connectionClosed(connectionId)
    await world.until(() => first!.image.brokers.get(2)!.isFenced)
    expect(world.clock.monotonic() - killedMs).toBeLessThan(2_000)
    expect(first!.image.brokers.get(1)!.isFenced).toBe(false)
  })

  test('of which one connection breaks is heard by the others, and not fenced', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    await world.until(() => !first!.image.brokers.get(2)!.isFenced)
    let isFenced = false
    first!.onImage(image => (isFenced ||= image.brokers.get(2)!.isFenced))
    for (let round = 0; round < 10; round++) {
      const [link] = world.node(2).links
      link!.reset()
      await world.clock.run(1_500)
    }
    expect(isFenced).toBe(false)
  })

  test('of which all connections break, and no other comes for some seconds, is not fenced while it takes them (1.5)', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    await world.until(() => !first!.image.brokers.get(2)!.isFenced)
    let isFenced = false
    first!.onImage(image => (isFenced ||= image.brokers.get(2)!.isFenced))
    world.fault = ({ from }) => (from === 2 ? 'drop' : 'pass')
    for (const link of world.node(2).links) link.reset()
    await world.clock.run(2_000)
    world.fault = () => 'pass'
    await world.clock.run(10_000)
    expect(isFenced).toBe(false)
  })

  test('that is silent is fenced when its session is over, and no earlier', async () => {
    const world = new BrokersWorld()
    const [first, , third] = await world.startAll()
    await world.until(() => !first!.image.brokers.get(2)!.isFenced)
    world.cut(2)
    const cutMs = world.clock.monotonic()
    await world.until(() => first!.image.brokers.get(2)!.isFenced)
    expect(world.clock.monotonic() - cutMs).toBeGreaterThan(4_500)
    expect(world.clock.monotonic() - cutMs).toBeLessThan(8_000)
    world.heal()
    await world.until(() => !third!.image.brokers.get(2)!.isFenced)
    await expectSame(world)
  })

  test('stops when the controller lets it go; the controller itself goes last, and the office with it', async () => {
    const world = new BrokersWorld()
    const [first, second, third] = await world.startAll()
    await world.until(() => [1, 2].every(id => !first!.image.brokers.get(id)!.isFenced))
    let stopped = 0
    void world
      .node(1)
      .stop()
      .then(() => stopped++)
    await world.until(() => stopped === 1, 3_000)
    expect(first!.image.brokers.get(1)).toMatchObject({ isShuttingDown: true })
    void world
      .node(0)
      .stop()
      .then(() => stopped++)
    await world.until(() => stopped === 2, 3_000)
    expect(world.lease).toBe(null)
    await world.until(() => third!.office !== null, 3_000)
    void world
      .node(2)
      .stop()
      .then(() => stopped++)
    await world.until(() => stopped === 3, 8_000)
    expect([...world.nodes.values()].flatMap(({ failures }) => failures)).toEqual([])
    expect(second!.office).toBe(null)
  })

  test('ends where another process has its id', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll(2)
    const node = world.node(1)
    const disk = node.disk
    // The first process is only cut off, long enough to count as dead.
    world.cut(1)
    await world.until(() => first!.image.brokers.get(1)!.isFenced)
    const old = node.cluster!
    const failures: Error[] = []
    old.onFailure(error => failures.push(error))
    world.node(7).disk = disk
    const second = await world.start(7, { brokerId: 1 })
    expect(second.registration.now).toBeGreaterThan(old.registration.now)
    world.heal()
    await world.until(() => failures.length === 1)
    expect(failures[0]!.message).toMatch(/Another process registered as broker 1.*node.id/)
  })

  test('that is unregistered while it runs ends with a sentence, and comes new with its next start', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    const node = world.node(2)
    world.cut(2)
    await world.until(() => first!.image.brokers.get(2)!.isFenced)
    const answers: string[] = []
    void first!
      .ask({ type: 'unregisterBroker', brokerId: 2 })
      .then(({ type }) => answers.push(type))
    await world.until(() => answers.length === 1)
    expect(answers).toEqual(['brokerUnregistered'])
    world.heal()
    await world.until(() => node.failures.length === 1)
    expect(node.failures[0]!.message).toMatch(/Broker 2 was unregistered while it ran.*again/)
    node.kill()
    node.failures.length = 0
    const again = await world.start(2)
    await world.until(() => again.image.brokers.get(2)?.isFenced === false)
    await expectSame(world)
  })

  test('whose directory failed is fenced as soon as it says so, and does not come back with it (3.4)', async () => {
    const world = new BrokersWorld()
    const [first, , third] = await world.startAll()
    await world.until(() => !first!.image.brokers.get(2)!.isFenced)
    let isTold = false
    void tellFailedDirectory(third!, directoryOf(2)).then(() => (isTold = true))
    await world.until(() => isTold, 1_000)
    expect(first!.image.brokers.get(2)).toMatchObject({ isFenced: true })
    expect(first!.image.isFailed(directoryOf(2))).toBe(true)
    world.node(2).kill()
    void world.node(2).start({})
    await world.until(() => world.node(2).warnings.length > 0)
    await world.clock.run(5_000)
    expect(world.node(2).cluster).toBe(null)
    expect(first!.image.brokers.get(2)).toMatchObject({ isFenced: true })
  })

  test('is not started before its own record is applied, though it knows that it is registered (R2)', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll(2)
    let isRegistered = false
    world.fault = ({ from, api }) => {
      if (from !== 2) return 'pass'
      isRegistered ||= api.name === 'BrokerRegistration'
      return isRegistered && api.name === 'FetchMetadata' ? 'drop' : 'pass'
    }
    void world.node(2).start({})
    await world.until(() => isRegistered)
    world.storeCuts.add(2)
    await world.until(() => first!.image.brokers.has(2))
    await world.clock.run(5_000)
    expect(world.node(2).cluster).toBe(null)
    world.fault = () => 'pass'
    await world.until(() => world.node(2).cluster !== null)
    expect(world.node(2).cluster!.image.brokers.has(2)).toBe(true)
  })

  test('learns nothing definite of a command whose answer is lost', async () => {
    const world = new BrokersWorld()
    const [first, second] = await world.startAll(2)
    world.fault = ({ api }) => (api.name === 'AskController' ? 'lose' : 'pass')
    expect(await create(world, second!, 'a', 2_000)).toBe('REQUEST_TIMED_OUT')
    expect(first!.image.topicByName('a')).not.toBe(undefined)
    world.fault = ({ api }) => (api.name === 'AlterPartition' ? 'lose' : 'pass')
    const { id: topicId } = first!.image.topicByName('a')!
    const state = { leaderEpoch: 0, partitionEpoch: 0, isr: [], isRecovering: false }
    const outcomes: string[] = []
    const altered = second!.alterPartitions([{ topicId, index: 0, ...state }])
    void altered.then(all => outcomes.push(...all.map(({ kind }) => kind)))
    await world.until(() => outcomes.length > 0)
    expect(outcomes).toEqual(['unknown'])
  })

  test('asks the controller that there will be, where there is none just now', async () => {
    const world = new BrokersWorld()
    const [, second, third] = await world.startAll()
    world.node(0).kill()
    expect(await create(world, third!, 'a', 10_000)).toBe('NONE')
    expect(second!.image.topicByName('a')).not.toBe(undefined)
  })

  test('starts by its copy while the store does not answer, where a controller does: nothing is committed, and it waits', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    world.node(2).kill()
    await world.until(() => first!.image.brokers.get(2)!.isFenced)
    world.medium.isReachable = false
    let isUp = false
    void world
      .node(2)
      .start({})
      .then(() => (isUp = true))
    await world.clock.run(20_000)
    expect(isUp).toBe(false)
    world.medium.isReachable = true
    await world.until(() => isUp)
    await expectSame(world)
  })
})
