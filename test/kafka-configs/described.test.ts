import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { absentSettings, whyAbsent } from '../../src/broker/config/absent-settings.ts'
import {
  describeBrokerConfigs,
  describeTopicConfigs,
  type ConfigDescription,
} from '../../src/broker/config/describe.ts'
import { configSource, LiveConfiguration } from '../../src/broker/config/live-configuration.ts'
import { defaultSettings } from '../../src/broker/config/settings.ts'

/**
 * What we describe against what Apache Kafka 4.3.1 with one node does. Its answers lie beside the checkout and are
 * no part of the project: where they are missing, this says so and skips.
 */
const file = new URL('../../../shared/suites/kafka-4.3.1-configs.json', import.meta.url)
const isThere = existsSync(file)
const where = isThere ? '' : `: there is no ${file.pathname}`

interface Theirs {
  readonly name: string
  readonly value: string | null
  readonly type: string
  readonly source: string
  /** Names. */
  readonly synonyms: readonly string[]
}

const kafka: Readonly<Record<'topic' | 'broker', readonly Theirs[]>> = isThere
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { topic: [], broker: [] }

const configuration = new LiveConfiguration({ settings: defaultSettings(), given: new Map() })
const ours = {
  topic: describeTopicConfigs(configuration, new Map()),
  broker: describeBrokerConfigs(configuration),
}

const types = new Map([
  [1, 'boolean'],
  [2, 'string'],
  [3, 'int'],
  [4, 'short'],
  [5, 'long'],
  [6, 'double'],
  [7, 'list'],
])

/** Where our default is another: ours, and why. */
const defaults: Readonly<Record<string, readonly [value: string, why: string]>> = {
  'flush.ms': ['1000', 'what a power cut can take is bounded'],
  'log.flush.interval.ms': ['1000', 'the same'],
  'max.connections': ['10000', 'the memory that connections take is bounded'],
  'num.recovery.threads.per.data.dir': ['4', 'they are no threads, and cost little'],
  'queued.max.request.bytes': [
    '268435456',
    'memory is bounded by bytes, not by the number of requests',
  ],
  'offsets.topic.segment.bytes': ['1048576', 'compaction reaches the commits of few groups too'],
  'broker.rack': ['', 'empty is how a text is said not to be given'],
  'replica.lag.time.max.ms': [
    '10000',
    'an append waits no longer for a follower that stands still',
  ],
  'replica.socket.timeout.ms': ['3000', 'a leader that is stopped or cut off is noticed sooner'],
  'metadata.log.dir': ['', 'empty is how a text is said not to be given'],
}

/** Where Kafka's answer is of its machine, or of the file that its node was started with. */
const isOfItsNode = ({ source }: Theirs) => source === 'static broker'
const places = ['advertised.listeners', 'listeners', 'log.dir', 'log.dirs']

/** Ours, which Kafka has not. */
const own = {
  topic: ['flush.policy'],
  broker: [
    'advertised.listeners.loopback.enable',
    'cluster.size',
    'connections.frame.timeout.ms',
    'connections.queued.output.bytes',
    'connections.requests.in.flight.max',
    'data.path',
    'flush.policy',
    'graceful.stop.timeout.ms',
    'hot.window.bytes',
    'http.address',
    'log.dirty.budget.bytes',
    'log.drop.behind.enable',
    'log.level',
    'log.write.back.bytes',
    'metrics.group.series.max',
    'num.cold.reads.per.data.dir',
    'private.credentials.dir',
    'private.listener',
    'producer.id.count.max',
    'queued.max.output.bytes',
    'replication.throttled.reassignments.enable',
    'termination.log.file',
  ],
}

const namesOf = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name)
const known = (what: 'topic' | 'broker') =>
  kafka[what].flatMap(theirs => {
    const mine = ours[what].find(({ name }) => name === theirs.name)
    return mine === undefined ? [] : [[theirs.name, theirs, mine] as const]
  })

/** Names as Kafka tells them, each layer once: what its node was started with is not ours. */
const synonymsOf = ({ synonyms }: ConfigDescription | Theirs) => [
  ...new Set(synonyms.map(each => (typeof each === 'string' ? each : each.name))),
]

describe.skipIf(!isThere)(`the configs that Kafka describes${where}`, () => {
  test('were seen', () => {
    expect(kafka.topic).toHaveLength(33)
    expect(kafka.broker).toHaveLength(340)
  })

  test('of a topic are ours, every one', () => {
    expect(namesOf(ours.topic).toSorted()).toEqual(
      [...namesOf(kafka.topic), ...own.topic].toSorted(),
    )
  })

  test('of a topic can all be given to a mirror of it, and are told by it as they were', () => {
    const copied = new Map(kafka.topic.map(({ name, value }) => [name, value ?? '']))
    expect(configuration.problemOfTopic(copied)).toBe(null)
    const told = describeTopicConfigs(configuration, copied)
    const kept = told.filter(({ source }) => source === configSource.topic)
    expect(new Map(kept.map(({ name, value }) => [name, value]))).toEqual(copied)
  })

  test('of a broker are ours, or said not to be, with the reason', () => {
    const described = new Set(namesOf(ours.broker))
    const absent = namesOf(kafka.broker).filter(name => !described.has(name))
    expect(absent.filter(name => whyAbsent(name) === null)).toEqual([])
    expect(absent.length).toBeGreaterThan(200)
    const kafkas = new Set(namesOf(kafka.broker))
    expect([...described].filter(name => !kafkas.has(name))).toEqual(own.broker)
    const all = absentSettings.flatMap(({ names }) => names)
    expect(new Set(all).size).toBe(all.length)
    const idle = all.filter(each => !absent.some(name => matches(each, name)))
    expect(idle).toEqual([])
    const twice = absent.filter(name => all.filter(each => matches(each, name)).length > 1)
    expect(twice).toEqual([])
  })

  describe.each(['topic', 'broker'] as const)('of a %s', what => {
    test.each(known(what))('%s has the same type, synonyms and default', (name, theirs, mine) => {
      expect(types.get(mine.type)).toBe(theirs.type)
      if (name !== 'metadata.log.dir') expect(synonymsOf(mine)).toEqual(synonymsOf(theirs))
      expect(mine.isSensitive).toBe(false)
      if (places.includes(name) || isOfItsNode(theirs)) return
      const [value, why] = defaults[name] ?? [theirs.value, '']
      expect(mine.value).toBe(value)
      // An exception that is none any more goes.
      if (why !== '') expect(value).not.toBe(theirs.value)
    })
  })
})

function matches(each: string, name: string): boolean {
  return each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : each === name
}
