import { evict } from '../../../test/helpers/page-cache.ts'
import { type Bench, inRounds } from '../bench.ts'
import type { Measures } from '../results.ts'
import { anonymousMiB } from '../../process-cost.ts'
import { deleteTopics, type Rival } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const partitions = 4
const gigabyte = 1e9
const paceSeconds = 6
const paceRate = 500

export const throughput: Scenario = {
  name: 'throughput',
  title: 'One producer, one consumer',
  text: `One producer or consumer, four partitions, 1 GB a round of records of 1 KiB and a fifth of that of 100 B, acks=all. "Tail" is a
producer of ${paceRate} records of 1 KiB a second and a consumer that follows it, latency from due to received. "Beside a cold
reader": meanwhile another consumer reads everything from the device, the page cache having been evicted. "Anonymous memory" is
what the process keeps beside the page cache, after all of that.`,
  goals: [],
  run: (bench, rounds) =>
    bench.withBoth(rivals =>
      inRounds(rounds, (side, round) => measure(bench, rivals[side], round), { warmUp: 1 }),
    ),
}

/** One turn: produce with two sizes of records, read hot, read from the device, and the tail meanwhile. */
async function measure(bench: Bench, rival: Rival, round: number): Promise<Measures> {
  const [large, small, tail] = [`large-${round}`, `small-${round}`, `tail-${round}`]
  const pace = [tail, bench.scaled(paceSeconds), paceRate]
  const produceLarge = await bench.load(rival, 'produce', large, bench.scaled(gigabyte), 1024)
  const produceSmall = await bench.load(rival, 'produce', small, bench.scaled(gigabyte / 5), 100)
  const hot = await bench.load(rival, 'consume', large, partitions, produceLarge['records']!)
  const hotSmall = await bench.load(rival, 'consume', small, partitions, produceSmall['records']!)
  const alone = await bench.load(rival, 'pace', ...pace)
  await evict(rival.dataDir)
  const [beside, cold] = await Promise.all([
    bench.load(rival, 'pace', ...pace),
    bench
      .rest(2)
      .then(() => bench.load(rival, 'consume', large, partitions, produceLarge['records']!)),
  ])
  await deleteTopics(rival, [large, small, tail])
  return {
    'produce 1 KiB, seconds': produceLarge['seconds']!,
    'produce 1 KiB, processor seconds': produceLarge.processor,
    'produce 100 B, seconds': produceSmall['seconds']!,
    'produce 100 B, processor seconds': produceSmall.processor,
    'consume 1 KiB hot, seconds': hot['seconds']!,
    'consume 1 KiB hot, processor seconds': hot.processor,
    'consume 100 B hot, seconds': hotSmall['seconds']!,
    'consume 100 B hot, processor seconds': hotSmall.processor,
    'tail, p50 ms': alone['p50Ms']!,
    'tail, p99 ms': alone['p99Ms']!,
    'tail, processor seconds': alone.processor,
    'tail beside a cold reader, p50 ms': beside['p50Ms']!,
    'tail beside a cold reader, p99 ms': beside['p99Ms']!,
    'tail beside a cold reader, max ms': beside['maxMs']!,
    'cold read, seconds': cold['seconds']!,
    'cold read and tail, processor seconds': beside.processor,
    'anonymous memory, MiB': anonymousMiB(rival.pid),
  }
}
