import { describe, expect, test } from 'vitest'
import { createTopic as create, expectSame } from '../../../test/helpers/brokers-checks.ts'
import { BrokersWorld } from '../../../test/helpers/brokers-world.ts'

describe('three brokers over one store', () => {
  test('the first holds the office, the others register with it and follow the log', async () => {
    const world = new BrokersWorld()
    const clusters = await world.startAll()
    expect(world.officers()).toEqual([0])
    for (const [id, cluster] of clusters.entries()) {
      expect(cluster.controllerId).toBe(0)
      // R2: a start is over when its own record is applied.
      expect(cluster.image.brokers.get(id)?.epoch).toBe(cluster.registration.now)
    }
    expect(await create(world, clusters[0]!, 'a')).toBe('NONE')
    expect(await create(world, clusters[2]!, 'b')).toBe('NONE')
    // Whoever asked sees it at once; the others a moment later.
    expect(clusters[2]!.image.topicByName('b')).not.toBe(undefined)
    await world.clock.run(100)
    await expectSame(world)
  })
})

describe('the office', () => {
  test('of a controller that is killed is taken over at once: its place refuses connections (1.5)', async () => {
    const world = new BrokersWorld()
    const [, , last] = await world.startAll()
    world.node(0).kill()
    const killedMs = world.clock.monotonic()
    await world.until(() => world.officers().length === 1)
    // Far below the 10 s after which its lease runs out.
    expect(world.clock.monotonic() - killedMs).toBeLessThan(2_500)
    expect(world.officers()).toEqual([1])
    expect(await create(world, last!, 'a')).toBe('NONE')
    await world.until(() => last!.controllerId === 1)
    // And what it led moves as soon: its session is not waited for either.
    await world.until(() => last!.image.brokers.get(0)!.isFenced)
    expect(world.clock.monotonic() - killedMs).toBeLessThan(3_500)
    await world.clock.run(200)
    await expectSame(world)
  })

  test('is told of to all others by who won it: nobody goes on asking for the one before (1.5)', async () => {
    const world = new BrokersWorld()
    const clusters = await world.startAll(5)
    world.node(0).kill()
    await world.until(() => world.officers().length === 1)
    // Long before they ask each other.
    await world.clock.run(100)
    expect(clusters.slice(1).map(({ controllerId }) => controllerId)).toEqual([1, 1, 1, 1])
    await expectSame(world)
  })

  test('of a controller that stood still is followed by its fencing within a second: it has been silent for longer than a session', async () => {
    const world = new BrokersWorld()
    const [, second, third] = await world.startAll()
    world.cut(0)
    world.storeCuts.add(0)
    await world.until(() => world.officers().some(id => id !== 0))
    const wonMs = world.clock.monotonic()
    const successor = second!.office === null ? third! : second!
    await world.until(() => successor.image.brokers.get(0)!.isFenced)
    expect(world.clock.monotonic() - wonMs).toBeLessThanOrEqual(1_300)
    // Nobody else was.
    expect([1, 2].map(id => successor.image.brokers.get(id)!.isFenced)).toEqual([false, false])
  })

  test('of a controller that only cannot reach the store goes to another, and costs nobody his leaders', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    world.storeCuts.add(0)
    await world.until(() => world.officers().some(id => id !== 0))
    let isFenced = false
    first!.onImage(image => (isFenced ||= image.brokers.get(0)!.isFenced))
    await world.clock.run(10_000)
    expect([isFenced, first!.image.controllerEpoch]).toEqual([false, 2])
  })

  test('of a controller that is silent waits for its lease, and the silent one follows when it is back', async () => {
    const world = new BrokersWorld()
    const [first, second] = await world.startAll()
    world.cut(0)
    world.storeCuts.add(0)
    await world.clock.run(5_000)
    expect(world.officers()).toEqual([0])
    await world.until(() => world.officers().some(id => id !== 0))
    await world.clock.run(10_000)
    expect(world.officers()).toHaveLength(1)
    const [successor] = world.officers()
    expect(await create(world, world.node(successor!).cluster!, 'a')).toBe('NONE')
    world.heal()
    await world.until(() => first!.controllerId === successor)
    expect(await create(world, first!, 'b')).toBe('NONE')
    await world.clock.run(500)
    expect(first!.image.topicByName('a')).not.toBe(undefined)
    expect(second!.image.controllerEpoch).toBe(2)
    await expectSame(world)
  })

  test('is given up when its lease is not renewed, by the time before the renewal was sent', async () => {
    const world = new BrokersWorld()
    await world.startAll()
    world.storeCuts.add(0)
    const cutMs = world.clock.monotonic()
    await world.until(() => world.officers().length === 0)
    const heldMs = world.clock.monotonic() - cutMs
    expect(heldMs).toBeLessThanOrEqual(6_250)
    expect(heldMs).toBeGreaterThan(3_500)
  })

  test('is won, lost and won again by one process', async () => {
    const world = new BrokersWorld()
    const clusters = await world.startAll()
    const seen = new Set<number>()
    for (let round = 0; round < 6; round++) {
      const [holder] = world.officers()
      seen.add(holder!)
      world.storeCuts.add(holder!)
      await world.until(() => world.officers().some(id => id !== holder))
      world.heal()
      await world.until(() => new Set(clusters.map(each => each.controllerId)).size === 1)
      expect(await create(world, clusters[round % 3]!, `t${round}`)).toBe('NONE')
    }
    await world.clock.run(1_000)
    expect(seen.size).toBeGreaterThan(1)
    expect(clusters[0]!.image.controllerEpoch).toBe(7)
    for (const cluster of clusters) expect(cluster.image.topicCount).toBe(6)
    await expectSame(world)
  })

  test('is nothing to a zombie: what it appends is lost, and it follows (1.4)', async () => {
    const world = new BrokersWorld()
    const [zombie, other] = await world.startAll(2)
    // Stopped in the middle: it does not know that its lease ran out, and nobody hears of it.
    world.cut(0)
    const elsewhere = world.lease!
    world.lease = { holder: 1, renewedAtMs: world.clock.monotonic() }
    const { renew } = world
    world.renew = id => (id === 0 ? true : renew(id))
    await world.until(() => other!.office !== null)
    expect([elsewhere.holder, zombie!.office === null]).toEqual([0, false])
    const end = world.medium.cursor().nextSequence
    expect(await create(world, zombie!, 'lost', 1_000)).toBe('NOT_CONTROLLER')
    expect(world.medium.cursor().nextSequence).toBe(end)
    expect(zombie!.office).toBe(null)
    world.heal()
    await world.until(() => zombie!.controllerId === 1)
    await world.clock.run(500)
    await expectSame(world)
  })
})

