import { describe, expect, test } from 'vitest'
import { Prng } from '../../../lib/prng.ts'
import { uuidFrom } from '../../../lib/uuid.ts'
import { MetadataImage } from '../../metadata/image.ts'
import { decodeBatch } from '../../metadata/records.ts'
import type { Answer, Command, TopicDraft } from './commands.ts'
import {
  Controller,
  type ControllerEffect,
  type ControllerEvent,
  type ControllerOptions,
} from './controller.ts'
import { producerIdBlockCount } from './allocate-producer-ids.ts'
import { queuedCommandCountMax } from './refusals.ts'
import {
  internalName,
  internalTopic,
  NaiveCluster,
} from '../../../../test/metadata/naive-cluster.ts'
import { directoryOf, registration } from '../../../../test/metadata/brokers.ts'
import { randomCommand } from '../../../../test/metadata/random-command.ts'

/** A controller over a log in memory whose outcomes the test chooses. */
class World {
  readonly prng: Prng
  readonly controller: Controller
  readonly committed: Uint8Array[] = []
  readonly answers = new Map<number, Answer>()
  readonly published: MetadataImage[] = []
  inFlight: Extract<ControllerEffect, { type: 'append' | 'snapshot' }> | null = null
  isWaiting = false
  hasResigned = false
  snapshotCount = 0
  #lastId = 0

  constructor(seed: number, options: Partial<ControllerOptions> = {}) {
    this.prng = new Prng(seed)
    this.controller = new Controller({
      brokerId: 1,
      claimId: this.uuid(),
      clusterId: this.uuid(),
      image: MetadataImage.empty,
      nextSequence: 1,
      snapshotSequence: 0,
      snapshotIntervalMax: 5,
      payloadBytesMax: 100_000,
      rules: {
        partitionCountDefault: 2,
        replicationFactorDefault: 1,
        requestPartitionCountMax: 1_000,
        clusterPartitionCountMax: 10_000,
        internalTopics: new Map([[internalName, internalTopic]]),
        validateConfigs: configs => (configs.has('bad') ? 'bad' : null),
        validateGroupConfigs: configs => (configs.has('bad') ? 'bad' : null),
        validateBrokerConfigs: configs =>
          configs.has('bad') ? { error: 'INVALID_CONFIG', message: 'bad' } : null,
        listBeneath: (_, name) => (name === 'list' ? 'a' : null),
      },
      ...options,
    })
  }

  uuid(): string {
    return uuidFrom(this.prng.bytes(16))
  }

  step(event: ControllerEvent): void {
    const answered: number[] = []
    for (const effect of this.controller.step(event)) {
      if (effect.type === 'append' || effect.type === 'snapshot') {
        expect(this.inFlight).toBe(null)
        this.inFlight = effect
      } else if (effect.type === 'publish') {
        expect(answered).toEqual([])
        this.published.push(effect.image)
      } else if (effect.type === 'answer') {
        expect(this.answers.has(effect.id)).toBe(false)
        this.answers.set(effect.id, effect.answer)
        answered.push(effect.id)
      } else if (effect.type === 'wait') this.isWaiting = true
      else this.hasResigned = true
    }
    const image = this.replayed()
    expect([...this.controller.image.records()]).toEqual([...image.records()])
    for (const id of answered) expectTrue(this.answers.get(id)!, this.everCommitted())
  }

  ask(command: Command): number {
    const id = ++this.#lastId
    this.step({ type: 'commanded', id, command })
    return id
  }

  commit(): void {
    const done = this.inFlight!
    this.inFlight = null
    if (done.type === 'append') {
      this.committed.push(done.payload)
      this.step({ type: 'committed', nextSequence: this.committed.length + 1 })
    } else {
      this.snapshotCount++
      expect(done.image.sequence).toBe(this.committed.length)
      expect([...done.image.records()]).toEqual([...this.replayed().records()])
      this.step({ type: 'snapshotWritten', nextSequence: this.committed.length + 1 })
    }
  }

