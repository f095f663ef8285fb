import { beforeEach, describe, expect, test } from 'vitest'
import { simRandom } from '../../../sim/random.ts'
import type { ScriptedClient } from '../../../test/helpers/scripted-network.ts'
import { Served, answered, ask, body, header, id } from '../../../test/helpers/served.ts'
import { utf8 } from '../../lib/bytes.ts'
import { Prng } from '../../lib/prng.ts'
import { SaslSession } from '../security/sasl-session.ts'
import type { Door } from '../security/door.ts'
import { requestFrame, readResponse } from '../wire/frame.ts'
import { apiByKey, saslAuthenticate, saslHandshake } from '../wire/messages/index.ts'
import { ScramClient } from '../wire/sasl/scram-client.ts'
import { saltPassword, scramCredential } from '../wire/sasl/scram-mechanisms.ts'

const hash = 'sha256'
const given = { salt: Uint8Array.of(1, 2), iterations: 4096 }
const credential = scramCredential({ hash }, saltPassword({ hash }, 'secret', given))

const door: Door = {
  apiByKey,
  openSession: () =>
    new SaslSession({
      random: simRandom(new Prng(5)),
      mechanisms: ['SCRAM-SHA-256'],
      credentialOf: user => (user === 'operator' ? credential : null),
    }),
}

let t: Served
let client: ScriptedClient

beforeEach(async () => {
  t = new Served()
  await t.start({}, undefined, door)
  client = t.connect()
})

const handshake = (correlationId: number) =>
  body(
    requestFrame(
      saslHandshake,
      1,
      { correlationId, clientId: null },
      { mechanism: 'SCRAM-SHA-256' },
    ),
  )

const token = (correlationId: number, authBytes: Uint8Array) =>
  body(requestFrame(saslAuthenticate, 2, { correlationId, clientId: null }, { authBytes }))

const unknownUser = utf8('n,,n=nobody,r=abc')

const failures = () => t.metric('logcluster_login_failures_total')

/** The answers to tokens so far, behind that to the handshake. */
function told(): { readonly error: number; readonly token: Uint8Array }[] {
  return client
    .answers()
    .slice(1)
    .map(bytes => readResponse(saslAuthenticate, 2, bytes).value)
    .map(({ errorCode: error, authBytes }) => ({ error, token: authBytes }))
}

function logIn(): void {
  const exchange = new ScramClient({ hash, user: 'operator', password: 'secret', nonce: 'abc' })
  client.arrive(handshake(1))
  client.arrive(token(2, exchange.first()))
  client.arrive(token(3, exchange.prove(told()[0]!.token)))
  exchange.finish(told()[1]!.token)
}

test('no handler sees what a stranger asks, and the connection ends', async () => {
  client.arrive(ask(1), ask(2))
  expect(t.handled).toEqual([])
  expect(client.closedBy?.kind).toBe('local')
  expect(client.releases).toEqual([1, 1])
  const fault = 'logcluster_connection_faults_total{reason="not-logged-in"}'
  expect(await t.metric(fault)).toMatch(/ 1$/)
})

test('nor does a version of ApiVersions that is unknown open the door', () => {
  client.arrive(header(18, 99, 1), ask(2))
  expect(t.handled).toEqual([])
  expect(client.answers()).toHaveLength(1)
  expect(client.closedBy?.kind).toBe('local')
})

test('who has begun to log in is not told versions any more, known or not', () => {
  client.arrive(handshake(1), header(18, 99, 2))
  expect(client.answers()).toHaveLength(1)
  expect(client.closedBy?.kind).toBe('local')
})

test('who has logged in is handled under his name, also what came in one piece with the login', async () => {
  logIn()
  client.arrive(ask(7))
  expect(t.contexts.get(7)!.session.principal).toBe('operator')
  await t.answer(7)
  expect(client.closedBy).toBeNull()
  await t.clock.run(60_000)
  expect(client.closedBy).toBeNull()
  expect(await failures()).toBeUndefined()
})

describe('who fails', () => {
  test('waits for the answer, and is closed with it', async () => {
    client.arrive(handshake(1), token(2, unknownUser))
    expect(client.answers()).toHaveLength(1)
    await t.clock.run(99)
    expect([client.answers().length, client.closedBy]).toEqual([1, null])
    await t.clock.run(1)
    expect(told()).toMatchObject([{ error: 58 }])
    expect(client.closedBy?.kind).toBe('local')
    expect(await t.metric('logcluster_connections_closed_total')).toContain('login-failed')
  })

  test('is counted before that, also if he does not wait', async () => {
    client.arrive(handshake(1), token(2, unknownUser))
    client.leave()
    expect(await failures()).toBe('logcluster_login_failures_total{listener="PLAINTEXT"} 1')
    expect(t.line('Turned a client away that could not log in')).toMatchObject({
      reason: 'there is no user "nobody"',
      listener: 'PLAINTEXT',
    })
  })

  test('is counted once, and nothing after it is looked at', async () => {
    client.arrive(handshake(1), token(2, unknownUser), token(3, unknownUser), ask(4))
    client.arrive(ask(5))
    await t.clock.run(100)
    expect(client.answers()).toHaveLength(2)
    expect(t.handled).toEqual([])
    expect(client.releases).toEqual([1, 1, 1, 1, 1])
    expect(await failures()).toMatch(/ 1$/)
  })
})

describe('who says nothing', () => {
  test('is closed after ten seconds, and counted', async () => {
    await t.clock.run(9_900)
    expect(client.closedBy).toBeNull()
    await t.clock.run(5_200)
    expect(client.closedBy?.kind).toBe('local')
    expect(await failures()).toMatch(/ 1$/)
    expect(await t.metric('logcluster_connections_closed_total')).toContain('login-timeout')
  })

  test('so is who keeps asking for versions', async () => {
    for (let at = 0; at < 16; at++) {
      if (client.closedBy === null) client.arrive(header(18, 0, at))
      await t.clock.run(1000)
    }
    expect(client.closedBy?.kind).toBe('local')
  })

  test('so is who sends more than a login has, and a client that may is not', async () => {
    client.partialBytes = 65 * 1024
    const known = t.connect()
    client = known
    logIn()
    known.partialBytes = 65 * 1024
    await t.clock.run(5_000)
    expect(t.network.clients[0]!.closedBy?.kind).toBe('local')
    expect(known.closedBy).toBeNull()
    expect(await failures()).toMatch(/ 1$/)
  })

  test('is left alone where nobody has to log in', async () => {
    const open = new Served()
    await open.start()
    const silent = open.connect()
    await open.clock.run(60_000)
    expect(silent.closedBy).toBeNull()
    silent.arrive(ask(1))
    await open.answer(1)
    expect(answered(silent)).toEqual([id(1).producerId])
  })
})
