import { expect, test } from 'vitest'
import {
  joinGroup,
  syncGroup,
  type JoinGroupResponse,
} from '../../src/broker/wire/messages/index.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { withBroker } from '../helpers/broker.ts'
import { subscription } from '../helpers/group-world.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { WireGroup } from '../helpers/wire-groups.ts'

const memberCount = 500

/** Ten members a connection: JoinGroup is answered when all are there, so none may wait for another's answer. */
test('a group of 500 members forms, is stored, and survives a kill', async () => {
  const settings = { 'group.initial.rebalance.delay.ms': '2000' }
  await withBroker({ settings }, async broker => {
    const clients = await Promise.all(
      Array.from({ length: memberCount / 10 }, () =>
        BrokerClient.connect(broker.port, { timeoutMs: 30_000 }),
      ),
    )
    const clientOf = (at: number): BrokerClient => clients[at % clients.length]!
    await new WireGroup(clients[0]!, 'large').find()
    const join = (at: number, memberId: string): Promise<JoinGroupResponse> =>
      clientOf(at).request(joinGroup, 9, {
        groupId: 'large',
        sessionTimeoutMs: 60_000,
        rebalanceTimeoutMs: 60_000,
        memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: subscription('topic') }],
      })
    const numbers = Array.from({ length: memberCount }, (_, at) => at)
    const ids = await Promise.all(numbers.map(async at => (await join(at, '')).memberId))
    const joined = await Promise.all(ids.map((memberId, at) => join(at, memberId)))
    expect(new Set(joined.map(({ generationId }) => generationId))).toEqual(new Set([1]))
    const leaders = joined.filter(({ members }) => members.length > 0)
    expect(leaders.map(({ members }) => members.length)).toEqual([memberCount])
    const assignments = ids.map(memberId => ({ memberId, assignment: utf8(memberId) }))
    const synced = await Promise.all(
      joined.map(({ memberId, leader }, at) =>
        clientOf(at).request(syncGroup, 5, {
          groupId: 'large',
          generationId: 1,
          memberId,
          protocolType: 'consumer',
          protocolName: 'range',
          assignments: memberId === leader ? assignments : [],
        }),
      ),
    )
    expect(synced.map(({ errorCode }) => errorName(errorCode))).toEqual(ids.map(() => 'NONE'))
    expect(synced.map(({ assignment }) => assignment)).toEqual(ids.map(utf8))
    for (const client of clients) client.close()
    await broker.kill()
    await broker.start()
    using client = await BrokerClient.connect(broker.port)
    const group = new WireGroup(client, 'large')
    await group.loaded()
    const beats = await Promise.all(joined.map(one => group.heartbeat(one)))
    expect(new Set(beats)).toEqual(new Set(['NONE']))
  })
})
