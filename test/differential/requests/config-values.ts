import {
  alterConfigs,
  createTopics,
  describeConfigs,
  incrementalAlterConfigs,
} from '../../../src/broker/wire/messages/index.ts'
import type { Scenario, Session } from '../session.ts'

const max64 = '9223372036854775807'
/** Numbers at the edges of what a config of any kind may be, and what is none. */
const numbers = [
  '-9223372036854775808',
  '-3',
  '-2',
  '-1',
  '0',
  '1',
  '13',
  '14',
  '1000',
  '1048576',
  '2147483647',
  '2147483648',
  max64,
  '9223372036854775808',
  '1e3',
  '0x10',
  ' 7 ',
  '+7',
  '1.5',
  '',
  'x',
  'null',
]
const ratios = ['-0.1', '0', '0.5', '1', '1.0', '1.1', '5e-1', 'NaN', '', 'x']
const flags = ['true', 'false', 'TRUE', 'False', ' true ', '1', 'yes', '']
const replicas = ['', '*', '0:1', '0:1,1:1', '0', 'x:y', '0:1,0:1', ' * ', '*,0:1']

/** Every config that a topic has in Kafka, with what it is tried with. */
const topicValues: Readonly<Record<string, readonly string[]>> = {
  'cleanup.policy': [
    'delete',
    'compact',
    'compact,delete',
    'delete,compact',
    ' delete , compact ',
    'delete,delete',
    '',
    ',',
    'none',
    'DELETE',
    'delete,none',
  ],
  'compression.gzip.level': [...numbers, '9', '10'],
  'compression.lz4.level': [...numbers, '9', '17', '18'],
  'compression.type': [
    'uncompressed',
    'zstd',
    'lz4',
    'snappy',
    'gzip',
    'producer',
    'none',
    'GZIP',
    '',
  ],
  'compression.zstd.level': [...numbers, '22', '23', '-131072', '-131073'],
  'delete.retention.ms': numbers,
  'file.delete.delay.ms': numbers,
  'flush.messages': numbers,
  'flush.ms': numbers,
  'follower.replication.throttled.replicas': replicas,
  'index.interval.bytes': numbers,
  'leader.replication.throttled.replicas': replicas,
  'local.retention.bytes': numbers,
  'local.retention.ms': numbers,
  'max.compaction.lag.ms': numbers,
  'max.message.bytes': numbers,
  'message.timestamp.after.max.ms': numbers,
  'message.timestamp.before.max.ms': numbers,
  'message.timestamp.type': ['CreateTime', 'LogAppendTime', 'createtime', 'NoTimestampType', ''],
  'min.cleanable.dirty.ratio': ratios,
  'min.compaction.lag.ms': numbers,
  'min.insync.replicas': numbers,
  preallocate: flags,
  'remote.log.copy.disable': flags,
  'remote.log.delete.on.disable': flags,
  'remote.storage.enable': flags,
  'retention.bytes': numbers,
  'retention.ms': numbers,
  'segment.bytes': [...numbers, '1048575', '1024'],
  'segment.index.bytes': [...numbers, '3', '4', '8'],
  'segment.jitter.ms': numbers,
  'segment.ms': numbers,
  'unclean.leader.election.enable': flags,
  // What Kafka once had, and what it never had.
  'message.format.version': ['3.0'],
  'message.timestamp.difference.max.ms': ['1000'],
  'message.downconversion.enable': ['true'],
  'no.such.config': ['1'],
  '': ['1'],
}

/** Every value, asked whether it would do; then each config on a topic of its own, as it is told afterwards. */
function values(prefix: string, from: number, to: number): Scenario {
  return {
    name: `Values of topic configs, ${prefix}`,
    run: async session => {
      const topic = await session.topic('topic')
      for (const [name, tried] of Object.entries(topicValues).slice(from, to)) {
        for (const value of tried) {
          const resource = {
            resourceType: 2,
            resourceName: topic,
            configs: [{ name, configOperation: 0, value }],
          }
          const body = { resources: [resource], validateOnly: true }
          await session.ask(`${name} = "${value}"`, incrementalAlterConfigs, 1, body)
        }
      }
    },
  }
}

