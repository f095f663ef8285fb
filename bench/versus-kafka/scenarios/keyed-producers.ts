import { type Bench, inRounds } from '../bench.ts'
import type { Measures } from '../results.ts'
import { createTopics, deleteTopics, type Rival } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const producers = 8
const partitions = 8
const recordCount = 2_000_000

export const keyedProducers: Scenario = {
  name: 'keyed-producers',
  title: 'Eight keyed producers',
  text: `${producers} producers at once, each with a connection of its own, send ${recordCount / 1e6} million records of 100 B with one of 10,000 keys, which
choose among ${partitions} partitions; acks=all, linger of 5 ms: many small batches.`,
  goals: [],
  run: (bench, rounds) =>
    bench.withBoth(rivals =>
      inRounds(rounds, (side, round) => measure(bench, rivals[side], round), { warmUp: 1 }),
    ),
}

async function measure(bench: Bench, rival: Rival, round: number): Promise<Measures> {
  const topic = `keyed-${round}`
  await createTopics(rival, [topic], partitions)
  const count = bench.scaled(recordCount)
  const { seconds, processor } = await bench.load(rival, 'keyed', topic, count, producers)
  await deleteTopics(rival, [topic])
  return { 'produce, seconds': seconds!, 'produce, processor seconds': processor }
}
