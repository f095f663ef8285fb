import {
  alterClientQuotas,
  alterPartitionReassignments,
  alterReplicaLogDirs,
  alterUserScramCredentials,
  apiVersions,
  describeClientQuotas,
  describeLogDirs,
  describeUserScramCredentials,
  electLeaders,
  listPartitionReassignments,
  listTransactions,
  produce,
  saslHandshake,
  updateFeatures,
} from '../../../src/broker/wire/messages/index.ts'
import { pickText, type Scenario, type Session } from '../session.ts'
import { batchOf, produceBody } from './data.ts'

/** Versions of ApiVersions that there are not: answered in the form of version 0. */
async function futureVersions(session: Session): Promise<void> {
  for (const version of [5, 6, 100, 32_767, -1]) {
    const client = { clientSoftwareName: 'differential', clientSoftwareVersion: '1' }
    const request = { api: apiVersions, version: 4, body: client, answeredIn: 0 }
    await session.askChanged(`v${version}`, request, frame => {
      frame.writeInt16BE(version, 6)
      return frame
    })
  }
  for (const [name, version] of [
    ['', '1'],
    ['a', ''],
    ['-a', '1'],
    ['a-', '1'],
    ['a b', '1'],
    ['a', '1.0-x'],
  ] as const) {
    const body = { clientSoftwareName: name, clientSoftwareVersion: version }
    await session.ask(`client "${name}" "${version}"`, apiVersions, 3, body)
  }
}

/** The only broker asked to keep, to move and to elect. */
async function oneBroker(session: Session): Promise<void> {
  const topic = await session.topic('topic', { partitions: 2 })
  const reassign = async (
    label: string,
    replicas: number[] | null,
    changes: object = {},
  ): Promise<void> => {
    const partitions = [{ partitionIndex: 0, replicas, ...changes }]
    await session.ask(label, alterPartitionReassignments, 1, {
      topics: [{ name: topic, partitions }],
    })
  }
  await reassign('to where it is', [1])
  await reassign('to a stranger', [2])
  await reassign('to one and a stranger', [1, 2])
  await reassign('to one twice', [1, 1])
  await reassign('to nobody', [])
  await reassign('given up', null)
  await reassign('of a partition that is not there', [1], { partitionIndex: 9 })
  const everything = { topics: null, timeoutMs: 30_000 }
  await session.ask('what is under way', listPartitionReassignments, 0, everything)
  for (const electionType of [0, 1, 2]) {
    const topicPartitions = [{ topic, partitions: [0, 1, 9] }]
    await session.ask(`election ${electionType}`, electLeaders, 2, {
      electionType,
      topicPartitions,
    })
    await session.ask(`election ${electionType} of all`, electLeaders, 2, {
      electionType,
      topicPartitions: null,
    })
  }
}

/** Directories: how large what is in them is, and moving it. */
async function directories(session: Session): Promise<void> {
  const topic = await session.topic('topic', { partitions: 2 })
  await session.request(produce, 9, produceBody(topic, batchOf(['a', 'b'])))
  for (let version = 1; version <= 5; version++) {
    await session.ask(`all in v${version}`, describeLogDirs, version, { topics: null })
  }
  const topics = [
    { topic, partitions: [1, 9] },
    { topic: session.own('no-such'), partitions: [0] },
  ]
  await session.ask('some', describeLogDirs, 4, { topics })
  await session.ask('none', describeLogDirs, 4, { topics: [] })
  const found = await session.connection('').ask(describeLogDirs, 4, { topics: null })
  const path = pickText(found, 'results', 0, 'logDir')
  for (const [label, to] of [
    ['where it is', path],
    ['to a relative folder', 'data'],
    ['nowhere', ''],
  ] as const) {
    const dirs = [{ path: to, topics: [{ name: topic, partitions: [0, 9] }] }]
    await session.ask(`moved ${label}`, alterReplicaLogDirs, 2, { dirs })
  }
}

/** Users with credentials, kept though nobody can log in. */
async function users(session: Session): Promise<void> {
  const [alice, bob] = [session.own('alice'), session.own('bob')]
  const salted = {
    iterations: 4096,
    salt: Buffer.from('salt'),
    saltedPassword: Buffer.alloc(32, 1),
  }
  const upsert = (name: string, changes: object = {}): object => ({
    name,
    mechanism: 1,
    ...salted,
    ...changes,
  })
  const alter = async (
    label: string,
    upsertions: object[],
    deletions: object[] = [],
  ): Promise<void> => {
    await session.ask(label, alterUserScramCredentials, 0, { deletions, upsertions })
    await session.settle()
    await session.ask(`${label}: told`, describeUserScramCredentials, 0, {
      users: [{ name: alice }, { name: bob }],
    })
  }
  await alter('one user', [upsert(alice)])
  await alter('a second mechanism', [
    upsert(alice, { mechanism: 2, saltedPassword: Buffer.alloc(64, 1) }),
  ])
  await alter('few iterations', [upsert(bob, { iterations: 4095 })])
  await alter('many iterations', [upsert(bob, { iterations: 16_385 })])
  await alter('a mechanism that is none', [upsert(bob, { mechanism: 3 })])
  await alter('one twice', [upsert(bob), upsert(bob)])
  await alter('one set and deleted', [upsert(bob)], [{ name: bob, mechanism: 1 }])
  await alter('one right, one wrong', [upsert(bob), upsert(session.own('carl'), { iterations: 1 })])
  await alter('deleted', [], [{ name: alice, mechanism: 1 }])
  await alter('deleted again', [], [{ name: alice, mechanism: 1 }])
  await alter('nothing', [])
  const twice = [{ name: alice }, { name: alice }]
  await session.ask('one described twice', describeUserScramCredentials, 0, { users: twice })
}

