import { describe, expect, test } from 'vitest'
import { directoryOf } from '../../../../test/metadata/brokers.ts'
import { ControllerWorld, threeBrokers } from '../../../../test/metadata/controller-world.ts'
import { legacyDirectoryId } from '../../metadata/directory-id.ts'

describe('a broker that starts again', () => {
  test('R1: leaves leadership and in-sync sets in the append that registers it, and is fenced', () => {
    const world = threeBrokers()
    world.pass(7_000, 2, 3)
    const { leaderEpoch } = world.partition()
    expect(world.state()).toEqual([2, [2, 3], [], []])
    world.pass(100, 1, 2, 3)
    world.alter(world.wish([1, 2, 3]))
    world.takeOver()
    world.register(2)
    expect(world.batches.at(-1)!.map(({ type }) => type)).toEqual([
      'brokerStateChanged',
      'partitionsChanged',
      'brokerRegistered',
    ])
    expect(world.state()).toEqual([1, [1, 3], [], []])
    expect(world.partition().leaderEpoch).toBe(leaderEpoch + 1)
    expect(world.broker(2).isFenced).toBe(true)
  })

  test.each([
    ['A', [2], []],
    ['B', [2], []],
    ['C-acked', [2], []],
    ['C', [], [2]],
    ['D', [], []],
  ] as const)(
    'I-12: of class %s stays eligible, or becomes last known, or neither',
    (startClass, elr, lastKnown) => {
      const world = threeBrokers()
      world.fence(3)
      world.fence(2)
      expect(world.state()).toEqual([1, [1], [2], []])
      world.register(2, { startClass })
      expect(world.state()).toEqual([1, [1], elr, lastKnown])
    },
  )

  test('I-12: an older disk than the one that beat last is of class C, whatever its marks say', () => {
    const world = threeBrokers()
    world.fence(3)
    world.heartbeat(2, { beat: 50, wantsFence: true })
    world.register(2, { startClass: 'A', beat: 49 })
    expect(world.state()).toEqual([1, [1], [], [2]])
  })

  test('counts as empty where a log is damaged, and nowhere else', () => {
    const world = threeBrokers()
    world.create('u', [[1, 2, 3]])
    for (const id of [3, 2]) world.fence(id)
    world.register(2, { startClass: 'B', damaged: [{ topicId: world.topicId('u'), index: 0 }] })
    expect([world.state('t'), world.state('u')]).toEqual([
      [1, [1], [2], []],
      [1, [1], [], []],
    ])
  })

  test('gets no epoch while another process of its id lives, and the same one twice for one start', () => {
    const world = threeBrokers()
    expect(world.register(2)).toMatchObject({ error: 'DUPLICATE_BROKER_REGISTRATION' })
    world.pass(7_000, 1, 3)
    const incarnationId = world.uuid()
    const first = world.register(2, { incarnationId })
    expect(world.register(2, { incarnationId })).toEqual(first)
    expect(first).toEqual({ type: 'brokerRegistered', brokerEpoch: world.broker(2).epoch })
  })

  test('need not wait where nobody was heard of since the controller began', () => {
    const world = threeBrokers()
    world.takeOver()
    expect(world.register(2).type).toBe('brokerRegistered')
    world.heartbeat(3)
    expect(world.register(3)).toMatchObject({ error: 'DUPLICATE_BROKER_REGISTRATION' })
  })

  test('R2: is unfenced by a heartbeat that says that it has applied its registration, and not before', () => {
    const world = threeBrokers()
    world.fence(2)
    world.register(2)
    const { epoch } = world.broker(2)
    expect(world.heartbeat(2, { appliedSequence: epoch - 1 })).toMatchObject({ isFenced: true })
    expect(world.broker(2).isFenced).toBe(true)
    world.heartbeat(2, { appliedSequence: epoch })
    expect(world.broker(2).isFenced).toBe(false)
    expect(world.state()).toEqual([1, [1, 3], [], []])
  })
})

