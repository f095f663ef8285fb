import { expect, test } from 'vitest'
import { threeBrokers } from '../../../test/metadata/controller-world.ts'
import { SimClock } from '../../../sim/clock.ts'
import { logEnds, type LogEndsOptions } from './log-ends.ts'

type Partitions = LogEndsOptions['partitions']
type Connecting = ReturnType<LogEndsOptions['cluster']['connectTo']>

/** Broker 1 of three, of which 2 tells and is asked once, and whatever 3 does. */
function asked(third: () => Connecting) {
  const world = threeBrokers()
  const clock = new SimClock()
  const topicId = world.topicId()
  const told = { partitionIndex: 0, errorCode: 0, leaderEpoch: 4, lastEpoch: 3, endOffset: 70n }
  let closed = 0
  const second = {
    request: () => Promise.resolve({ errorCode: 0, topics: [{ topicId, partitions: [told] }] }),
    close: () => closed++,
  }
  const own = { role: { leaderEpoch: 4 }, failure: null, extent: { latestEpoch: 3, endOffset: 60 } }
  const logEnd = { leaderEpoch: 4, lastEpoch: 3, endOffset: 60 }
  const ends = logEnds(
    {
      clock,
      cluster: {
        image: world.image,
        brokerId: 1,
        connectTo: id =>
          id === 2 ? Promise.resolve(second as unknown as Awaited<Connecting>) : third(),
      },
      partitions: { findById: () => own } as unknown as Partitions,
    },
    [{ topicId, index: 0 }],
  )
  const epochOf = (id: number): number => world.image.brokers.get(id)!.epoch
  const id = { topicId, index: 0 }
  const expected = [
    { ...id, brokerId: 1, brokerEpoch: epochOf(1), ...logEnd },
    { ...id, brokerId: 2, brokerEpoch: epochOf(2), leaderEpoch: 4, lastEpoch: 3, endOffset: 70 },
  ]
  return { clock, ends, expected, closed: () => closed }
}

test('R9: nothing is told of a replica that cannot be reached', async () => {
  const { ends, expected, closed } = asked(() => Promise.reject(new Error('unreachable')))
  expect(await ends).toEqual(expected)
  expect(closed()).toBe(1)
})

test('R9: nor of one that does not answer for two seconds', async () => {
  const { clock, ends, expected } = asked(() => new Promise(() => {}))
  await clock.run(1_999)
  let isOver = false
  void ends.then(() => (isOver = true))
  await clock.settle()
  expect(isOver).toBe(false)
  await clock.run(1)
  expect(await ends).toEqual(expected)
})
