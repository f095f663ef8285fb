import { expect, test } from 'vitest'
import { threeBrokers } from '../../../test/metadata/controller-world.ts'
import { SimClock } from '../../../sim/clock.ts'
import type { Refusal } from '../cluster/controller/commands.ts'
import { errorCode } from '../wire/errors.ts'
import type { ElectLeadersResponse } from '../wire/messages/index.ts'
import { electLeadersHandler } from './43-elect-leaders.ts'
import type { RequestContext } from './handler.ts'

const refusal: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message: 'Nobody is there.',
}
const { image } = threeBrokers()
const handler = electLeadersHandler({
  clock: new SimClock(),
  cluster: {
    image,
    brokerId: 1,
    connectTo: () => Promise.reject(new Error('unreachable')),
    ask: () => Promise.resolve(refusal),
  },
  partitions: { findById: () => undefined },
})

async function elect(topicPartitions: { topic: string; partitions: number[] }[] | null) {
  const context = { apiVersion: 0 } as RequestContext
  const request = { electionType: 0, topicPartitions, timeoutMs: 1_000 }
  return (await handler.handle(request, context)) as ElectLeadersResponse
}

test('what is wrong with the whole is told at each partition too, since v0 has no other place for it', async () => {
  const code = errorCode(refusal.error)
  const told = (partitionId: number) => ({
    partitionId,
    errorCode: code,
    errorMessage: refusal.message,
  })
  expect(await elect([{ topic: 't', partitions: [0, 9] }])).toEqual({
    throttleTimeMs: 0,
    errorCode: code,
    replicaElectionResults: [{ topic: 't', partitionResult: [told(0), told(9)] }],
  })
  expect(await elect(null)).toMatchObject({ errorCode: code, replicaElectionResults: [] })
})