describe('on the way to office', () => {
  test('who is refused a lease that is its own tries again, and follows nobody', async () => {
    const world = new BrokersWorld()
    await world.start(0)
    world.node(0).kill()
    world.refusals = 3
    const again = await world.start(0)
    expect(again.standsAlone?.kind).toBe('outage')
    await world.until(() => again.office !== null)
    expect([world.refusals, again.standsAlone]).toEqual([0, null])
  })

  test('without a lease stays with who is heard, and is taken over from who is not (1.5)', async () => {
    const world = new BrokersWorld()
    const [, second] = await world.startAll()
    world.isLeaseMissing = true
    await world.clock.run(60_000)
    expect(world.officers()).toEqual([0])
    expect(second!.image.controllerEpoch).toBe(1)
    world.cut(0)
    world.storeCuts.add(0)
    await world.until(() => second!.image.controllerEpoch > 1)
    expect(await create(world, second!, 'a')).toBe('NONE')
  })

  test('nobody is the controller before the claim is committed (1.4)', async () => {
    const world = new BrokersWorld()
    await world.startAll()
    for (let count = 0; count < 6; count++) world.medium.appendFaults.push('dropped')
    world.node(0).kill()
    await world.until(() => world.medium.appendFaults.length < 6)
    await world.clock.run(300)
    expect(world.medium.appendFaults.length).toBeGreaterThan(0)
    expect(world.officers()).toEqual([])
    await world.until(() => world.officers().length === 1)
  })

  test('who has the lease and cannot read gives it back', async () => {
    const world = new BrokersWorld()
    await world.startAll()
    world.readCuts.add(1)
    world.node(0).kill()
    await world.until(() => world.officers().includes(2), 8_000)
  })

  test('the store is asked nothing while an append of the office that was is under way', async () => {
    const world = new BrokersWorld()
    const [first] = await world.startAll()
    let open = (): void => {}
    world.gate = new Promise(resolve => (open = resolve))
    const created = first!.createTopics(
      [{ name: 'a', partitionCount: 1, replicationFactor: 1, assignments: [], configs: [] }],
      false,
      60_000,
    )
    world.renew = () => false
    await world.until(() => first!.office === null)
    await world.clock.run(10_000)
    expect(world.node(0).failures).toEqual([])
    world.gate = null
    open()
    // It was committed after all, and nobody said that it was not.
    const [result] = await created
    expect(result!.error).toBe('REQUEST_TIMED_OUT')
    world.renew = id => world.lease?.holder === id
    await world.until(() => world.officers().length === 1)
    await expectSame(world)
    expect(first!.image.topicByName('a')).not.toBe(undefined)
  })
})