  /** The store does not answer; later the same bytes come again. */
  unavailable(): void {
    const before = this.inFlight!
    this.inFlight = null
    if (before.type === 'snapshot') return this.step({ type: 'snapshotUnavailable' })
    const answerCount = this.answers.size
    this.step({ type: 'unavailable' })
    expect(this.isWaiting).toBe(true)
    if (this.prng.chance(1, 2)) this.ask(allocation)
    expect([this.inFlight, this.answers.size]).toEqual([null, answerCount])
    this.isWaiting = false
    this.step({ type: 'waited' })
    expect(this.inFlight).toEqual(before)
  }

  lose(): void {
    this.inFlight = null
    this.step({ type: 'lost' })
  }

  settle(): void {
    while (this.inFlight !== null) this.commit()
  }

  started(): this {
    this.step({ type: 'started' })
    this.ask(registration(1, { incarnationId: this.uuid() }))
    this.settle()
    return this
  }

  draft(name: string, changes: Partial<TopicDraft> = {}): TopicDraft {
    const chance = { topicId: this.uuid(), placementStart: this.prng.uint32() }
    const counts = { partitionCount: -1, replicationFactor: -1 }
    return { name, ...counts, assignments: [], configs: [], ...chance, ...changes }
  }

  create(...names: string[]): Command {
    return {
      type: 'createTopics',
      drafts: names.map(name => this.draft(name)),
      validateOnly: false,
    }
  }

  replayed(): MetadataImage {
    return this.committed.reduce(
      (image, payload, at) => image.applyBatch(at + 1, decodeBatch(payload)),
      MetadataImage.empty,
    )
  }

  everCommitted(): ReadonlySet<string> {
    return new Set(this.committed.flatMap(decodeBatch).map(record => keyOf(record)))
  }
}

const allocation: Command = { type: 'allocateProducerIds', brokerId: 1 }

function keyOf(record: ReturnType<typeof decodeBatch>[number]): string {
  if (record.type === 'producerIdsAllocated') return `ids ${record.firstProducerId}`
  return 'topicId' in record ? `${record.type} ${record.topicId}` : record.type
}

/** Whatever an answer promises is in the log that is committed. */
function expectTrue(answer: Answer, committed: ReadonlySet<string>): void {
  if (answer.type === 'producerIdsAllocated') {
    expect(committed).toContain(`ids ${answer.firstProducerId}`)
  } else if (answer.type === 'topicsCreated' || answer.type === 'topicsDeleted') {
    const type = answer.type === 'topicsCreated' ? 'topicCreated' : 'topicDeleted'
    for (const { error, id } of answer.results) {
      if (error === 'NONE' && id !== null) expect(committed).toContain(`${type} ${id}`)
    }
  }
}

