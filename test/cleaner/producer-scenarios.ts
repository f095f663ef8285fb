import { type CompactedTopic, type Producer } from './compacted-topic.ts'
import { a, b, c, d, e } from './keyed-records.ts'
import type { AfterRestart, CleaningScenario } from './scenario.ts'

/** What is still known of idempotent producers. */
export const producerScenarios: readonly CleaningScenario[] = [
  {
    name: 'a producer whose last batch is superseded',
    run: producerGoesOn,
  },
  {
    name: 'two producers, one with another epoch',
    run: twoProducers,
  },
]

/** Its sequence goes on after cleaning and after a restart; what it sends again is known. */
async function producerGoesOn(topic: CompactedTopic): Promise<AfterRestart> {
  const by = await topic.producer()
  await topic.produce([a(1), b(1)], { by })
  await topic.produce([a(2), b(2)], { by })
  topic.roll()
  await topic.produce([a(3), b(3)])
  topic.roll()
  await topic.produce([c(1)])
  await topic.clean()
  await topic.keep('cleaned')
  topic.roll()
  await topic.produce([c(2)])
  await topic.clean()
  await topic.keep('cleaned again')
  await offers(topic, by, 'cleaned')
  return async () => {
    await offers(topic, by, 'after a restart')
    topic.roll()
    await topic.produce([a(9), b(9)])
    topic.roll()
    await topic.produce([c(9)])
    await topic.clean()
    await topic.keep('cleaned after a restart')
  }
}

/** The last batch again, one that leaves a gap, and the next. */
async function offers(topic: CompactedTopic, by: Producer, when: string): Promise<void> {
  const again = await topic.offer([a(2), b(2)], { by, sequence: by.nextSequence - 2 })
  topic.note(`${when}: again`, [again.errorCode, again.baseOffset])
  const ahead = await topic.offer([d(1)], { by, sequence: by.nextSequence + 1 })
  topic.note(`${when}: with a gap`, ahead.errorCode)
  const next = await topic.offer([a(4), b(4)], { by })
  topic.note(`${when}: the next`, [next.errorCode, next.baseOffset])
}

async function twoProducers(topic: CompactedTopic): Promise<AfterRestart> {
  const [one, other] = [await topic.producer(), await topic.producer()]
  await topic.produce([a(1)], { by: one })
  await topic.produce([b(1)], { by: other })
  await topic.produce([a(2)], { by: one })
  await topic.produce([b(2), c(1)], { by: other })
  one.epoch = 1
  one.nextSequence = 0
  await topic.produce([a(3), d(1)], { by: one })
  topic.roll()
  await topic.produce([b(3)], { by: other })
  topic.roll()
  await topic.produce([a(4), b(4), c(2), d(2)])
  topic.roll()
  await topic.produce([e(1)])
  await topic.clean()
  await topic.keep('cleaned')
  return async () => {
    const { errorCode, baseOffset } = await topic.offer([a(5)], { by: one })
    topic.note('one goes on', [errorCode, baseOffset])
    const fenced = await topic.offer([a(6)], { by: { ...one, epoch: 0 }, sequence: 2 })
    topic.note('of an epoch before', fenced.errorCode)
    const { errorCode: others } = await topic.offer([b(5)], { by: other })
    topic.note('the other goes on', others)
    await topic.keep('after a restart')
  }
}
