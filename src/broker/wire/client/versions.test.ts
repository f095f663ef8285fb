import { beforeEach, describe, expect, test } from 'vitest'
import type { SimClock } from '../../../../sim/clock.ts'
import { ask, ClientWorld, frame } from '../../../../test/helpers/client-world.ts'
import { int32 } from '../../../../test/helpers/numbers.ts'
import type { Heard, ScriptedBroker } from '../../../../test/helpers/scripted-broker.ts'
import { errorCode } from '../errors.ts'
import { apiVersions, heartbeat, initProducerId, saslHandshake } from '../messages/index.ts'
import type { WireClient } from './client.ts'
import { Versions } from './versions.ts'

let world: ClientWorld
let clock: SimClock
let broker: ScriptedBroker

beforeEach(async () => {
  world = await ClientWorld.start()
  ;({ clock, broker } = world)
})

const served = (key: number, min: number, max: number) => ({ key, versions: [min, max] }) as const

describe('versions', () => {
  test('the highest that both know is used', async () => {
    broker.act = heard => {
      if (heard.api === apiVersions) {
        broker.answerVersions(heard, [served(18, 0, 9), served(22, 0, 3), served(12, 0, 99)])
      } else if (heard.api === initProducerId) world.answerTo(heard)
      else broker.answer(heard, heartbeat, { throttleTimeMs: 0, errorCode: 0 })
    }
    const client = await world.connect({ software: { name: 'tester', version: '1.2' } })
    expect(broker.heard).toMatchObject([
      {
        apiVersion: apiVersions.versions[1],
        value: { clientSoftwareName: 'tester', clientSoftwareVersion: '1.2' },
      },
    ])
    expect((await ask(client, 7)).producerId).toBe(7)
    await client.request(heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' })
    expect(broker.heard.slice(1).map(({ apiVersion }) => apiVersion)).toEqual([
      3,
      heartbeat.versions[1],
    ])
  })

  test('a version that is wanted is used where both know it, and refused where not', async () => {
    broker.act = heard => {
      broker.answerVersions(heard, [served(18, 0, 4), served(22, 1, 3)])
      if (heard.api === initProducerId) world.answerTo(heard)
    }
    const client = await world.connect()
    await ask(client, 1, { version: 2 })
    expect(broker.last(initProducerId).apiVersion).toBe(2)
    for (const version of [0, 4]) {
      await expect(ask(client, 1, { version })).rejects.toMatchObject({
        name: 'WireClientError',
        reason: 'unsupported',
      })
    }
    expect(client.isOpen).toBe(true)
  })

  test('what the peer does not serve, or in other versions only, is refused before it is sent', async () => {
    broker.act = heard => broker.answerVersions(heard, [served(18, 0, 4), served(22, 90, 99)])
    const client = await world.connect()
    await expect(ask(client, 1)).rejects.toMatchObject({
      reason: 'unsupported',
      message: `InitProducerId is wanted in versions ${initProducerId.versions.join('-')}, and the peer serves 90-99`,
    })
    await expect(
      client.request(heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' }),
    ).rejects.toMatchObject({ reason: 'unsupported', message: 'the peer does not serve Heartbeat' })
    expect(broker.heard).toHaveLength(1)
  })

  const unsupported = { errorCode: errorCode('UNSUPPORTED_VERSION'), throttleTimeMs: 0 }
  const answerInVersion0 = (heard: Heard, maxVersion: number | null): void => {
    const row = { apiKey: 18, minVersion: 0, maxVersion: maxVersion ?? 0 }
    const apiKeys = maxVersion === null ? [] : [row]
    broker.answer({ ...heard, apiVersion: 0 }, apiVersions, { ...unsupported, apiKeys })
  }

  test.each([
    ['names what it knows', 2, 2],
    ['knows none but version 0', 0, 0],
    ['names nothing', null, 0],
  ])('a peer that does not know our ApiVersions and %s is asked again', async (_, told, asked) => {
    broker.act = heard => {
      if (heard.apiVersion > asked) answerInVersion0(heard, told)
      else broker.answerVersions(heard)
    }
    await world.connect()
    expect(broker.heard.map(({ apiVersion }) => apiVersion)).toEqual([
      apiVersions.versions[1],
      asked,
    ])
  })

  test('a refusal that is not of version 0, as by rule, is one all the same', async () => {
    broker.act = heard => {
      if (heard.apiVersion === 0) return broker.answerVersions(heard)
      const { correlationId, connection } = heard
      // Error 35, and then a compact array instead of a counted one.
      connection.send([frame(int32(correlationId), Uint8Array.of(0, 35, 2, 0, 18, 0, 0, 0, 4, 0))])
    }
    await world.connect()
    expect(broker.last(apiVersions).apiVersion).toBe(0)
  })

  test('a peer that refuses to tell is no peer', async () => {
    broker.act = heard =>
      broker.answer(heard, apiVersions, { errorCode: 42, apiKeys: [], throttleTimeMs: 0 })
    await expect(world.connect()).rejects.toMatchObject({
      name: 'AnsweredError',
      error: 'INVALID_REQUEST',
    })
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
  })

  test('that are taken for granted are not asked for', async () => {
    broker.act = world.answerTo
    const client = await world.connect({ versions: Versions.assumed() })
    expect((await ask(client, 3)).producerId).toBe(3)
    expect(broker.heard).toMatchObject([{ apiKey: 22, apiVersion: initProducerId.versions[1] }])
  })
})

describe('authentication', () => {
  const handshake = (client: WireClient) => client.request(saslHandshake, { mechanism: 'PLAIN' })

  test('comes between the versions and the first request', async () => {
    broker.act = heard => {
      broker.answerVersions(heard)
      if (heard.api === saslHandshake) {
        broker.answer(heard, saslHandshake, { errorCode: 0, mechanisms: ['PLAIN'] })
      }
    }
    await world.connect({ authenticate: async client => void (await handshake(client)) })
    expect(broker.heard.map(({ api }) => api?.name)).toEqual(['ApiVersions', 'SaslHandshake'])
  })

  test('that fails leaves nothing behind, and its error is told', async () => {
    const authenticate = () => Promise.reject(new Error('wrong password'))
    await expect(world.connect({ authenticate })).rejects.toThrow('wrong password')
    await clock.settle()
    expect(broker.ends.map(({ kind }) => kind)).toEqual(['peer'])
  })
})
