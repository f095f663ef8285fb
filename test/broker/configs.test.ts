import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import {
  alterConfigs,
  describeConfigs,
  incrementalAlterConfigs,
} from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

let broker: InProcessBroker
let client: BrokerClient

beforeAll(async () => {
  broker = await InProcessBroker.start()
  client = await broker.connect()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

const code = (name: ErrorName): number => errorCode(name)
const topicType = 2
const brokerType = 4
const groupType = 32
const operations = { set: 0, delete: 1, append: 2, subtract: 3 }

interface Edit {
  readonly name: string
  readonly value?: string | null
  readonly op?: keyof typeof operations | number
}

function incrementally(edits: readonly Edit[]) {
  return edits.map(({ name, value = null, op = 'set' }) => ({
    name,
    configOperation: typeof op === 'number' ? op : operations[op],
    value,
  }))
}

type Resource = readonly [type: number, name: string, edits: readonly Edit[]]

async function alter(resources: readonly Resource[], { validateOnly = false, by = client } = {}) {
  const asked = resources.map(([resourceType, resourceName, edits]) => ({
    resourceType,
    resourceName,
    configs: incrementally(edits),
  }))
  const request = { resources: asked, validateOnly }
  return (await by.request(incrementalAlterConfigs, 1, request)).responses
}

async function replace(resources: readonly Resource[], version = 2) {
  const asked = resources.map(([resourceType, resourceName, edits]) => ({
    resourceType,
    resourceName,
    configs: edits.map(({ name, value = null }) => ({ name, value })),
  }))
  const request = { resources: asked, validateOnly: false }
  return (await client.request(alterConfigs, version, request)).responses
}

async function described(
  resourceType: number,
  resourceName: string,
  { keys = null as string[] | null, version = 4, by = client } = {},
) {
  const answer = await by.request(describeConfigs, version, {
    resources: [{ resourceType, resourceName, configurationKeys: keys }],
    includeSynonyms: true,
    includeDocumentation: true,
  })
  return answer.results[0]!
}

async function row(resourceType: number, resourceName: string, key: string, by = client) {
  return (await described(resourceType, resourceName, { keys: [key], by })).configs[0]
}

async function valueOf(resourceType: number, resourceName: string, key: string) {
  return (await row(resourceType, resourceName, key))?.value
}

const errorsOf = (responses: readonly { readonly errorCode: number }[]): number[] =>
  responses.map(response => response.errorCode)

function batch(valueBytes: number): Uint8Array {
  return encodeBatch({ records: [{ key: null, value: utf8('x'.repeat(valueBytes)) }] })
}

describe('the configs of a topic', () => {
  test('are set, taken away and listed with their source', async () => {
    await client.createTopics([{ name: 'set', configs: { 'segment.ms': '1000' } }])
    const edits = [
      { name: 'retention.ms', value: '60000' },
      { name: 'segment.ms', op: 'delete' },
    ] as const
    expect(errorsOf(await alter([[topicType, 'set', edits]]))).toEqual([0])
    expect(await row(topicType, 'set', 'retention.ms')).toMatchObject({
      value: '60000',
      configSource: 1,
      readOnly: false,
      configType: 5,
      synonyms: [{ name: 'retention.ms', value: '60000', source: 1 }],
    })
    expect(await row(topicType, 'set', 'segment.ms')).toMatchObject({ configSource: 5 })
  })

  test('are in force at once', async () => {
    await client.createTopics([{ name: 'small' }])
    const at = { topic: 'small', partition: 0 }
    expect((await client.produce(at, batch(500))).errorCode).toBe(0)
    await alter([[topicType, 'small', [{ name: 'max.message.bytes', value: '400' }]]])
    expect((await client.produce(at, batch(500))).errorCode).toBe(code('MESSAGE_TOO_LARGE'))
    await alter([[topicType, 'small', [{ name: 'max.message.bytes', op: 'delete' }]]])
    expect((await client.produce(at, batch(500))).errorCode).toBe(0)
  })

  test('min.insync.replicas and flush.policy change under use', async () => {
    await client.createTopics([{ name: 'policy' }])
    const at = { topic: 'policy', partition: 0 }
    for (const value of ['ack', 'interval', 'ack', 'os', 'interval']) {
      const responses = await alter([[topicType, 'policy', [{ name: 'flush.policy', value }]]])
      expect(errorsOf(responses)).toEqual([0])
      const sent = [1, 2, 3].map(() => client.produce(at, batch(10)))
      expect(errorsOf(await Promise.all(sent))).toEqual([0, 0, 0])
    }
    await alter([[topicType, 'policy', [{ name: 'min.insync.replicas', value: '3' }]]])
    expect((await client.produce(at, batch(10))).errorCode).toBe(0)
    expect(await client.listOffset(at, -1)).toMatchObject({ offset: 16 })
  })

  test('that are lists get items more and fewer, beginning with what is in force', async () => {
    await client.createTopics([{ name: 'list' }])
    const policy = (op: 'append' | 'subtract', value: string) =>
      alter([[topicType, 'list', [{ name: 'cleanup.policy', op, value }]]])
    expect(errorsOf(await policy('append', 'compact'))).toEqual([0])
    expect(await valueOf(topicType, 'list', 'cleanup.policy')).toBe('delete,compact')
    expect(errorsOf(await policy('append', 'compact'))).toEqual([0])
    expect(errorsOf(await policy('subtract', 'delete'))).toEqual([0])
    expect(await valueOf(topicType, 'list', 'cleanup.policy')).toBe('compact')
    expect(errorsOf(await policy('subtract', 'compact'))).toEqual([0])
    expect(await valueOf(topicType, 'list', 'cleanup.policy')).toBe('')
    expect(errorsOf(await policy('append', 'purge'))).toEqual([code('INVALID_CONFIG')])
    const [wrong] = await alter([
      [topicType, 'list', [{ name: 'retention.ms', op: 'append', value: '1' }]],
    ])
    expect(wrong!.errorMessage).toBe("Config 'retention.ms' is not a list: set it as a whole.")
  })

  test.each([0, 1, 2])('AlterConfigs v%i replaces all of them', async version => {
    const name = `whole-${version}`
    await client.createTopics([{ name, configs: { 'segment.ms': '1000', 'flush.ms': '5' } }])
    const edits = [
      { name: 'retention.ms', value: '1' },
      { name: 'flush.ms', value: '5' },
    ]
    expect(errorsOf(await replace([[topicType, name, edits]], version))).toEqual([0])
    const configs = (await described(topicType, name)).configs
    const own = configs.filter(({ configSource }) => configSource === 1)
    expect(own.map(config => [config.name, config.value])).toEqual([
      ['flush.ms', '5'],
      ['retention.ms', '1'],
    ])
  })

  test("are each topic's own: one mistake refuses all of its changes, and no other's", async () => {
    await client.createTopics([{ name: 'one' }, { name: 'two' }])
    const good = { name: 'retention.ms', value: '77' }
    const responses = await alter([
      [topicType, 'one', [good, { name: 'retention.bites', value: '1' }]],
      [topicType, 'two', [good]],
      [topicType, 'none', [good]],
    ])
    expect(responses).toMatchObject([
      { errorCode: code('INVALID_CONFIG'), resourceType: topicType, resourceName: 'one' },
      { errorCode: 0, errorMessage: null, resourceName: 'two' },
      { errorCode: code('UNKNOWN_TOPIC_OR_PARTITION'), resourceName: 'none' },
    ])
    expect(responses[0]!.errorMessage).toContain('did you mean retention.bytes?')
    expect(await valueOf(topicType, 'one', 'retention.ms')).toBe('604800000')
    expect(await valueOf(topicType, 'two', 'retention.ms')).toBe('77')
  })

  test('do not change where a request only validates', async () => {
    await client.createTopics([{ name: 'dry' }])
    const resources: Resource[] = [
      [topicType, 'dry', [{ name: 'retention.ms', value: '5' }]],
      [topicType, 'gone', []],
      [brokerType, '1', [{ name: 'max.connections', value: '5' }]],
    ]
    const unknown = code('UNKNOWN_TOPIC_OR_PARTITION')
    expect(errorsOf(await alter(resources, { validateOnly: true }))).toEqual([0, unknown, 0])
    expect(await valueOf(topicType, 'dry', 'retention.ms')).toBe('604800000')
    expect(await valueOf(brokerType, '1', 'max.connections')).toBe('10000')
  })
})

describe('what cannot be', () => {
  const set = [{ name: 'retention.ms', value: '5' }]
  test.each<[string, readonly Resource[], ErrorName, string]>([
    [
      'a resource twice',
      [
        [topicType, 'wrong', set],
        [topicType, 'wrong', []],
      ],
      'INVALID_REQUEST',
      'more than once',
    ],
    ['a config twice', [[topicType, 'wrong', [...set, ...set]]], 'INVALID_REQUEST', 'once'],
    ['no value', [[topicType, 'wrong', [{ name: 'flush.ms' }]]], 'INVALID_REQUEST', 'no value'],
    [
      'another operation',
      [[topicType, 'wrong', [{ name: 'flush.ms', value: '1', op: 4 }]]],
      'INVALID_REQUEST',
      'operation 4',
    ],
    ['another kind of resource', [[8, '1', set]], 'INVALID_REQUEST', 'Resource type 8'],
    ['another broker', [[brokerType, '2', []]], 'INVALID_REQUEST', 'This is broker 1'],
    [
      'a setting that stays',
      [[brokerType, '1', [{ name: 'node.id', value: '2' }]]],
      'INVALID_REQUEST',
      'cannot be changed while the broker runs',
    ],
    [
      'an unknown setting',
      [[brokerType, '', [{ name: 'log.retention.sm', value: '2' }]]],
      'INVALID_CONFIG',
      'did you mean log.retention.ms?',
    ],
    [
      'a bad value',
      [[brokerType, '1', [{ name: 'max.connections', value: '0' }]]],
      'INVALID_CONFIG',
      'max.connections must be 1 to',
    ],
    ...(
      [
        ['min.insync.replicas', '2', '1', 'set it for all brokers'],
        ['unclean.leader.election.enable', 'true', '1', 'set it for all brokers'],
        ['hibernation.freeze.enable', 'true', '1', 'set it for all brokers'],
        ['leadership.drain.enable', 'true', '', 'set it for one broker'],
      ] as const
    ).map(([name, value, whose, message]): [string, readonly Resource[], ErrorName, string] => [
      `${name} of ${whose === '' ? 'all brokers' : 'one broker'}`,
      [[brokerType, whose, [{ name, value }]]],
      'INVALID_CONFIG',
      message,
    ]),
  ])('%s is refused with the reason', async (_, resources, error, message) => {
    await client.createTopics([{ name: 'wrong' }])
    for (const response of await alter(resources)) {
      expect(response.errorCode).toBe(code(error))
      expect(response.errorMessage).toContain(message)
    }
  })
})

describe('the settings of a running broker', () => {
  test('reach what topics do not override, at once', async () => {
    await client.createTopics([
      { name: 'follows' },
      { name: 'own', configs: { 'max.message.bytes': '1000' } },
    ])
    const set = [{ name: 'message.max.bytes', value: '400' }]
    expect(errorsOf(await alter([[brokerType, '', set]]))).toEqual([0])
    const follows = await client.produce({ topic: 'follows', partition: 0 }, batch(500))
    expect(follows.errorCode).toBe(code('MESSAGE_TOO_LARGE'))
    expect((await client.produce({ topic: 'own', partition: 0 }, batch(500))).errorCode).toBe(0)
    await alter([[brokerType, '1', [{ name: 'message.max.bytes', value: '600' }]]])
    const again = await client.produce({ topic: 'follows', partition: 0 }, batch(500))
    expect(again.errorCode).toBe(0)
    expect(await row(topicType, 'follows', 'max.message.bytes')).toMatchObject({
      value: '600',
      configSource: 2,
      synonyms: [
        { name: 'message.max.bytes', value: '600', source: 2 },
        { name: 'message.max.bytes', value: '400', source: 3 },
        { name: 'message.max.bytes', value: '1048588', source: 5 },
      ],
    })
    const common = await described(brokerType, '')
    expect(common.configs).toMatchObject([
      { name: 'message.max.bytes', value: '400', configSource: 3, readOnly: false },
    ])
    for (const name of ['', '1'])
      expect(errorsOf(await replace([[brokerType, name, []]]))).toEqual([0])
    expect(await row(brokerType, '1', 'message.max.bytes')).toMatchObject({
      value: '1048588',
      configSource: 5,
    })
  })

  test('limit connections from the next one on', async () => {
    const set = [{ name: 'max.connections.per.ip', value: '1' }]
    expect(errorsOf(await alter([[brokerType, '1', set]]))).toEqual([0])
    const refused = await broker.connect({ isSilent: true })
    await refused.closed
    const undo = [{ name: 'max.connections.per.ip', op: 'delete' }] as const
    expect(errorsOf(await alter([[brokerType, '1', undo]]))).toEqual([0])
    const accepted = await broker.connect()
    expect((await accepted.apiVersions()).errorCode).toBe(0)
    accepted.close()
  })

  test('are listed read only where they cannot change, filtered by name', async () => {
    const { configs } = await described(brokerType, '1')
    const readOnly = new Map(configs.map(config => [config.name, config.readOnly]))
    expect(readOnly.get('listeners')).toBe(true)
    expect(readOnly.get('log.retention.ms')).toBe(false)
    const keys = ['listeners', 'no.such', 'log.retention.ms']
    const some = await described(brokerType, '1', { keys })
    expect(some.configs.map(({ name }) => name)).toEqual(['listeners', 'log.retention.ms'])
    expect((await described(brokerType, '1', { keys: [] })).configs).toHaveLength(configs.length)
    expect((await described(brokerType, '1', { version: 1 })).configs).toHaveLength(configs.length)
    expect((await described(brokerType, '9')).errorCode).toBe(code('INVALID_REQUEST'))
  })

  test("survive a restart, the broker's own and those of all", async () => {
    const first = await InProcessBroker.start({ logRetentionMs: 1000 })
    const before = await first.connect()
    await before.createTopics([{ name: 'kept', configs: { 'segment.ms': '1000' } }])
    const resources: Resource[] = [
      [brokerType, '1', [{ name: 'log.retention.ms', value: '5000' }]],
      [brokerType, '', [{ name: 'message.max.bytes', value: '400' }]],
      [topicType, 'kept', [{ name: 'segment.ms', value: '2000' }]],
    ]
    expect(errorsOf(await alter(resources, { by: before }))).toEqual([0, 0, 0])
    await first[Symbol.asyncDispose]()
    const second = await InProcessBroker.start({ logRetentionMs: 1000 }, first.disk)
    const after = await second.connect()
    const retention = await row(brokerType, '1', 'log.retention.ms', after)
    expect(retention).toMatchObject({ value: '5000', configSource: 2 })
    expect(await row(topicType, 'kept', 'segment.ms', after)).toMatchObject({ value: '2000' })
    const produced = await after.produce({ topic: 'kept', partition: 0 }, batch(500))
    expect(produced.errorCode).toBe(code('MESSAGE_TOO_LARGE'))
    await second[Symbol.asyncDispose]()
  })
})

describe('configs of groups', () => {
  const name = 'consumer.session.timeout.ms'

  test('are kept by name, whether there is such a group or not', async () => {
    const beneath = { name, value: '45000', configSource: 5 }
    expect(await row(groupType, 'g', name)).toMatchObject({ ...beneath, readOnly: false })
    expect(errorsOf(await alter([[groupType, 'g', [{ name, value: '50000' }]]]))).toEqual([0])
    expect(await row(groupType, 'g', name)).toMatchObject({
      value: '50000',
      configSource: 8,
      isSensitive: false,
      synonyms: [
        { name, value: '50000', source: 8 },
        { name, value: '45000', source: 5 },
      ],
    })
    expect(await row(groupType, 'other', name)).toMatchObject({ value: '45000' })
    expect(errorsOf(await alter([[groupType, 'g', [{ name, op: 'delete' }]]]))).toEqual([0])
    expect(await row(groupType, 'g', name)).toMatchObject(beneath)
  })

  test('are refused each on its own, and without a group', async () => {
    const wrong: [Resource, ErrorName][] = [
      [[groupType, 'low', [{ name, value: '44999' }]], 'INVALID_CONFIG'],
      [[groupType, 'odd', [{ name: 'no.such', value: '1' }]], 'INVALID_CONFIG'],
      [[groupType, 'list', [{ name, value: '1', op: 'append' }]], 'INVALID_CONFIG'],
      [[groupType, '', [{ name, value: '50000' }]], 'INVALID_REQUEST'],
      [[groupType, 'good', [{ name, value: '60000' }]], 'NONE'],
    ]
    const outcomes = await alter(wrong.map(([resource]) => resource))
    expect(errorsOf(outcomes)).toEqual(wrong.map(([, error]) => code(error)))
    expect(outcomes[1]!.errorMessage).toContain('there is no group config no.such')
    expect((await described(groupType, '')).errorCode).toBe(code('INVALID_REQUEST'))
    expect((await described(groupType, 'low')).configs.map(({ value }) => value)).toEqual([
      '5000',
      '45000',
    ])
  })

  test('survive a restart', async () => {
    const first = await InProcessBroker.start()
    const before = await first.connect()
    const set: Resource = [groupType, 'kept', [{ name, value: '55000' }]]
    expect(errorsOf(await alter([set], { by: before }))).toEqual([0])
    await first[Symbol.asyncDispose]()
    const second = await InProcessBroker.start({}, first.disk)
    const after = await second.connect()
    expect(await row(groupType, 'kept', name, after)).toMatchObject({ value: '55000' })
    await second[Symbol.asyncDispose]()
  })
})