describe('what is told of the log', () => {
  test('comes as a snapshot to who joins late', async () => {
    const world = new BrokersWorld({ snapshotIntervalMax: 8 })
    const [first] = await world.startAll(2)
    world.node(1).kill()
    for (let count = 0; count < 40; count++) await create(world, first!, `t${count}`)
    await first!.deleteTopics([{ name: 't0', id: null }])
    const again = await world.start(1)
    expect(again.image.topicCount).toBe(39)
    const late = await world.start(2)
    expect(late.image.topicCount).toBe(39)
    await world.clock.run(500)
    await expectSame(world)
  })

  test('goes on past what the store notes its snapshots by, without a snapshot for those who follow', async () => {
    const world = new BrokersWorld({ snapshotIntervalMax: 8, notesSnapshots: true })
    const [first, second] = await world.startAll(2)
    let snapshots = 0
    let notes = 0
    world.answered = ({ value }) => {
      if ('endSequence' in value) {
        snapshots += value.snapshot === null ? 0 : 1
        notes += value.records.filter(({ isNote }: { isNote: boolean }) => isNote).length
      }
      return value
    }
    for (let count = 0; count < 30; count++) await create(world, first!, `t${count}`)
    await world.until(() => second!.image.topicCount === 30)
    expect([snapshots, notes > 2]).toEqual([0, true])
    // The copy is a snapshot and what came after; it is where a later start goes on.
    world.node(1).kill()
    const again = await world.start(1)
    expect(again.image.topicCount).toBe(30)
  })

  test.each(['payload', 'hash', 'epoch', 'sequence'] as const)(
    'is not taken where the chain is broken: another %s; the store is asked instead',
    async field => {
      const world = new BrokersWorld()
      const [first, second] = await world.startAll(2)
      let forged = 0
      world.answered = ({ value }) => {
        if (!('endSequence' in value) || value.records.length === 0) return value
        forged++
        const [record] = value.records
        const changed = {
          payload: record.payload.map((byte: number, at: number) => (at === 60 ? byte ^ 1 : byte)),
          hash: record.hash.replace(/^./, (digit: string) => (digit === '0' ? '1' : '0')),
          epoch: record.epoch + 1,
          sequence: record.sequence + 1,
        }[field]
        return { ...value, records: [{ ...record, [field]: changed }] }
      }
      expect(await create(world, first!, 'a')).toBe('NONE')
      await world.until(() => second!.image.topicByName('a') !== undefined)
      expect(forged).toBeGreaterThan(0)
      expect(world.node(1).warnings).toContain(
        'What another broker tells of the metadata log is not taken',
      )
      await expectSame(world)
    },
  )

  test('comes from any peer: who talks to a deposed controller hears of the new one (gossip)', async () => {
    const world = new BrokersWorld()
    const [, , third] = await world.startAll()
    // The zombie still answers broker 2, which cannot reach the store; broker 1 takes over.
    world.cuts.add('0>1').add('1>0')
    world.storeCuts.add(2).add(0)
    await world.until(() => world.officers().includes(1))
    await world.until(() => third!.controllerId === 1)
    expect(third!.image.controllerEpoch).toBe(2)
  })

  test('goes on while nobody reaches the store, and nothing is decided meanwhile (1.6)', async () => {
    const world = new BrokersWorld()
    const clusters = await world.startAll()
    const end = world.medium.cursor().nextSequence
    world.medium.isReachable = false
    await world.clock.run(300_000)
    expect(world.medium.cursor().nextSequence).toBe(end)
    const [, second] = clusters
    // The controller that was is still heard of: brokers that follow it are not alone.
    expect(world.clock.monotonic() - second!.controllerHeardMs).toBeLessThan(5_000)
    expect(await create(world, second!, 'a', 1_000)).toBe('REQUEST_TIMED_OUT')
    world.medium.isReachable = true
    await world.until(() => world.officers().length === 1)
    expect(await create(world, second!, 'b')).toBe('NONE')
    await world.clock.run(3_000)
    await expectSame(world)
  })
})
