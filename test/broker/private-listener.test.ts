import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Versions } from '../../src/broker/wire/client/versions.ts'
import { WireClient } from '../../src/broker/wire/client/client.ts'
import {
  apis,
  apiVersions,
  describeCluster,
  metadata,
  saslAuthenticate,
  saslHandshake,
} from '../../src/broker/wire/messages/index.ts'
import {
  askController,
  brokersApis,
  brokerStatus,
  describeBacklogs,
  describeLogEnds,
  fetchMetadata,
} from '../../src/broker/wire/private/index.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { HeldDisk } from '../helpers/held-disk.ts'
import type { InProcessBroker } from '../helpers/in-process.ts'
import {
  friend,
  madePrivate,
  passwords,
  privatePort,
  putPassword,
  startPrivate,
  stranger,
} from '../helpers/private-broker.ts'

/** Told to everybody who comes by it, and answered to brokers: a client learns versions before it logs in. */
const privateKeys = [
  ...brokersApis,
  brokerStatus,
  fetchMetadata,
  askController,
  describeBacklogs,
  describeLogEnds,
].map(({ key }) => key)

let broker: InProcessBroker
const open: WireClient[] = []

beforeEach(async () => {
  broker = await startPrivate()
})

afterEach(async () => {
  for (const client of open.splice(0)) client.close()
  await broker[Symbol.asyncDispose]()
})

async function opened(connecting: Promise<WireClient>): Promise<WireClient> {
  const client = await connecting
  open.push(client)
  return client
}

