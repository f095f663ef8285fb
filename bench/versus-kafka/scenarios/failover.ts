import { type Bench, inRounds } from '../bench.ts'
import { brokerCount, type RivalCluster } from '../cluster.ts'
import type { Measures } from '../results.ts'
import { createTopics } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const topic = 'written'
const partitions = 6
/** Records a second to each partition. */
const rate = 50
/** For the producer to be under way. */
const restSeconds = 3

export const failover: Scenario = {
  name: 'failover',
  title: 'How long nobody can write',
  text: `${brokerCount} brokers of each, min.insync.replicas=2, ${partitions} partitions of ${brokerCount} replicas, which each broker has its share of. A producer (acks=all) with
librdkafka's own pauses sends each partition ${rate} records a second; the gap is the longest time in which one of them acknowledged nothing. Ended are:
by SIGTERM, and by SIGKILL, a broker that is not the controller; by SIGKILL the one that is; all three at once, which are started again
right away. Between these all replicas come in sync again, and lead where they belong.`,
  goals: [
    { measure: 'SIGTERM of a leader, gap in seconds', of: 'worst', most: 1 },
    { measure: 'SIGKILL of a leader, gap in seconds', of: 'worst', most: 5 },
    { measure: 'SIGKILL of leader and controller, gap in seconds', of: 'worst', most: 8 },
    { measure: 'SIGKILL of all, gap in seconds', of: 'worst', most: 40 },
  ],
  run: (bench, rounds) =>
    bench.withBothClusters(async clusters => {
      for (const { brokers } of Object.values(clusters)) {
        await createTopics(brokers[0]!, [topic], partitions, brokerCount)
      }
      return await inRounds(rounds, side => measure(bench, clusters[side]))
    }),
}

async function measure(bench: Bench, cluster: RivalCluster): Promise<Measures> {
  // Two different ones: who ends twice within half a minute is waited for.
  const next = (by: number) => async () => [((await cluster.controller()) + by) % brokerCount]
  return {
    'SIGTERM of a leader, gap in seconds': await gap(bench, cluster, 'SIGTERM', next(1)),
    'SIGKILL of a leader, gap in seconds': await gap(bench, cluster, 'SIGKILL', next(2)),
    'SIGKILL of leader and controller, gap in seconds': await gap(
      bench,
      cluster,
      'SIGKILL',
      next(0),
    ),
    'SIGKILL of all, gap in seconds': await gap(bench, cluster, 'SIGKILL', async () =>
      Array.from(cluster.brokers.keys()),
    ),
  }
}

/** Ends the brokers at those places, and starts them again: at once where none is left, else when all is written again. */
async function gap(
  bench: Bench,
  cluster: RivalCluster,
  signal: 'SIGTERM' | 'SIGKILL',
  whom: () => Promise<number[]>,
): Promise<number> {
  await cluster.sound(topic, partitions)
  const places = await whom()
  const load = bench.loading(cluster.address, 'gap', topic, partitions, rate)
  try {
    await bench.rest(restSeconds)
    load.count()
    await Promise.all(places.map(place => cluster.brokers[place]!.end(signal)))
    const isNobodyLeft = places.length === brokerCount
    if (isNobodyLeft) await cluster.again(places)
    const { longestMs } = await load.stop()
    if (!isNobodyLeft) await cluster.again(places)
    return longestMs! / 1000
  } finally {
    load.kill()
  }
}