/** What topics keep and tell of configs that they are made with. */
async function kept(session: Session): Promise<void> {
  const wishes: Record<string, Record<string, string>> = {
    spaces: { 'cleanup.policy': ' compact , delete ', 'retention.ms': ' 7000 ' },
    'largest numbers': {
      'flush.ms': max64,
      'retention.ms': max64,
      'retention.bytes': max64,
      'max.compaction.lag.ms': max64,
    },
    'beyond 2^53': { 'retention.ms': '9007199254740993' },
    'no policy': { 'cleanup.policy': '' },
    'upper case': { preallocate: 'TRUE' },
    'all that has no effect here': {
      'min.cleanable.dirty.ratio': '0.25',
      'flush.messages': '10000',
      preallocate: 'true',
      'segment.jitter.ms': '1000',
      'compression.gzip.level': '1',
      'compression.lz4.level': '2',
      'compression.zstd.level': '4',
      'leader.replication.throttled.replicas': '0:1',
      'follower.replication.throttled.replicas': '*',
      'local.retention.bytes': '-2',
      'local.retention.ms': '-2',
      'remote.log.copy.disable': 'false',
      'remote.log.delete.on.disable': 'false',
      'remote.storage.enable': 'false',
    },
    'local retention above the whole': { 'retention.ms': '1000', 'local.retention.ms': '2000' },
    'min above max compaction lag': {
      'min.compaction.lag.ms': '2000',
      'max.compaction.lag.ms': '1000',
    },
    'a segment smaller than a batch': {
      'segment.bytes': '1048576',
      'max.message.bytes': '2097152',
    },
    'more replicas in sync than there are': { 'min.insync.replicas': '3' },
  }
  for (const [label, configs] of Object.entries(wishes)) {
    const name = session.own(label.replaceAll(/\W/g, '-'))
    const wished = Object.entries(configs).map(([of, value]) => ({ name: of, value }))
    const topics = [{ name, numPartitions: 1, replicationFactor: 1, configs: wished }]
    await session.ask(`made with ${label}`, createTopics, 7, { topics, timeoutMs: 30_000 })
    await session.settle()
    const configurationKeys = Object.keys(configs)
    const resources = [{ resourceType: 2, resourceName: name, configurationKeys }]
    await session.ask(`told of ${label}`, describeConfigs, 4, { resources, includeSynonyms: true })
  }
}

/** Ways to change a topic's configs. */
async function changes(session: Session): Promise<void> {
  const topic = await session.topic('topic', {
    configs: { 'cleanup.policy': 'delete', 'retention.ms': '5000' },
  })
  const change = async (
    label: string,
    configs: readonly object[],
    rest: object = {},
  ): Promise<void> => {
    const resources = [{ resourceType: 2, resourceName: topic, configs }]
    await session.ask(label, incrementalAlterConfigs, 1, { resources, ...rest })
    await session.settle()
    const configurationKeys = [
      'cleanup.policy',
      'retention.ms',
      'segment.bytes',
      'leader.replication.throttled.replicas',
    ]
    const asked = [{ resourceType: 2, resourceName: topic, configurationKeys }]
    await session.ask(`${label}: told`, describeConfigs, 4, {
      resources: asked,
      includeSynonyms: true,
    })
  }
  const policy = (configOperation: number, value: string | null): object => ({
    name: 'cleanup.policy',
    configOperation,
    value,
  })
  await change('compact appended', [policy(2, 'compact')])
  await change('compact appended again', [policy(2, 'compact')])
  await change('delete subtracted', [policy(3, 'delete')])
  await change('what is not there subtracted', [policy(3, 'delete')])
  await change('the last subtracted', [policy(3, 'compact')])
  await change('nonsense appended', [policy(2, 'nonsense')])
  await change('two appended', [policy(2, 'compact,delete')])
  await change('nothing appended', [policy(2, null)])
  await change('set to nothing', [policy(0, null)])
  await change('removed', [policy(1, null)])
  await change('removed again', [policy(1, 'whatever')])
  await change('appended to the default', [policy(2, 'compact')])
  await change('appended to a number', [{ name: 'retention.ms', configOperation: 2, value: '1' }])
  await change('an operation that is none', [policy(9, 'compact')])
  await change('one twice', [policy(0, 'compact'), policy(0, 'delete')])
  await change('one right, one wrong', [
    policy(0, 'delete'),
    { name: 'segment.bytes', configOperation: 0, value: '-1' },
  ])
  await change('replicas appended', [
    { name: 'leader.replication.throttled.replicas', configOperation: 2, value: '0:1' },
  ])
  await change('none', [])
  await change('removed, to be checked', [{ name: 'retention.ms', configOperation: 1 }], {
    validateOnly: true,
  })
  const replaced = [
    {
      resourceType: 2,
      resourceName: topic,
      configs: [{ name: 'segment.bytes', value: '2097152' }],
    },
  ]
  await session.ask('all replaced', alterConfigs, 2, { resources: replaced })
  await change('none, after all were replaced', [])
}

