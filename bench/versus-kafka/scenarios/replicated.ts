import { type Bench, inRounds } from '../bench.ts'
import { brokerCount, type RivalCluster } from '../cluster.ts'
import type { Measures } from '../results.ts'
import { createTopics, deleteTopics } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const partitions = 6
const bytes = 5e8
/** For followers to have what was acknowledged by the leader alone. */
const restSeconds = 1

export const replicated: Scenario = {
  name: 'replicated',
  title: 'Three brokers, three replicas',
  text: `${brokerCount} brokers of each (Apache Kafka's are controllers too), min.insync.replicas=2. One producer, ${partitions} partitions of ${brokerCount} replicas, 0.5 GB a
round of records of 1 KiB for each way of acknowledging. The processor time is that of all brokers together until ${restSeconds} s after the last
answer, so that followers have what acks=1 did not wait for. A ratio of seconds of 0.769 is 1.3 times the throughput.`,
  goals: [
    { measure: 'acks=all, seconds a GB', of: 'ratio', most: 0.769 },
    { measure: 'acks=all, processor seconds a GB', of: 'ratio', most: 0.6 },
  ],
  run: (bench, rounds) =>
    bench.withBothClusters(clusters =>
      inRounds(rounds, (side, round) => measure(bench, clusters[side], round), { warmUp: 1 }),
    ),
}

async function measure(bench: Bench, cluster: RivalCluster, round: number): Promise<Measures> {
  const [all, one] = [`all-${round}`, `one-${round}`]
  await createTopics(cluster.brokers[0]!, [all, one], partitions, brokerCount)
  for (const topic of [all, one]) await cluster.sound(topic, partitions)
  const ofAll = await produced(bench, cluster, ['produce', all])
  const ofOne = await produced(bench, cluster, ['produce1', one])
  await deleteTopics(cluster.brokers[0]!, [all, one])
  return {
    'acks=all, seconds a GB': ofAll.seconds,
    'acks=all, processor seconds a GB': ofAll.processor,
    'acks=1, seconds a GB': ofOne.seconds,
    'acks=1, processor seconds a GB': ofOne.processor,
  }
}

interface Cost {
  readonly seconds: number
  readonly processor: number
}

/** Of a GB. */
async function produced(
  bench: Bench,
  cluster: RivalCluster,
  command: readonly string[],
): Promise<Cost> {
  const size = bench.scaled(bytes)
  const before = cluster.processorSeconds
  const { seconds } = await bench.loading(cluster.address, ...command, size, 1024).done
  await bench.rest(restSeconds)
  const gigabytes = size / 1e9
  return {
    seconds: seconds! / gigabytes,
    processor: (cluster.processorSeconds - before) / gigabytes,
  }
}