const versionsOf = async (client: WireClient) =>
  (
    await client.request(apiVersions, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
  ).apiKeys.map(({ apiKey }) => apiKey)

async function metric(start: string): Promise<string | undefined> {
  const text = await broker.metrics.text()
  return text.split('\n').find(line => line.startsWith(start))
}

describe('before the login', () => {
  test.each(apis.filter(api => ![17, 18].includes(api.key)).map(api => [api.name, api] as const))(
    '%s ends the connection',
    async (_, api) => {
      const client = await opened(stranger(broker))
      // Whatever it says: it is not looked at.
      const asked = client.request(api, emptyOf(api.name) as never)
      await expect(asked).rejects.toMatchObject({ reason: 'closed' })
    },
  )

  test('nor does BrokerStatus get an answer', async () => {
    const client = await opened(stranger(broker))
    await expect(client.request(brokerStatus, {})).rejects.toMatchObject({ reason: 'closed' })
    expect(await metric('logcluster_connection_faults_total{reason="not-logged-in"}')).toMatch(
      / 1$/,
    )
  })

  test('ApiVersions is answered, more than once', async () => {
    const client = await opened(stranger(broker))
    expect(await versionsOf(client)).toEqual(await versionsOf(client))
  })
})

test('who has logged in is answered what clients are, and the status besides', async () => {
  for (const user of ['operator', 'broker'] as const) {
    const client = await opened(friend(broker, user))
    const keys = await versionsOf(client)
    const clients = await broker.connect()
    const ours = await versionsOf(clients.wire)
    expect(keys).toEqual([...ours, ...privateKeys].toSorted((a, b) => a - b))
    const { clusterId } = await client.request(describeCluster, {
      includeClusterAuthorizedOperations: false,
      includeFencedBrokers: false,
    })
    const status = await client.request(brokerStatus, {})
    expect(status).toMatchObject({ errorCode: 0, brokerId: 1, clusterId, isReady: true })
    expect(status).toMatchObject({ notReadyReason: null, version: '0.0.0-test', startClass: 'D' })
    expect(status.directoryId).toMatch(/^[\w-]{22}$/)
  }
})

test('it is told the address that it dialled, and clients are not told of the listener', async () => {
  const client = await opened(friend(broker))
  const wish = {
    topics: [],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  const { brokers } = await client.request(metadata, wish)
  expect(brokers).toMatchObject([{ nodeId: 1, host: '127.0.0.1', port: privatePort(broker) }])
  const clients = await broker.connect()
  const told = await clients.wire.request(metadata, wish)
  expect(told.brokers[0]!.port).toBe(broker.broker.listeners[0]!.port)
})

describe('who cannot log in', () => {
  test.each([
    ['with another password', 'operator', 'open barley'],
    ['as a user of another name', 'root', passwords.operator],
    ['as one principal with the password of the other', 'broker', passwords.operator],
  ])('%s is told so, and his connection ends', async (_, user, password) => {
    const logging = friend(broker, user as 'operator', password)
    await expect(logging).rejects.toMatchObject({ error: 'SASL_AUTHENTICATION_FAILED' })
    expect(await metric('logcluster_login_failures_total')).toBe(
      'logcluster_login_failures_total{listener="private"} 1',
    )
  })

  test('gets his answer late, and none to what he asks meanwhile', async () => {
    const client = await opened(stranger(broker))
    await client.request(saslHandshake, { mechanism: 'SCRAM-SHA-256' }, { version: 1 })
    const nobody = client.request(saslAuthenticate, { authBytes: utf8('n,,n=nobody,r=abc') })
    const again = client.request(saslAuthenticate, { authBytes: utf8('n,,n=operator,r=abc') })
    again.catch(() => {})
    const { errorCode } = await nobody
    expect(errorName(errorCode)).toBe('SASL_AUTHENTICATION_FAILED')
    await expect(again).rejects.toMatchObject({ reason: 'closed' })
    await client.closed
    expect(await metric('logcluster_login_failures_total')).toMatch(/ 1$/)
  })

  test('by a mechanism that is not there is told which is', async () => {
    const client = await opened(stranger(broker))
    const { errorCode, mechanisms } = await client.request(saslHandshake, { mechanism: 'PLAIN' })
    expect([errorName(errorCode), mechanisms]).toEqual([
      'UNSUPPORTED_SASL_MECHANISM',
      ['SCRAM-SHA-256'],
    ])
    expect(await client.closed).toMatchObject({ reason: 'closed' })
  })
})

test('failures are counted from 0', async () => {
  expect(await metric('logcluster_login_failures_total')).toMatch(/\{listener="private"\} 0$/)
})

test('a password that changes counts for the next login, and nobody is thrown out', async () => {
  const before = await opened(friend(broker))
  putPassword(broker.disk, 'operator', 'new moon')
  await expect(friend(broker)).rejects.toMatchObject({ error: 'SASL_AUTHENTICATION_FAILED' })
  const after = await opened(friend(broker, 'operator', 'new moon'))
  for (const client of [before, after]) {
    expect(await client.request(brokerStatus, {})).toMatchObject({ isReady: true })
  }
})

test('a frame that is longer than any operator sends ends the connection before it has come', async () => {
  const client = await opened(stranger(broker))
  const authBytes = new Uint8Array(9 * 1024 * 1024)
  const asked = client.request(saslAuthenticate, { authBytes })
  await expect(asked).rejects.toMatchObject({ reason: 'closed' })
  expect(await metric('logcluster_connection_faults_total{reason="frame"}')).toMatch(/ 1$/)
})

test('a broker that starts tells what it waits for, before it serves anything else', async () => {
  const disk = new HeldDisk()
  await using starting = madePrivate({}, disk)
  const started = starting.broker.start()
  await disk.isAsked.promise
  const client = await opened(friend(starting))
  expect(await client.request(brokerStatus, {})).toMatchObject({
    isReady: false,
    notReadyReason: 'The metadata log is being opened.',
    clusterId: '',
    directoryId: zeroUuid,
    startClass: '',
    partitionCount: 0,
  })
  expect(await versionsOf(client)).toEqual([17, 18, 36, ...privateKeys])
  expect(starting.broker.listeners).toEqual([])
  disk.held.resolve()
  await started
  const none = { count: 0, names: [] }
  expect(await client.request(brokerStatus, {})).toMatchObject({
    isReady: true,
    startClass: 'D',
    brokers: [{ isDrained: false, behind: none, underMin: none, offline: none }],
  })
  expect(await versionsOf(client)).toContain(metadata.key)
})

test('to clients the private API is none, as any key that nobody knows', async () => {
  const { port } = broker.broker.listeners[0]!
  const versions = new Versions(new Map([[brokerStatus.key, [0, 0]]]))
  const env = { clock: realClock, network: new NodeNetwork() }
  const client = await opened(WireClient.connect(env, { host: '127.0.0.1', port }, { versions }))
  await expect(client.request(brokerStatus, {})).rejects.toMatchObject({ reason: 'closed' })
  expect(await metric('logcluster_connection_faults_total{reason="unknown-api"}')).toMatch(/ 1$/)
})

/** The least that each API's encoder takes. */
function emptyOf(name: string): object {
  const wishes: Readonly<Record<string, object>> = {
    Metadata: { topics: null },
    DeleteTopics: { topics: [] },
  }
  return wishes[name] ?? {}
}
