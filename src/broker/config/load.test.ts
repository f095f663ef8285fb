import { describe, expect, test } from 'vitest'
import { ConfigurationError, load, type Invocation } from './load.ts'
import { camel, settingNames, settingOf, type Settings } from './settings.ts'
import { longMax } from './setting.ts'
import { isProblem, parse } from './setting-value.ts'

const mebibyte = 1024 * 1024

const invocation: Invocation = {
  args: [],
  environment: {},
  readFile: path => {
    throw new Error(`ENOENT: ${path}`)
  },
  version: '1.2.3',
}

function settings(changes: Partial<Invocation>): Settings {
  const loaded = load({ ...invocation, ...changes })
  if (loaded.kind !== 'configuration') throw new Error('expected a configuration')
  return loaded.configuration.settings
}

function problems(changes: Partial<Invocation>): readonly string[] {
  try {
    load({ ...invocation, ...changes })
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

test('without anything given, every setting has its default, and the whole is frozen', () => {
  const loaded = settings({})
  expect(loaded.nodeId).toBe(1)
  expect(loaded.listeners).toBe('PLAINTEXT://127.0.0.1:9092')
  expect(loaded.numPartitions).toBe(4)
  expect(Object.isFrozen(loaded)).toBe(true)
  for (const name of settingNames) {
    expect(loaded[camel(name) as keyof Settings]).toBe(settingOf(name).default)
  }
})

test('every default is a value that its own row accepts', () => {
  for (const name of settingNames) {
    const setting = settingOf(name)
    expect(isProblem(parse(setting, String(setting.default))), name).toBe(false)
  }
})

test('the file is overridden by the environment, and that by --set', () => {
  const readFile = () => 'num.partitions = 2\nlog.segment.bytes=2097152\nnode.id=2'
  const environment = {
    LOGCLUSTER_LOG_SEGMENT_BYTES: '4194304',
    LOGCLUSTER_NODE_ID: '3',
    HOME: '/',
  }
  const args = ['--config', 'x.properties', '--set', 'node.id=4']
  expect(settings({ args, environment, readFile })).toMatchObject({
    numPartitions: 2,
    logSegmentBytes: 4_194_304,
    nodeId: 4,
  })
})

test('an unknown setting is refused wherever it stands, with the nearest name', () => {
  const found = problems({
    args: ['--config=a.properties', '--set=num.partition=3', '--set', 'nothing.like.that=1'],
    environment: { LOGCLUSTER_LISTENER: 'x', LOGCLUSTER_TEST_PLANT: '1' },
    readFile: () => '# comment\nlog.segment.byte=1\n',
  })
  expect(found).toEqual([
    'the environment: there is no setting LOGCLUSTER_LISTENER; did you mean LOGCLUSTER_LISTENERS? (--help lists all)',
    'a.properties line 2: there is no setting log.segment.byte; did you mean log.segment.bytes? (--help lists all)',
    '--set: there is no setting num.partition; did you mean num.partitions? (--help lists all)',
    '--set: there is no setting nothing.like.that (--help lists all)',
  ])
})

test("a setting of Kafka's that is none here is refused with the reason", () => {
  expect(
    problems({ args: ['--set', 'ssl.keystore.location=x', '--set', 'process.roles=broker'] }),
  ).toEqual([
    "--set: ssl.keystore.location is Kafka's, and none here: there is no TLS yet. Leave it out",
    "--set: process.roles is Kafka's, and none here: the metadata log is not a Raft quorum, and decides itself when it is cut. Leave it out",
  ])
})

test('the reason speaks of brokers that replicate', () => {
  const reasonOf = (name: string) => /none here: (.*)\. Leave it out/.exec(problem(name))![1]
  const problem = (name: string) => problems({ args: ['--set', `${name}=x`] })[0]!
  expect(reasonOf('replica.selector.class')).toBe('consumers read from leaders only')
  expect(reasonOf('inter.broker.listener.name')).toMatch(/private.listener/)
  expect(reasonOf('request.timeout.ms')).toMatch(/replica.socket.timeout.ms/)
  expect(reasonOf('auto.leader.rebalance.enable')).toMatch(/goes back to the preferred replica/)
  expect(reasonOf('controlled.shutdown.enable')).toMatch(/gives away what it leads/)
})

test('a configuration keeps the texts that were given, by the names that they were given for', () => {
  const args = [
    '--set',
    'log.flush.interval.ms=9007199254740993',
    '--set',
    'log.retention.hours= 2',
  ]
  args.push('--set', 'log.cleanup.policy=delete, compact', '--set', 'broker.id=+7')
  const loaded = load({ ...invocation, args })
  if (loaded.kind !== 'configuration') throw new Error('expected a configuration')
  expect(Object.fromEntries(loaded.configuration.given)).toEqual({
    'log.flush.interval.ms': '9007199254740993',
    'log.retention.hours': '2',
    'log.cleanup.policy': 'delete,compact',
    'broker.id': '+7',
  })
  expect(loaded.configuration.settings).toMatchObject({
    logFlushIntervalMs: longMax,
    logRetentionMs: 7_200_000,
    logCleanupPolicy: 'compact,delete',
    nodeId: 7,
  })
})

test('variables of the loader, of tests and of Kubernetes are no settings', () => {
  const names = ['NATIVE', 'NATIVE_FILE', 'TEST_MAIN', 'SERVICE_HOST', 'PORT', 'PORT_9092_TCP_ADDR']
  names.push('OPERATOR_SERVICE_PORT_HTTPS')
  const environment = Object.fromEntries(names.map(name => [`LOGCLUSTER_${name}`, 'x']))
  expect(problems({ environment })).toEqual([])
  expect(problems({ environment: { LOGCLUSTER_NATIVES: 'x' } })).toHaveLength(1)
})

test('a value out of its range is refused, with the range and the place', () => {
  expect(problems({ args: ['--set', 'num.partitions=0', '--set', 'flush.policy=never'] })).toEqual([
    '--set: num.partitions must be 1 to 100000 count, and 0 is outside',
    "--set: flush.policy must be one of interval, ack, os, and 'never' is not",
  ])
  expect(problems({ args: ['--set', 'log.retention.ms=soon'] })[0]).toContain('whole number')
  expect(problems({ args: ['--set', 'log.retention.ms=1e3'] })[0]).toContain('whole number')
})

test('what does not fit together is refused', () => {
  expect(problems({ args: ['--set', 'queued.max.request.bytes=1048576'] })[0]).toMatch(/raise/)
  expect(problems({ args: ['--set', 'log.dirs=/a,/b'] })[0]).toMatch(/one directory/)
  expect(problems({ args: ['--set', 'listeners=PLAINTEXT://0.0.0.0:9092'] })[0]).toMatch(
    /set advertised.listeners/,
  )
  expect(problems({ args: ['--set', 'http.address=nowhere'] })[0]).toMatch(/host:port/)
  const args = ['--set', 'metadata.store=etcd://root:secret@a:2379/b', '--set', 'metadata.dir=/c']
  const found = problems({ args })
  expect(found).toEqual([
    expect.stringMatching(/two places for one log/),
    expect.stringMatching(/user of etcd/),
  ])
  expect(found.join()).not.toContain('secret')
})

test('a follower may not wait for longer than it may lag', () => {
  const wait = (waitMs: number, lagMs: number) => [
    '--set',
    `replica.fetch.wait.max.ms=${waitMs}`,
    '--set',
    `replica.lag.time.max.ms=${lagMs}`,
  ]
  expect(settings({ args: wait(1000, 1000) }).replicaFetchWaitMaxMs).toBe(1000)
  expect(problems({ args: wait(1001, 1000) })).toEqual([
    'replica.fetch.wait.max.ms is 1001 and more than replica.lag.time.max.ms, which is 1000: a follower that waits would ' +
      'count as one that lags. Lower the first or raise the second',
  ])
})

test('a leader has as long for an answer as a follower waits there, and whoever gives it less is told', () => {
  const waits = ['--set', 'replica.fetch.wait.max.ms=5000']
  const timeout = (ms: number) => [...waits, '--set', `replica.socket.timeout.ms=${ms}`]
  expect(settings({ args: timeout(5000) }).replicaSocketTimeoutMs).toBe(5000)
  expect(settings({ args: waits }).replicaSocketTimeoutMs).toBe(5000)
  expect(settings({}).replicaSocketTimeoutMs).toBe(3000)
  expect(problems({ args: timeout(0) })).toEqual([
    'replica.fetch.wait.max.ms is 5000 and more than replica.socket.timeout.ms, which is 0: a leader that lets a follower wait ' +
      'would count as hung. Lower the first or raise the second',
  ])
})

test.each(['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'])(
  '%s=0 would empty every topic: only a topic may have it',
  name => {
    expect(problems({ args: ['--set', `${name}=0`] })).toEqual([
      `--set: ${name} must be at least -1 ms, not 0, and 0 is outside`,
    ])
    expect(settings({ args: ['--set', `${name}=-1`] }).logRetentionMs).toBe(-1)
  },
)

test('a connection is not idle before a failed login is answered', () => {
  const idle = (ms: number) => ({ args: ['--set', `connections.max.idle.ms=${ms}`] })
  expect([-1, 101].map(ms => settings(idle(ms)).connectionsMaxIdleMs)).toEqual([-1, 101])
  for (const ms of [0, 50, 100]) {
    expect(problems(idle(ms))).toEqual([
      `--set: connections.max.idle.ms must be at least -1 ms, not 0 to 100, and ${ms} is outside`,
    ])
  }
})

test('who wants more fetchers than leaders have places for is told how many there may be', () => {
  const fetchers = (count: number) => ({ args: ['--set', `num.replica.fetchers=${count}`] })
  expect([1, 16].map(count => settings(fetchers(count)).numReplicaFetchers)).toEqual([1, 16])
  for (const count of [0, 17, 2_147_483_647]) {
    expect(problems(fetchers(count))[0]).toMatch(/num.replica.fetchers must be 1 to 16 count/)
  }
})

test('compaction cannot have to wait for longer than it may', () => {
  const args = ['--set', 'log.cleaner.min.compaction.lag.ms=2']
  args.push('--set', 'log.cleaner.max.compaction.lag.ms=1')
  expect(problems({ args })[0]).toMatch(/no topic could be created: lower the first or raise/)
})

describe('two names of one setting', () => {
  const from = (...lines: string[]): Partial<Invocation> => ({
    args: ['--config', 'x'],
    readFile: () => lines.join('\n'),
  })

  test("in one place: the setting's own stands over the other, whatever their order", () => {
    const lines = ['log.dirs=/a', 'log.dir=/b']
    expect(settings(from(...lines)).logDirs).toBe('/a')
    expect(settings(from(...lines.toReversed())).logDirs).toBe('/a')
    const variables = { LOGCLUSTER_LOG_DIRS: '/a', LOGCLUSTER_LOG_DIR: '/b' }
    const turned = Object.fromEntries(Object.entries(variables).toReversed())
    for (const environment of [variables, turned]) {
      expect(settings({ environment }).logDirs).toBe('/a')
    }
    expect(settings(from('log.dirs=/a', 'log.dir=/b', 'log.dirs=/c')).logDirs).toBe('/c')
  })

  test('in two places: the later one counts', () => {
    const environment = { LOGCLUSTER_LOG_DIR: '/b', LOGCLUSTER_BROKER_ID: '2' }
    const given = settings({ ...from('log.dirs=/a', 'node.id=1'), environment })
    expect(given).toMatchObject({ logDirs: '/b', nodeId: 2 })
  })

  test('with two ids, as in Kafka, are refused; with one it is that', () => {
    const lines = ['node.id=1', 'broker.id=2']
    expect(problems(from(...lines))).toEqual([
      'x line 1: node.id is 1, and x line 2: broker.id is 2. They are one setting: leave one of them out',
    ])
    expect(problems(from(...lines.toReversed()))).toHaveLength(1)
    const environment = { LOGCLUSTER_NODE_ID: '1', LOGCLUSTER_BROKER_ID: '2' }
    expect(problems({ environment })).toHaveLength(1)
    expect(settings(from('node.id=7', 'broker.id= 07')).nodeId).toBe(7)
  })
})

test('an alias in a coarser unit counts unless the finer one is given in the same place', () => {
  const retention = (text: string) =>
    settings({ args: ['--config', 'x'], readFile: () => text }).logRetentionMs
  expect(retention('log.retention.hours=2')).toBe(7_200_000)
  expect(retention('log.retention.hours=2\nlog.retention.minutes=3')).toBe(180_000)
  expect(retention('log.retention.ms=5\nlog.retention.hours=2')).toBe(5)
  expect(retention('log.retention.hours=-1')).toBe(-1)
  expect(
    settings({
      args: ['--config', 'x', '--set', 'log.retention.hours=1'],
      readFile: () => 'log.retention.ms=5',
    }).logRetentionMs,
  ).toBe(3_600_000)
})

test('min.insync.replicas follows the replication factor where nobody sets it (KIP-966)', () => {
  const minimum = (factor: number) =>
    settings({ args: ['--set', `default.replication.factor=${factor}`] }).minInsyncReplicas
  expect([1, 2, 3, 5].map(minimum)).toEqual([1, 1, 2, 2])
})

describe('what only the metadata log decides', () => {
  const set = (...assignments: string[]) => assignments.flatMap(each => ['--set', each])
  const command = 'kafka-configs --bootstrap-server HOST:PORT --alter --entity-type brokers'
  const sentence = (where: string, name: string) =>
    `${where}: ${name} cannot be given at start, because the metadata log decides it, which all brokers share: leave it out, and once they run: ${command}`

  test('is refused at start wherever it is given, with the command that sets it', () => {
    expect(problems({ args: set('min.insync.replicas=3') })).toEqual([
      `${sentence('--set', 'min.insync.replicas')} --entity-default --add-config min.insync.replicas=3 (or --entity-type topics --entity-name TOPIC)`,
    ])
    const unclean = 'unclean.leader.election.enable'
    expect(problems({ args: ['--config', 'x'], readFile: () => `${unclean} = TRUE` })).toEqual([
      `${sentence('x line 1', unclean)} --entity-default --add-config ${unclean}=TRUE (or --entity-type topics --entity-name TOPIC)`,
    ])
    const freeze = 'hibernation.freeze.enable'
    expect(problems({ environment: { LOGCLUSTER_HIBERNATION_FREEZE_ENABLE: 'true' } })).toEqual([
      `${sentence('LOGCLUSTER_HIBERNATION_FREEZE_ENABLE', freeze)} --entity-default --add-config ${freeze}=true`,
    ])
    const drain = 'leadership.drain.enable'
    expect(problems({ args: set(`${drain}=true`, 'cordoned.log.dirs=*') })).toEqual([
      `${sentence('--set', 'cordoned.log.dirs')} --entity-name ID --add-config cordoned.log.dirs=* (or --entity-type brokers --entity-default)`,
      `${sentence('--set', drain)} --entity-name ID --add-config ${drain}=true`,
    ])
  })

  test("passes where it is Kafka's default, and in force anyway", () => {
    const names = ['unclean.leader.election', 'leadership.drain', 'hibernation.freeze']
    const off = names.map(name => `${name}.enable=false`)
    const one = 'min.insync.replicas=1'
    expect(problems({ args: set(one, 'cordoned.log.dirs=', ...off) })).toEqual([])
    expect(problems({ args: set(one, 'default.replication.factor=2') })).toEqual([])
    expect(problems({ args: set(one, 'default.replication.factor=3') })).toHaveLength(1)
    // Topics of two replicas would have 1.
    const two = set('min.insync.replicas=2', 'default.replication.factor=3')
    expect(problems({ args: two })).toHaveLength(1)
  })

  test('may be wished for brokers that run', () => {
    const wish = { args: set('min.insync.replicas=3'), isForRunning: true } as const
    expect(settings(wish).minInsyncReplicas).toBe(3)
  })
})

test('help lists every setting; version says the version', () => {
  const help = load({ ...invocation, args: ['--help'] })
  if (help.kind !== 'text') throw new Error('expected a text')
  for (const name of settingNames) expect(help.text).toContain(name)
  expect(load({ ...invocation, args: ['--version'] })).toEqual({
    kind: 'text',
    text: 'logcluster 1.2.3',
  })
})

test('what is no option, and a file that cannot be read, are told', () => {
  expect(problems({ args: ['--verbose'] })[0]).toMatch(/^--verbose is no option/)
  expect(problems({ args: ['--config', 'gone'] })[0]).toMatch(/gone: the file cannot be read/)
  expect(problems({ args: ['--set', 'nonsense'] })[0]).toMatch(/write name=value/)
  expect(problems({ args: ['--set'] })[0]).toMatch(/needs a value/)
})

describe('memory for requests', () => {
  const of = (memoryMiB: number, ...args: string[]) => {
    const memoryBytesMax = memoryMiB * mebibyte
    const { queuedMaxRequestBytes, socketRequestMaxBytes } = settings({ memoryBytesMax, args })
    return [queuedMaxRequestBytes / mebibyte, socketRequestMaxBytes / mebibyte]
  }

  test('is at most half of what the limit leaves, and the largest request fits into it', () => {
    expect([10_000_000, 4096, 640].map(memory => of(memory))).toEqual(Array(3).fill([256, 100]))
    expect(of(512)).toEqual([192, 100])
    expect(of(256)).toEqual([64, 48])
    expect(of(100)).toEqual([8, 6])
  })

  test('is what was given, whatever the limit', () => {
    expect(of(256, '--set', 'queued.max.request.bytes=209715200')).toEqual([200, 100])
    expect(of(256, '--set', 'socket.request.max.bytes=10485760')).toEqual([64, 10])
    const args = ['--set', 'socket.request.max.bytes=104857600']
    expect(problems({ memoryBytesMax: 256 * mebibyte, args })[0]).toMatch(
      /queued.max.request.bytes/,
    )
  })
})
