import { describe, expect, test } from 'vitest'
import { Trio } from '../../../test/helpers/trio.ts'
import type { Partitions } from '../partition/partitions.ts'
import { errorCode } from '../wire/errors.ts'
import type { ListOffsetsResponse } from '../wire/messages/index.ts'
import { listOffsetsHandler } from './02-list-offsets.ts'
import type { RequestContext } from './handler.ts'

const latest = -1
const earliest = -2
const maxTimestamp = -3

interface Asking {
  readonly replicaId?: number
  readonly apiVersion?: number
}

/** Asks broker 1 of three, who leads. */
async function asks(
  trio: Trio,
  timestamp: number,
  { replicaId = -1, apiVersion = 9 }: Asking = {},
) {
  const partitions = { find: () => trio.of(1).partition } as unknown as Partitions
  const wanted = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp }
  const request = {
    replicaId,
    isolationLevel: 0,
    timeoutMs: 0,
    topics: [{ name: 'orders', partitions: [wanted] }],
  }
  const context = { apiVersion } as RequestContext
  const answer = await listOffsetsHandler(partitions).handle(request, context)
  const [found] = (answer as ListOffsetsResponse).topics[0]!.partitions
  return found!
}

describe('R10: a new leader that does not know yet what was committed before its epoch', () => {
  async function newLeader(): Promise<Trio> {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    await trio.append(1, 5)
    for (const id of [2, 3]) await trio.fetch(id)
    trio.elect(1)
    return trio
  }

  test('says so to who asks where the end is, in the words that its version knows (KIP-207)', async () => {
    const trio = await newLeader()
    const unknown = { errorCode: errorCode('OFFSET_NOT_AVAILABLE'), offset: -1 }
    expect(await asks(trio, latest)).toMatchObject(unknown)
    expect(await asks(trio, latest, { apiVersion: 4 })).toMatchObject({
      errorCode: errorCode('LEADER_NOT_AVAILABLE'),
    })
    // No record that is known to be committed is so young: one of the others may be.
    expect(await asks(trio, 1e15)).toMatchObject(unknown)
  })

  test('says what it knows of what was committed', async () => {
    const trio = await newLeader()
    expect(await asks(trio, earliest)).toMatchObject({ errorCode: 0, offset: 0 })
    expect(await asks(trio, 1)).toMatchObject({ errorCode: 0, offset: 0 })
    expect(await asks(trio, maxTimestamp)).toMatchObject({ errorCode: 0, offset: 0 })
  })

  test('tells a follower the end of its log', async () => {
    const trio = await newLeader()
    expect(await asks(trio, latest, { replicaId: 2 })).toMatchObject({ errorCode: 0, offset: 10 })
  })

  test('says it as soon as its followers have fetched what it has', async () => {
    const trio = await newLeader()
    await trio.catchUp()
    expect(await asks(trio, latest)).toMatchObject({ errorCode: 0, offset: 10, leaderEpoch: 8 })
    expect(await asks(trio, 1e15)).toMatchObject({ errorCode: 0, offset: -1 })
  })
})
