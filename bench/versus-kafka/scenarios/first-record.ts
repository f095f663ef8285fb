import { freePort } from '../../../tools/kafka.ts'
import { type Bench, inRounds, type Side } from '../bench.ts'
import type { Measures } from '../results.ts'
import { processorSeconds } from '../../process-cost.ts'
import type { Scenario } from '../scenario.ts'

const patienceMs = 60_000

export const firstRecord: Scenario = {
  name: 'first-record',
  title: 'From the start to the first record',
  text: `A producer and a consumer are there first and ask for the broker again and again (each 20 to 50 ms). Then its process starts, with an
empty data directory (formatted, for Apache Kafka), until the consumer has the first record, of a topic that nobody made before.
Both programs are in the page cache; the JVM's compiling is what it costs. "Ready" is when the log says so.`,
  goals: [],
  run: (bench, rounds) => inRounds(rounds, side => measure(bench, side), { warmUp: 1 }),
}

async function measure(bench: Bench, side: Side): Promise<Measures> {
  const port = await freePort()
  const early = bench.loading(`127.0.0.1:${port}`, 'first', 'first', patienceMs, 1)
  const rival = await bench.start(side, { port })
  try {
    const { atUs } = await early.done
    return {
      'first record, seconds': (atUs! - Number(rival.spawnedAtNs / 1000n)) / 1e6,
      'ready, seconds': rival.readyAfterMs / 1e3,
      'processor seconds': processorSeconds(rival.pid),
    }
  } finally {
    await rival.stop()
  }
}
