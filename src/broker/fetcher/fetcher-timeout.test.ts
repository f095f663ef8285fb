import { expect, test } from 'vitest'
import { ClientWorld } from '../../../test/helpers/client-world.ts'
import { FakeFollowed } from '../../../test/helpers/fake-followed.ts'
import { fetchSizes, unlimited } from '../../../test/helpers/fetcher-drive.ts'
import type { Heard } from '../../../test/helpers/scripted-broker.ts'
import { Prng } from '../../lib/prng.ts'
import { errorCode } from '../wire/errors.ts'
import { fetch, listOffsets } from '../wire/messages/index.ts'
import { FetchNumbers } from './fetch-numbers.ts'
import { Fetcher, type Failure } from './fetcher.ts'

/** What the leader takes for each answer. */
const slowMs = 1400

test('whatever replica.socket.timeout.ms is, a leader has a second more than a follower waits there, for everything', async () => {
  const world = await ClientWorld.start()
  const { clock, broker } = world
  const prng = new Prng(3)
  const failures: Failure[] = []
  const fetcher = new Fetcher({
    clock,
    random: { bytes: length => prng.bytes(length) },
    replicaId: 2,
    leader: 1,
    brokerEpoch: () => 77,
    sizes: () => fetchSizes,
    ...unlimited,
    connectTo: () => world.connect(),
    answerTimeoutMs: () => 0,
    numbers: new FetchNumbers(1),
    onFailure: failure => void failures.push(failure),
  })
  let fetches = 0
  broker.act = heard => void clock.after(slowMs, () => answer(heard))
  const answer = (heard: Heard): void => {
    if (heard.api === listOffsets) {
      const partitions = [{ partitionIndex: 0, errorCode: 0, offset: 40 }]
      const topics = [{ name: 'topic-1', partitions }]
      return broker.answer(heard, listOffsets, { throttleTimeMs: 0, topics })
    }
    if (heard.api !== fetch) return broker.answerVersions(heard)
    if (++fetches > 1) return
    const error = { partitionIndex: 0, errorCode: errorCode('OFFSET_OUT_OF_RANGE') }
    const partition = { ...error, highWatermark: 0, abortedTransactions: null, records: null }
    const responses = [{ topic: '', topicId: followed.id.topicId, partitions: [partition] }]
    broker.answer(heard, fetch, { throttleTimeMs: 0, errorCode: 0, sessionId: 9, responses })
  }
  const followed = new FakeFollowed(1, 0)
  fetcher.follow(followed)
  // To log in, to fetch, and to be told the range.
  await clock.run(3 * slowMs + 100)
  expect(failures).toMatchObject([{ why: 'OFFSET_OUT_OF_RANGE' }])
  expect(followed.ranges).toMatchObject([{ range: { startOffset: 40, endOffset: 40 } }])
  expect(broker.connections).toHaveLength(1)
  await clock.run(1500)
  expect(failures.at(-1)).toMatchObject({ why: 'timeout' })
  fetcher.stop()
})
