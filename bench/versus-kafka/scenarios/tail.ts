import { type Bench, inRounds } from '../bench.ts'
import type { Measures } from '../results.ts'
import { deleteTopics, type Rival } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const paceSeconds = 4
const rates = [500, 5000]
/** Short runs for each round that was asked for: nine, of three. */
const runsPerRound = 3
/** Before the first that counts: most of what compiling costs is over by then. */
const warmUp = 4

export const tail: Scenario = {
  name: 'tail',
  title: 'The tail alone',
  text: `A producer of 500 or of 5,000 records of 1 KiB a second to one partition, and a consumer that follows it, for ${paceSeconds} s: latency from due to
received. Three short runs a round that was asked for, as one run's worst in a hundred is one hiccup of the machine; ${warmUp} more come
before, in which both sides compile.`,
  goals: rates.flatMap(rate => [
    { measure: `${named(rate)}, p99 ms`, of: 'ours', most: 2 } as const,
    { measure: `${named(rate)}, p99 ms`, of: 'ratio', most: 0.5 } as const,
  ]),
  run: (bench, rounds) =>
    bench.withBoth(rivals =>
      inRounds(rounds * runsPerRound, (side, round) => measure(bench, rivals[side], round), {
        warmUp,
      }),
    ),
}

function named(rate: number): string {
  return `${rate.toLocaleString('en')} records/s`
}

async function measure(bench: Bench, rival: Rival, round: number): Promise<Measures> {
  const measures: Record<string, number> = {}
  for (const rate of rates) {
    const topic = `tail-${rate}-${round}`
    const paced = await bench.load(rival, 'pace', topic, bench.scaled(paceSeconds), rate)
    await deleteTopics(rival, [topic])
    measures[`${named(rate)}, p50 ms`] = paced['p50Ms']!
    measures[`${named(rate)}, p99 ms`] = paced['p99Ms']!
    measures[`${named(rate)}, max ms`] = paced['maxMs']!
    measures[`${named(rate)}, processor seconds`] = paced.processor
  }
  return measures
}