/** What has configs besides topics, and what has none. */
async function resources(session: Session): Promise<void> {
  const ask = async (
    label: string,
    resourceType: number,
    resourceName: string,
    configurationKeys: string[] | null = [],
  ): Promise<void> => {
    const asked = [{ resourceType, resourceName, configurationKeys }]
    await session.ask(label, describeConfigs, 4, { resources: asked, includeSynonyms: true })
  }
  const some = ['log.cleaner.backoff.ms', 'log.retention.ms', 'max.connections', 'no.such.config']
  await ask('broker 1', 4, '1', some)
  await ask('broker 2', 4, '2', some)
  await ask('broker x', 4, 'x', some)
  await ask('all brokers', 4, '', null)
  await ask('loggers of broker 1', 8, '1', ['kafka'])
  await ask('loggers of broker 2', 8, '2', ['kafka'])
  await ask('metrics of clients', 16, session.own('none'), null)
  await ask('a group', 32, session.own('none'), null)
  await ask('no group', 32, '', null)
  await ask('a kind that is none', 3, '1')
  await ask('a topic with a slash', 2, 'a/b')
  const topic = await session.topic('topic')
  const twice = [1, 2].map(() => ({
    resourceType: 2,
    resourceName: topic,
    configurationKeys: ['retention.ms'],
  }))
  await session.ask('one twice', describeConfigs, 4, { resources: twice })
  await session.ask('none', describeConfigs, 4, { resources: [] })
  const change = async (
    label: string,
    resourceType: number,
    resourceName: string,
    config: object,
  ): Promise<void> => {
    const configs = [{ configOperation: 0, ...config }]
    const body = { resources: [{ resourceType, resourceName, configs }], validateOnly: true }
    await session.ask(`${label}, incrementally`, incrementalAlterConfigs, 1, body)
    await session.ask(`${label}, all at once`, alterConfigs, 2, body)
  }
  const backoff = { name: 'log.cleaner.backoff.ms', value: '20000' }
  for (const [label, name] of [
    ['broker 1', '1'],
    ['broker 2', '2'],
    ['broker x', 'x'],
    ['all brokers', ''],
  ] as const) {
    await change(`${label}, one that tools set`, 4, name, backoff)
    await change(`${label}, a value that does not fit`, 4, name, { ...backoff, value: 'x' })
    await change(`${label}, one that cannot change`, 4, name, { name: 'node.id', value: '7' })
    await change(`${label}, one that is unknown`, 4, name, { name: 'no.such.config', value: '1' })
    await change(`${label}, a listener's`, 4, name, {
      name: 'listener.name.plaintext.max.connections',
      value: '7',
    })
  }
  await change('a logger', 8, '1', { name: 'kafka', value: 'DEBUG' })
  await change('a logger, unknown', 8, '1', { name: 'no.such.logger', value: 'DEBUG' })
  await change('a logger to a level that is none', 8, '1', { name: 'kafka', value: 'LOUD' })
  await change('metrics of clients', 16, session.own('some'), {
    name: 'interval.ms',
    value: '1000',
  })
  await change('a group', 32, session.own('some'), {
    name: 'consumer.session.timeout.ms',
    value: '50000',
  })
  await change('a group, a value that does not fit', 32, session.own('some'), {
    name: 'consumer.session.timeout.ms',
    value: '1',
  })
  await change('a group, one that is unknown', 32, session.own('some'), {
    name: 'no.such.config',
    value: '1',
  })
  await change('a kind that is none', 3, '1', backoff)
  await change('a topic that is not there', 2, session.own('no-such'), {
    name: 'retention.ms',
    value: '1',
  })
}

export const configValueScenarios: readonly Scenario[] = [
  values('a to d', 0, 6),
  values('d to k', 6, 12),
  values('l to m', 12, 21),
  values('m to r', 21, 28),
  values('s to z', 28, Object.keys(topicValues).length),
  { name: 'Configs that topics keep', run: kept },
  { name: 'Changes of topic configs', run: changes },
  { name: 'Resources that have configs', run: resources },
]
