import { cachedShare } from '../../../test/helpers/page-cache.ts'
import { type Bench, inRounds, takeTurns, tell } from '../bench.ts'
import type { Measures, Round } from '../results.ts'
import { createTopics, deleteTopics, type Rival } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const partitions = 4
const backlogBytes = 1e9
const restSeconds = 45

export const backlog: Scenario = {
  name: 'backlog',
  title: 'A backlog as the kernel leaves it',
  text: `1 GB of records of 1 KiB in four partitions is produced, lies for ${restSeconds} s, and is read from the beginning. Nothing is evicted: what the
kernel dropped meanwhile (DAMON pages out what looks idle; nothing on many machines) comes from the device, as it would for a
consumer of yours. "Still cached" is what cachestat(2) said of the segments just before.`,
  goals: [{ measure: 'consume, processor seconds', of: 'ratio', most: 1 }],
  run: (bench, rounds) =>
    bench.withBoth(async rivals => {
      const warmUp = (rival: Rival) => lieAndRead(bench, rival, 0)
      await inRounds(1, side => warmUp(rivals[side]))
      const found: Round[] = []
      for (let round = 1; round <= rounds; round++) {
        await takeTurns(round, side => produce(bench, rivals[side], round))
        // Both lie at the same time: neither does anything.
        await bench.rest(restSeconds)
        const both = await takeTurns(round, side => read(bench, rivals[side], round))
        tell(round, both)
        found.push(both)
      }
      return found
    }),
}

async function lieAndRead(bench: Bench, rival: Rival, round: number): Promise<Measures> {
  await produce(bench, rival, round)
  return await read(bench, rival, round)
}

async function produce(bench: Bench, rival: Rival, round: number): Promise<void> {
  await createTopics(rival, [`backlog-${round}`], partitions)
  await bench.load(rival, 'fill', `backlog-${round}`, bench.scaled(backlogBytes), partitions)
}

async function read(bench: Bench, rival: Rival, round: number): Promise<Measures> {
  const topic = `backlog-${round}`
  const cached = cachedShare(rival.dataDir)
  const records = Math.floor(bench.scaled(backlogBytes) / 1024)
  const { seconds, processor } = await bench.load(rival, 'consume', topic, partitions, records)
  await deleteTopics(rival, [topic])
  return {
    'consume, seconds': seconds!,
    'consume, processor seconds': processor,
    'still cached before, share': cached,
  }
}