describe('the only broker', () => {
  test('leads on in a later epoch, and has its directory under the name that it tells', () => {
    const world = new ControllerWorld()
    world.register(1, { directoryId: legacyDirectoryId(1) })
    world.create('t', [[1]])
    world.register(1, { startClass: 'C' })
    const { isr, leader, leaderEpoch } = world.partition()
    expect([isr, leader, leaderEpoch]).toEqual([[directoryOf(1)], 1, 1])
    expect(world.broker(1).isFenced).toBe(false)
    world.pass(60_000)
    expect(world.broker(1).isFenced).toBe(false)
  })

  test('among others since then, gives its directory its name wherever it is expected', () => {
    const world = new ControllerWorld()
    world.register(1, { directoryId: legacyDirectoryId(1) })
    for (const id of [2, 3]) world.start(id)
    world.create('t', [[1, 2, 3]])
    for (const id of [2, 3, 1]) world.fence(id)
    world.register(1)
    expect(world.partition().elr).toContain(directoryOf(1))
    world.heartbeat(1)
    expect(world.state()[0]).toBe(1)
  })
})

describe('a directory', () => {
  test('D16: that may have the only complete copy is not replaced by an empty one before it is retired', () => {
    const world = threeBrokers()
    for (const id of [2, 3, 1]) world.fence(id)
    const change = { directoryId: directoryOf(1, 1), startClass: 'D' } as const
    expect(world.register(1, change)).toMatchObject({
      error: 'INVALID_REGISTRATION',
      message: expect.stringContaining('t-0'),
    })
    world.start(3)
    expect(world.state()).toEqual([3, [3], [1], []])
    const retire = { type: 'retireDirectory', acceptDataLoss: [] } as const
    world.ask({ ...retire, directoryId: directoryOf(1) })
    expect(world.register(1, change).type).toBe('brokerRegistered')
    world.heartbeat(1)
    expect(world.state()).toEqual([3, [3], [], []])
    expect(world.register(2, { directoryId: directoryOf(1) })).toMatchObject({
      error: 'INVALID_REGISTRATION',
      message: expect.stringContaining('retired'),
    })
  })

  test('that nobody expects anything of may be replaced', () => {
    const world = threeBrokers()
    world.fence(3)
    expect(world.register(3, { directoryId: directoryOf(3, 1) }).type).toBe('brokerRegistered')
  })

  test('of another broker is refused', () => {
    const world = threeBrokers()
    world.fence(3)
    expect(world.register(3, { directoryId: directoryOf(2) })).toMatchObject({
      error: 'INVALID_REGISTRATION',
    })
  })

  test('is not retired while it runs, nor while it may hold what is nowhere else and nobody accepted the loss', () => {
    const world = threeBrokers()
    const id = { topicId: world.topicId(), index: 0 }
    const retire = (nth: number, ...acceptDataLoss: (typeof id)[]) =>
      world.ask({ type: 'retireDirectory', directoryId: directoryOf(nth), acceptDataLoss })
    expect(retire(1)).toMatchObject({ error: 'INVALID_REQUEST' })
    for (const broker of [3, 2, 1]) world.fence(broker)
    expect(world.state()).toEqual([-1, [], [2, 1], []])
    expect(retire(2)).toEqual({ type: 'directoryRetired' })
    expect(retire(1)).toMatchObject({ error: 'POLICY_VIOLATION' })
    expect(retire(1, id)).toEqual({ type: 'directoryRetired' })
    expect(world.state()).toEqual([-1, [], [], []])
    world.register(2, { directoryId: directoryOf(2, 1), startClass: 'D' })
    world.heartbeat(2)
    expect(world.state()).toEqual([2, [2], [], []])
    expect(world.partition().isRecovering).toBe(true)
  })

  test('that is gone is retired though a process goes on by its name, which stays fenced and never comes back with it', () => {
    const world = threeBrokers()
    expect(world.state()).toEqual([1, [1, 2, 3], [], []])
    const retire = { type: 'retireDirectory', directoryId: directoryOf(1) } as const
    expect(world.ask({ ...retire, acceptDataLoss: [], isGone: true })).toEqual({
      type: 'directoryRetired',
    })
    expect(world.state()).toEqual([2, [2, 3], [], []])
    world.heartbeat(1)
    world.heartbeat(1)
    expect(world.broker(1).isFenced).toBe(true)
    const next = { directoryId: directoryOf(1, 1), startClass: 'D' } as const
    expect(world.register(1, next).type).toBe('brokerRegistered')
    world.heartbeat(1)
    expect(world.broker(1).isFenced).toBe(false)
    expect(world.register(1)).toMatchObject({ type: 'refused' })
  })

  test('that is gone is not retired while it has the only complete copy and nobody accepted the loss', () => {
    const world = threeBrokers()
    for (const id of [2, 3]) world.fence(id)
    const retire = { type: 'retireDirectory', acceptDataLoss: [], isGone: true } as const
    // The last that left the in-sync set below its minimum has all that is committed too (R8).
    expect(world.ask({ ...retire, directoryId: directoryOf(3) }).type).toBe('directoryRetired')
    expect(world.ask({ ...retire, directoryId: directoryOf(1) })).toMatchObject({
      error: 'POLICY_VIOLATION',
      message: expect.stringContaining('t-0'),
    })
    expect(world.broker(1).isFenced).toBe(false)
  })

  test('that failed takes its broker out of everything, and does not come back', () => {
    const world = threeBrokers()
    world.fence(2)
    world.fence(3)
    const { epoch: brokerEpoch } = world.broker(1)
    const failed = { type: 'failDirectory', brokerId: 1, directoryId: directoryOf(1) } as const
    expect(world.ask({ ...failed, brokerEpoch: brokerEpoch - 1 })).toMatchObject({
      error: 'STALE_BROKER_EPOCH',
    })
    expect(world.ask({ ...failed, brokerEpoch })).toEqual({ type: 'directoryFailed' })
    expect(world.state()).toEqual([-1, [], [3], [1]])
    world.heartbeat(1)
    expect(world.broker(1).isFenced).toBe(true)
    expect(world.register(1)).toMatchObject({ error: 'INVALID_REGISTRATION' })
  })
})

