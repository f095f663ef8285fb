import { concat } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { createTopics, fetch, listOffsets, produce } from '../../src/broker/wire/messages/index.ts'
import { noUuid, type Recorder } from './recorder.ts'
import { batch, from, recordsOf, to, type Supplies } from './scripted-session.ts'

const topic = 'random'
const partitionCount = 3
const stepCount = 400

/** Appends and reads at random, over segments of a few batches: what a seed asks is always the same. */
export async function runRandomly(
  recorder: Recorder,
  { compressed, large }: Supplies,
  seed: number,
): Promise<void> {
  const random = new Prng(seed)
  const configs = [{ name: 'internal.segment.bytes', value: '200000' }]
  const wish = { name: topic, numPartitions: partitionCount, replicationFactor: 1 }
  const topics = [{ ...wish, assignments: [], configs }]
  await recorder.ask(createTopics, 7, { topics, validateOnly: false }, response => ({
    ...response,
    topics: response.topics.map(each => ({ ...each, topicId: noUuid })),
  }))
  const partition = () => random.below(partitionCount)
  const someBatch = () =>
    random.pick([
      () => random.pick(compressed),
      () => large,
      () => batch({ records: recordsOf('random', 1 + random.below(50)) }),
      () => batch({ records: recordsOf('long '.repeat(random.below(1000)), 1 + random.below(20)) }),
    ])()
  const offset = () => random.below(random.chance(1, 10) ? 20_000 : 2000)
  const maxBytes = () => random.pick([1, 100, 5000, 16_383, 16_385, 100_000, 1 << 20])
  const someFetch = () => {
    const partitions = Array.from({ length: 1 + random.below(partitionCount) }, partition)
    return from(topic, partitions, offset(), maxBytes())
  }
  for (let at = 0; at < stepCount; at++) {
    await random.pick([
      () => recorder.ask(produce, 9, to(topic, partition(), someBatch())),
      () => recorder.ask(fetch, 4 + random.below(9), someFetch()),
      () => pipeline(recorder, random, () => recorder.frame(fetch, 12, someFetch())),
      () =>
        recorder.ask(listOffsets, 1 + random.below(7), {
          replicaId: -1,
          isolationLevel: 0,
          topics: [
            {
              name: topic,
              partitions: [
                {
                  partitionIndex: partition(),
                  timestamp: random.pick([-1, -2, -3, Date.UTC(2026, 0, 1) + random.below(250)]),
                },
              ],
            },
          ],
          timeoutMs: 1000,
        }),
    ])()
  }
}

/** Several requests in pieces of any size: their answers come in order. */
async function pipeline(recorder: Recorder, random: Prng, frame: () => Uint8Array): Promise<void> {
  const frames = Array.from({ length: 1 + random.below(5) }, frame)
  const bytes = concat(frames)
  const pieceBytes = random.pick([bytes.length, 7, 100])
  await recorder.exchange(`${frames.length} pipelined`, bytes, {
    answerCount: frames.length,
    pieceBytes,
  })
}
