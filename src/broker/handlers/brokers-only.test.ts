import { describe, expect, test } from 'vitest'
import { openSession, type Session } from '../security/session.ts'
import { apis } from '../wire/messages/index.ts'
import {
  brokersApis,
  brokerStatus,
  fetchMetadata,
  askController,
  describeBacklogs,
  describeLogEnds,
} from '../wire/private/index.ts'
import { refusalOfStranger } from './brokers-only.ts'

const session = (isBroker: boolean, principal: string): Session => ({
  ...openSession,
  principal,
  isBroker,
})

/** The three who may ask, and one who only calls himself a broker on a listener of clients. */
const strangers = [openSession, session(false, 'operator'), session(false, 'broker')]
const broker = session(true, 'broker')

const wholly = [...brokersApis, fetchMetadata, askController, describeBacklogs, describeLogEnds]
const withReplica = new Set(['Fetch', 'ListOffsets', 'OffsetForLeaderEpoch'])

/** What is answered; `served` where the request goes on to its handler. */
function fate(api: (typeof apis)[number], version: number, request: object, of: Session): unknown {
  return refusalOfStranger(api, request, { session: of, apiVersion: version }) ?? 'served'
}

const client = { replicaId: -1, replicaState: { replicaId: -1 }, topics: [] }
const debugger_ = { replicaId: -2, replicaState: { replicaId: -1 }, topics: [] }
const follower = { replicaId: 0, replicaState: { replicaId: -1 }, topics: [] }
const newFollower = { replicaId: -1, replicaState: { replicaId: 0 }, topics: [] }

describe('whoever is no broker of the cluster', () => {
  test.each(wholly.map(api => [api.name, api] as const))('is refused %s', (_, api) => {
    for (const stranger of strangers) {
      expect(fate(api, 0, client, stranger)).toEqual({ errorCode: 31 })
    }
    expect(fate(api, 0, client, broker)).toBe('served')
  })

  test.each([...apis, brokerStatus].map(api => [api.name, api] as const))(
    'may ask %s as a client',
    (_, api) => {
      for (const one of [...strangers, broker]) {
        for (const request of [client, debugger_]) {
          expect(fate(api, api.versions[1], request, one)).toBe('served')
        }
        const expected = one !== broker && withReplica.has(api.name) ? 'refused' : 'served'
        const asBroker = fate(api, api.versions[1], follower, one)
        expect(asBroker === 'served' ? 'served' : 'refused').toBe(expected)
      }
    },
  )

  test('is told so in each partition where the answer has no error for the whole', () => {
    const [fetch, listOffsets, epochs] = ['Fetch', 'ListOffsets', 'OffsetForLeaderEpoch'].map(
      name => apis.find(api => api.name === name)!,
    )
    for (const request of [follower, newFollower]) {
      expect(fate(fetch!, 17, request, openSession)).toMatchObject({ errorCode: 31, responses: [] })
    }
    const old = { ...follower, topics: [{ topic: 't', partitions: [{ partition: 5 }] }] }
    expect(fate(fetch!, 6, old, openSession)).toMatchObject({
      responses: [{ topic: 't', partitions: [{ partitionIndex: 5, errorCode: 31 }] }],
    })
    const offsets = { replicaId: 3, topics: [{ name: 't', partitions: [{ partitionIndex: 5 }] }] }
    expect(fate(listOffsets!, 7, offsets, openSession)).toMatchObject({
      topics: [{ name: 't', partitions: [{ partitionIndex: 5, errorCode: 31 }] }],
    })
    const ends = { replicaId: 3, topics: [{ topic: 't', partitions: [{ partition: 5 }] }] }
    expect(fate(epochs!, 4, ends, openSession)).toMatchObject({
      topics: [{ topic: 't', partitions: [{ partition: 5, errorCode: 31 }] }],
    })
  })
})