/** Quotas, as far as they are kept. */
async function quotas(session: Session): Promise<void> {
  const entity = [{ entityType: 'user', entityName: session.own('user') }]
  const alter = async (label: string, changes: object, op: object = {}): Promise<void> => {
    const ops = [{ key: 'producer_byte_rate', value: 1e6, remove: false, ...op }]
    const body = { entries: [{ entity, ops, ...changes }], validateOnly: true }
    await session.ask(label, alterClientQuotas, 1, body)
  }
  await alter('right', {})
  await alter('no entity', { entity: [] })
  await alter('an entity that is none', { entity: [{ entityType: 'planet', entityName: 'earth' }] })
  await alter('one entity twice', { entity: [...entity, ...entity] })
  await alter('a default', { entity: [{ entityType: 'client-id', entityName: null }] })
  await alter(
    'an address',
    { entity: [{ entityType: 'ip', entityName: '127.0.0.9' }] },
    { key: 'connection_creation_rate', value: 10 },
  )
  await alter(
    'an address that is none',
    { entity: [{ entityType: 'ip', entityName: 'nowhere' }] },
    { key: 'connection_creation_rate', value: 10 },
  )
  await alter('no key', {}, { key: '' })
  await alter('an unknown key', {}, { key: 'speed' })
  await alter('removed', {}, { remove: true })
  await alter('negative', {}, { value: -1 })
  await alter('broken', {}, { value: 1.5 })
  for (const [entityType, matchType, match] of [
    ['user', 1, null],
    ['user', 2, null],
    ['client-id', 0, 'c'],
    ['ip', 2, null],
    ['planet', 2, null],
    ['user', 3, null],
    ['user', 0, null],
    ['user', 1, 'x'],
  ] as const) {
    const components = [{ entityType, matchType, match }]
    await session.ask(`${entityType} ${matchType} ${match}`, describeClientQuotas, 1, {
      components,
      strict: true,
    })
  }
}

/** Features to be moved, all but in earnest. */
async function features(session: Session): Promise<void> {
  const update = async (label: string, ...featureUpdates: object[]): Promise<void> => {
    await session.ask(label, updateFeatures, 2, { featureUpdates, validateOnly: true })
  }
  await update('none')
  for (const feature of [
    'metadata.version',
    'transaction.version',
    'group.version',
    'kraft.version',
    'eligible.leader.replicas.version',
    'share.version',
    'streams.version',
    'no.such',
  ]) {
    for (const maxVersionLevel of [-1, 0, 1, 7, 100]) {
      for (const upgradeType of [0, 1, 2, 3]) {
        await update(`${feature} to ${maxVersionLevel} by ${upgradeType}`, {
          feature,
          maxVersionLevel,
          upgradeType,
        })
      }
    }
  }
}

async function transactions(session: Session): Promise<void> {
  for (const [label, body] of Object.entries({
    all: {},
    'a state': { stateFilters: ['Ongoing', 'Empty', 'Dead'] },
    'a state that is none': { stateFilters: ['Asleep'] },
    'a pattern': { transactionalIdPattern: 'a.*' },
    'a pattern that is none': { transactionalIdPattern: '(' },
    'no duration': { durationFilter: 0 },
  })) {
    await session.ask(label, listTransactions, 2, {
      stateFilters: [],
      producerIdFilters: [],
      ...body,
    })
  }
  for (const mechanism of ['', 'PLAIN', 'SCRAM-SHA-256', 'GSSAPI', 'NONE']) {
    await session.ask(`handshake for "${mechanism}"`, saslHandshake, 1, { mechanism })
  }
}

export const adminOrderScenarios: readonly Scenario[] = [
  { name: 'Versions of the future', run: futureVersions },
  { name: 'One broker alone', run: oneBroker },
  { name: 'Log directories', run: directories },
  { name: 'Users and credentials', run: users },
  { name: 'Quotas', run: quotas },
  { name: 'Features', run: features },
  { name: 'Transactions and handshakes', run: transactions },
]
