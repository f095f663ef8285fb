import { type Bench, inRounds } from '../bench.ts'
import { brokerCount, type RivalCluster } from '../cluster.ts'
import { beside, everybody, gap, partitions, rate, topic, type Whom } from '../gap.ts'
import type { Measures } from '../results.ts'
import { createTopics } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

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
  const longest = async (signal: 'SIGTERM' | 'SIGKILL', whom: Whom): Promise<number> => {
    await cluster.sound(topic, partitions)
    return await gap(bench, cluster, { signal, whom })
  }
  return {
    'SIGTERM of a leader, gap in seconds': await longest('SIGTERM', beside(1)),
    'SIGKILL of a leader, gap in seconds': await longest('SIGKILL', beside(2)),
    'SIGKILL of leader and controller, gap in seconds': await longest('SIGKILL', beside(0)),
    'SIGKILL of all, gap in seconds': await longest('SIGKILL', everybody),
  }
}
