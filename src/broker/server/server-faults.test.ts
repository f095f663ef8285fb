import { beforeEach, describe, expect, test } from 'vitest'
import { Served, answered, ask, body, header, id } from '../../../test/helpers/served.ts'
import { errorCode } from '../wire/errors.ts'
import { InvariantError } from '../../lib/assert.ts'
import { hex } from '../../lib/bytes.ts'
import { ConnectionFault } from '../handlers/handler.ts'
import { requestFrame } from '../wire/frame.ts'
import { metadata } from '../wire/messages/index.ts'

let t: Served

beforeEach(() => {
  t = new Served()
})

describe('faults', () => {
  test.each([
    ['an unknown API', header(999, 0, 7), 'unknown-api', { api: '999', version: 0 }],
    [
      'a known API that is not served',
      body(
        requestFrame(
          metadata,
          1,
          { correlationId: 7, clientId: 'tester' },
          {
            topics: null,
            allowAutoTopicCreation: true,
            includeClusterAuthorizedOperations: false,
            includeTopicAuthorizedOperations: false,
          },
        ),
      ),
      'unserved-api',
      { api: 'Metadata', version: 1 },
    ],
    [
      'an unknown version',
      header(22, 99, 7),
      'unsupported-version',
      { api: 'InitProducerId', version: 99 },
    ],
    ['a header without an end', new Uint8Array([0, 22, 0, 1, 0, 0, 0, 7]), 'malformed', {}],
    ['a body without an end', ask(7).subarray(0, 19), 'malformed', { api: 'InitProducerId' }],
  ])('%s closes the connection, with one line', async (_, bytes, reason, facts) => {
    await t.start()
    const [client, other] = [t.connect(), t.connect()]
    client.arrive(bytes, ask(8))
    expect(client.closedBy?.kind).toBe('local')
    expect(client.sends).toEqual([])
    expect(t.handled).toEqual([])
    const told = t.lines.filter(({ msg }) => msg === 'Closed a connection for a fault')
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({
      level: 'warn',
      reason,
      remote: '10.0.0.1:40001',
      listener: 'PLAINTEXT',
      ...facts,
    })
    expect(await t.metric(`logcluster_connection_faults_total{reason="${reason}"}`)).toMatch(/ 1$/)
    other.arrive(ask(9))
    await t.answer(9)
    expect(answered(other)).toEqual([9])
  })

  test('answers to earlier requests leave before the connection ends', async () => {
    await t.start()
    const client = t.connect()
    client.arrive(ask(1), header(999, 0, 2), ask(3))
    expect(client.closedBy).toBeNull()
    expect(client.isPaused).toBe(true)
    expect(t.handled).toEqual([1])
    await t.answer(1)
    expect(answered(client)).toEqual([1])
    expect(client.closedBy?.kind).toBe('local')
  })

  test('ApiVersions in an unknown version gets a version 0 body with error 35 (G1)', async () => {
    await t.start()
    const client = t.connect()
    client.arrive(header(18, 99, 5))
    const [bytes] = client.answers()
    // Correlation id 5, error 35, one API: 18, versions 0 to 4; no throttle time, no tags.
    expect(hex(bytes!)).toBe('00000005' + '0023' + '00000001' + '0012' + '0000' + '0004')
    expect(client.closedBy).toBeNull()
    client.arrive(ask(6))
    await t.answer(6)
    expect(client.answers()).toHaveLength(2)
  })

  test('a ConnectionFault, thrown or later, closes; what else is open is dropped', async () => {
    await t.start()
    t.act = number => {
      if (number === 1) throw new ConnectionFault('acks-zero-refused', 'no')
      return undefined
    }
    const thrown = t.connect()
    thrown.arrive(ask(1))
    expect(thrown.closedBy?.kind).toBe('local')
    const later = t.connect()
    let isTold = false
    later.arrive(ask(2), ask(3))
    t.contexts.get(3)!.onClosed(() => (isTold = true))
    t.held.get(2)!.reject(new ConnectionFault('acks-zero-refused', 'no'))
    await t.clock.settle()
    expect(later.closedBy?.kind).toBe('local')
    expect(isTold).toBe(true)
    await t.answer(3)
    expect(later.sends).toEqual([])
    expect(t.fatal).toEqual([])
    expect(
      await t.metric('logcluster_connections_closed_total{reason="acks-zero-refused"}'),
    ).toMatch(/ 2$/)
  })

  test('while the last output leaves, parked requests are let go and nothing is added', async () => {
    await t.start()
    const client = t.connect()
    client.isStuck = true
    client.arrive(ask(1), ask(2), ask(3))
    let isTold = false
    t.contexts.get(3)!.onClosed(() => (isTold = true))
    await t.answer(1)
    t.held.get(2)!.reject(new ConnectionFault('acks-zero-refused', 'no'))
    await t.clock.settle()
    expect(isTold).toBe(true)
    await t.answer(3)
    client.take()
    expect(client.closedBy?.kind).toBe('local')
    expect(answered(client)).toEqual([1])
  })

  test('a failure of a handler closes that connection only, with an error line', async () => {
    await t.start()
    t.act = number => {
      if (number === 1) throw new Error('bug')
      return undefined
    }
    const [client, other] = [t.connect(), t.connect()]
    client.arrive(ask(1))
    expect(client.closedBy).not.toBeNull()
    expect(t.line('Closed a connection for a failure of ours')).toMatchObject({
      level: 'error',
      clientId: 'tester',
      api: 'InitProducerId',
      err: { message: 'bug' },
    })
    expect(t.fatal).toEqual([])
    expect(other.closedBy).toBeNull()
  })

  test('a broken invariant is t.fatal, thrown, later, or after the connection is gone', async () => {
    await t.start()
    t.act = number => {
      if (number === 1) throw new InvariantError('one')
      return undefined
    }
    t.connect().arrive(ask(1))
    expect(t.fatal.map(({ message }) => message)).toEqual(['one'])
    const client = t.connect()
    client.arrive(ask(2), ask(3))
    t.held.get(2)!.reject(new InvariantError('two'))
    await t.clock.settle()
    t.held.get(3)!.reject(new InvariantError('three'))
    await t.clock.settle()
    expect(t.fatal.map(({ message }) => message)).toEqual(['one', 'two', 'three'])
  })

  test('errors in answers are counted, and told in a line with who asked', async () => {
    await t.start()
    t.act = number => id(number, 53)
    t.connect().arrive(ask(1))
    expect(t.line('Refused a request')).toMatchObject({
      level: 'info',
      clientId: 'tester',
      remote: '10.0.0.1:40001',
      api: 'InitProducerId',
      version: 1,
      reason: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    })
    const counted = await t.metric(
      'logcluster_request_errors_total{api="InitProducerId",error="TRANSACTIONAL_ID_AUTHORIZATION_FAILED"',
    )
    expect(counted).toMatch(/error="TRANSACTIONAL_ID_AUTHORIZATION_FAILED"} 1$/)
  })

  test('lines that a client causes at will are limited', async () => {
    await t.start()
    t.act = number => id(number, 53)
    const client = t.connect()
    for (let number = 0; number < 50; number++) client.arrive(ask(number))
    expect(t.lines.filter(({ msg }) => msg === 'Refused a request')).toHaveLength(10)
    await t.clock.run(20_000)
    const leftOut = {
      msg: 'Left out lines like one before',
      like: 'Refused a request',
      leftOut: 40,
    }
    expect(t.lines.at(-1)).toMatchObject({ ...leftOut, api: 'InitProducerId', clientId: 'tester' })
    for (let number = 51; number < 65; number++) client.arrive(ask(number))
    await t.server.stop()
    expect(t.lines.at(-1)).toMatchObject({ ...leftOut, leftOut: 4 })
  })

  test("errors of the protocol's ordinary course are told at debug", async () => {
    await t.start()
    t.act = number => id(number, errorCode('MEMBER_ID_REQUIRED'))
    t.connect().arrive(ask(1))
    expect(t.line('Refused a request')).toMatchObject({ level: 'debug' })
  })
})