function sorted(configs: ReadonlyMap<string, string>): [string, string][] {
  return [...configs].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

const errorsOf = (answer: Answer | undefined): unknown =>
  answer !== undefined && 'results' in answer
    ? answer.results.map(({ error }) => error)
    : (answer?.type ?? 'no answer')

describe('the controller', () => {
  test.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'answers as a naive cluster does, and only what is committed (seed %i)',
    seed => {
      const world = new World(seed).started()
      const model = new NaiveCluster()
      const asked: [number, ReturnType<typeof randomCommand>][] = []
      for (let step = 0; step < 300; step++) {
        if (world.inFlight === null || world.prng.chance(1, 2)) {
          const command = randomCommand(world.prng, world.controller.image)
          asked.push([world.ask(command), command])
        } else if (world.prng.chance(1, 8)) world.unavailable()
        else world.commit()
      }
      world.settle()
      for (const [id, command] of asked) {
        if (command.type === 'allocateProducerIds') {
          expect(world.answers.has(id)).toBe(true)
        } else expect(errorsOf(world.answers.get(id))).toEqual(model.perform(command))
      }
      const image = world.replayed()
      for (const { name, partitions, configs } of image.topics()) {
        expect([name, partitions.length]).toEqual([name, model.partitionCountOf(name)])
        expect([name, sorted(configs)]).toEqual([name, model.configsOf(name)])
      }
      for (const id of [1, null]) {
        expect(sorted(image.brokerConfigs(id))).toEqual(model.configsOf(id))
      }
      expect(
        Array.from(image.scramUsers(), ({ user, credentials }) =>
          Array.from(credentials.keys(), mechanism => `${user} ${mechanism}`),
        )
          .flat()
          .toSorted(),
      ).toEqual(model.scramMechanisms())
      expect(sorted(image.groupConfigs('g'))).toEqual(model.configsOf('group g'))
      expect(model.topicNames()).toEqual(
        [...world.replayed().topics()].map(({ name }) => name).toSorted((x, y) => (x < y ? -1 : 1)),
      )
      expect(world.snapshotCount).toBeGreaterThan(5)
    },
  )

  test.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'that is overtaken answers nothing more but that it is not the controller (seed %i)',
    seed => {
      const world = new World(seed).started()
      const loseAt = world.prng.below(60)
      for (let step = 0; step < loseAt || world.inFlight === null; step++) {
        if (world.inFlight === null || world.prng.chance(1, 2))
          world.ask(randomCommand(world.prng, world.controller.image))
        else world.commit()
      }
      const before = new Map(world.answers)
      const image = world.controller.image
      world.lose()
      world.ask(allocation)
      expect(world.hasResigned).toBe(true)
      expect(world.inFlight).toBe(null)
      expect(world.controller.image).toBe(image)
      for (const [id, answer] of world.answers) {
        if (!before.has(id))
          expect(answer).toMatchObject({ type: 'refused', error: 'NOT_CONTROLLER' })
      }
      expect([...world.answers.keys()].length).toBe(Math.max(...world.answers.keys()))
    },
  )

  test('registers one start of a broker an append: two that came while the store was away are told apart', () => {
    const world = new World(1).started()
    world.ask(world.create('a'))
    const ids = [2, 2, 1, 1].map(id => world.ask(registration(id, { incarnationId: world.uuid() })))
    world.settle()
    expect(ids.map(id => world.answers.get(id))).toMatchObject([
      { type: 'brokerRegistered' },
      { error: 'DUPLICATE_BROKER_REGISTRATION' },
      { type: 'brokerRegistered' },
      { error: 'DUPLICATE_BROKER_REGISTRATION' },
    ])
    const again = world.ask(registration(2, { incarnationId: world.uuid() }))
    world.settle()
    expect(world.answers.get(again)).toMatchObject({ type: 'brokerRegistered' })
  })

  test('creates the cluster and claims the epoch in one append, before anything else', () => {
    const world = new World(1)
    world.step({ type: 'started' })
    world.ask(registration(1, { incarnationId: world.uuid() }))
    expect(world.published).toEqual([])
    world.commit()
    expect(decodeBatch(world.committed[0]!).map(({ type }) => type)).toEqual([
      'clusterCreated',
      'epochClaimed',
    ])
    world.commit()
    expect(world.controller.image.brokers.get(1)?.epoch).toBe(2)
  })

  test('decides commands that come during an append together, upon what is in flight', () => {
    const world = new World(1).started()
    const first = world.ask(world.create('a'))
    const queued = [
      world.ask(world.create('a', 'b')),
      world.ask(world.create('b')),
      world.ask(allocation),
    ]
    const before = world.committed.length
    world.commit()
    expect([...world.answers.keys()].filter(id => id >= first)).toEqual([first])
    world.commit()
    expect(queued.map(id => errorsOf(world.answers.get(id)))).toEqual([
      ['TOPIC_ALREADY_EXISTS', 'NONE'],
      ['TOPIC_ALREADY_EXISTS'],
      'producerIdsAllocated',
    ])
    expect(world.committed.length).toBe(before + 2)
  })

  test('answers at once where nothing is to be appended', () => {
    const world = new World(1).started()
    const id = world.ask(world.create('not a name'))
    expect(errorsOf(world.answers.get(id))).toEqual(['INVALID_TOPIC_EXCEPTION'])
    expect(world.inFlight).toBe(null)
  })

  test('hands out producer ids in blocks that never overlap, to registered brokers only', () => {
    const world = new World(1).started()
    const ids = [world.ask(allocation), world.ask(allocation), world.ask(allocation)]
    const stranger = world.ask({ type: 'allocateProducerIds', brokerId: 5 })
    world.settle()
    expect(ids.map(id => world.answers.get(id))).toEqual(
      [0, 1, 2].map(nth => ({
        type: 'producerIdsAllocated',
        firstProducerId: nth * producerIdBlockCount,
        count: producerIdBlockCount,
      })),
    )
    expect(world.answers.get(stranger)).toMatchObject({ error: 'BROKER_ID_NOT_REGISTERED' })
  })

  test('leads in a later epoch what a broker that starts again led', () => {
    const world = new World(1).started()
    world.ask(world.create('a'))
    world.settle()
    const incarnationId = world.uuid()
    const ids = [1, 2].map(() => {
      const id = world.ask(registration(1, { rack: 'r', incarnationId }))
      world.settle()
      return id
    })
    const epoch = world.controller.image.brokers.get(1)!.epoch
    for (const id of ids) {
      expect(world.answers.get(id)).toEqual({ type: 'brokerRegistered', brokerEpoch: epoch })
    }
    for (const partition of world.controller.image.topicByName('a')!.partitions) {
      expect(partition).toMatchObject({
        leader: 1,
        isr: [directoryOf(1)],
        leaderEpoch: 1,
        partitionEpoch: 1,
      })
    }
  })

  test('refuses a command whose records do not fit, and splits many that do', () => {
    const world = new World(1, { payloadBytesMax: 4_000 }).started()
    const large = { name: 'x', value: 'y'.repeat(4_000) }
    const tooLarge = world.ask({
      type: 'createTopics',
      drafts: [world.draft('large', { configs: [large] })],
      validateOnly: false,
    })
    expect(world.answers.get(tooLarge)).toMatchObject({ type: 'refused', error: 'INVALID_REQUEST' })
    const before = world.committed.length
    const ids = Array.from({ length: 20 }, (_, at) => world.ask(world.create(`t${at}`)))
    world.settle()
    for (const id of ids) expect(errorsOf(world.answers.get(id))).toEqual(['NONE'])
    expect(world.controller.image.topicByName('large')).toBe(undefined)
    expect(world.committed.length).toBeGreaterThan(before + 1)
    for (const payload of world.committed) expect(payload.length).toBeLessThanOrEqual(4_000)
  })

  test('refuses commands beyond the queue', () => {
    const world = new World(1).started()
    world.ask(allocation)
    for (let count = 0; count < queuedCommandCountMax; count++) {
      world.controller.step({ type: 'commanded', id: 10_000 + count, command: allocation })
    }
    const effects = world.controller.step({ type: 'commanded', id: 1, command: allocation })
    expect(effects).toMatchObject([
      { type: 'answer', id: 1, answer: { error: 'REQUEST_TIMED_OUT' } },
    ])
  })

  test('that stops finishes what is in flight and refuses the rest', () => {
    const world = new World(1).started()
    const [first, second] = [world.ask(world.create('a')), world.ask(world.create('b'))]
    world.step({ type: 'stopped' })
    expect(world.answers.get(second)).toMatchObject({ type: 'refused', error: 'NOT_CONTROLLER' })
    world.commit()
    expect(errorsOf(world.answers.get(first))).toEqual(['NONE'])
    expect(world.inFlight).toBe(null)
  })
})
