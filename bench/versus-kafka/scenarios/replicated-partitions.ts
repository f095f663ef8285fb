import { type Bench, type Side, tell } from '../bench.ts'
import { brokerCount } from '../cluster.ts'
import type { Measures } from '../results.ts'
import { createTopics } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const topic = 'many'
const partitionCount = 1000
/** A run of 100 records for each partition. */
const bytes = partitionCount * 100 * 1024
/** What was needed to make and fill them is given back by then. */
const restSeconds = 20

export const replicatedPartitions: Scenario = {
  name: 'replicated-partitions',
  title: 'A thousand partitions on three brokers',
  text: `${brokerCount} brokers of each, and a topic of ${partitionCount.toLocaleString('en')} partitions of ${brokerCount} replicas: each broker leads a third of them and follows in the rest. 100 records
of 1 KiB are written to each. Anonymous memory is that of one broker on average, ${restSeconds} s after, above what it was ${restSeconds} s after the start.`,
  goals: [{ measure: 'anonymous memory above an empty broker, MiB', of: 'ours', most: 60 }],
  run: async bench => {
    const round = { ours: await measure(bench, 'ours'), theirs: await measure(bench, 'theirs') }
    tell(1, round)
    return [round]
  },
}

async function measure(bench: Bench, side: Side): Promise<Measures> {
  return await bench.withCluster(side, async cluster => {
    await bench.rest(restSeconds)
    const empty = cluster.anonymousMiB
    const count = bench.scaled(partitionCount)
    await createTopics(cluster.brokers[0]!, [topic], count, brokerCount)
    await cluster.sound(topic, count)
    await bench.loading(cluster.address, 'fill', topic, bench.scaled(bytes), count).done
    await bench.rest(restSeconds)
    const full = cluster.anonymousMiB
    const before = cluster.processorSeconds
    await bench.rest(restSeconds)
    return {
      'anonymous memory of an empty broker, MiB': empty,
      'anonymous memory above an empty broker, MiB': full - empty,
      [`processor seconds of all, idle for ${restSeconds} s`]: cluster.processorSeconds - before,
    }
  })
}