describe('a log that is not the one that a broker followed', () => {
  const hashAt = (sequence: number): string => `hash ${sequence}`

  test.each([
    ['ends before', 1_000, 'hash 1000'],
    ['is another one', 3, 'hash 2'],
  ])(
    'D15: that %s brings all decisions to a stop, until somebody looked',
    (_, lastSequence, lastHash) => {
      const world = threeBrokers({ hashAt })
      world.fence(3)
      expect(world.register(3, { lastSequence, lastHash })).toMatchObject({ type: 'refused' })
      expect(world.image.quarantine).toContain('broker 3')
      const before = world.batches.length
      expect(world.register(3)).toMatchObject({ type: 'refused', error: 'REQUEST_TIMED_OUT' })
      expect(world.alter(world.wish([1]))).toMatchObject({ type: 'refused' })
      expect(world.heartbeat(1).type).toBe('heartbeatTaken')
      world.pass(20_000)
      expect([world.batches.length, world.state()]).toEqual([before, [1, [1, 2], [], []]])
      expect(world.ask({ type: 'endQuarantine' })).toEqual({ type: 'quarantineEnded' })
      expect(world.register(3).type).toBe('brokerRegistered')
    },
  )

  test('and one that is goes on', () => {
    const world = threeBrokers({ hashAt })
    world.fence(3)
    const known = { lastSequence: world.image.sequence, lastHash: hashAt(world.image.sequence) }
    expect(world.register(3, known).type).toBe('brokerRegistered')
  })
})
