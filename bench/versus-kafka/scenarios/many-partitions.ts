import { performance } from 'node:perf_hooks'
import { type Bench, type Side, tell } from '../bench.ts'
import type { Measures } from '../results.ts'
import { anonymousMiB } from '../../process-cost.ts'
import { createTopics, produceToAll } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const topicCount = 10
const partitionCount = 10_000
/** What was needed to make, fill or find them is given back by then. */
const restSeconds = 15

export const manyPartitions: Scenario = {
  name: 'many-partitions',
  title: 'Ten thousand partitions',
  text: `${topicCount} topics of ${(partitionCount / topicCount).toLocaleString('en')} partitions each are made, and one record of 100 B is written to each; then the process is
killed (SIGKILL), started again over the same directory, and at last told to end (SIGTERM). Memory is what it keeps ${restSeconds} s after;
"ready" is from the start of the process to the line of its log that says so.`,
  goals: [
    { measure: 'anonymous memory, MiB', of: 'ours', most: 200 },
    { measure: 'ready after kill -9, seconds', of: 'ours', most: 4 },
    { measure: 'clean stop, seconds', of: 'ours', most: 5 },
  ],
  // Once: it takes Apache Kafka minutes, and is no matter of hiccups.
  run: async bench => {
    const ours = await measure(bench, 'ours')
    tell(1, { ours, theirs: null })
    // Our goals are absolute: what Apache Kafka cannot do here costs us no result.
    const theirs = await measure(bench, 'theirs').catch((error: unknown) => {
      console.error('  Apache Kafka is left out:', error)
      return null
    })
    const round = { ours, theirs }
    tell(1, round)
    return [round]
  },
}

async function measure(bench: Bench, side: Side): Promise<Measures> {
  return await bench.withOne(side, async first => {
    const names = Array.from({ length: topicCount }, (_, at) => `many-${at}`)
    const each = bench.scaled(partitionCount / topicCount)
    const madeMs = await passing(() => createTopics(first, names, each))
    await produceToAll(first, names, each)
    await bench.rest(restSeconds)
    const memory = anonymousMiB(first.pid)
    await first.end('SIGKILL')
    const second = await first.again()
    try {
      await bench.rest(restSeconds)
      const memoryAfter = anonymousMiB(second.pid)
      const stoppedMs = await passing(() => second.end('SIGTERM'))
      return {
        'made, seconds': madeMs / 1e3,
        'anonymous memory, MiB': memory,
        'ready after kill -9, seconds': second.readyAfterMs / 1e3,
        'anonymous memory after that start, MiB': memoryAfter,
        'clean stop, seconds': stoppedMs / 1e3,
      }
    } finally {
      await second.end('SIGKILL')
    }
  })
}

/** Milliseconds that `act` takes. */
async function passing(act: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await act()
  return performance.now() - from
}
