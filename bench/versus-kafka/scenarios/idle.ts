import { type Bench, tell } from '../bench.ts'
import { anonymousMiB, processorSeconds } from '../../process-cost.ts'
import { createTopics, type Rival } from '../rival.ts'
import type { Measures, Round } from '../results.ts'
import type { Scenario } from '../scenario.ts'

const idleSeconds = 30
/** After a start and after a creation, until what these set going has been done. */
const restSeconds = 5
const partitions = 1000

export const idle: Scenario = {
  name: 'idle',
  title: 'Doing nothing',
  text: `Processor time in ${idleSeconds} s in which nobody is connected: just started, with no topic; then with one topic of ${partitions.toLocaleString('en')} empty partitions.
Both brokers do nothing at the same time.`,
  goals: [],
  // One process's idling is much the same each time, and takes more than a minute.
  run: async (bench, rounds) => {
    const found: Round[] = []
    for (let round = 1; round <= Math.ceil(rounds / 3); round++) {
      found.push(await bench.withBoth(({ ours, theirs }) => bothIdle(bench, ours, theirs)))
      tell(round, found.at(-1)!)
    }
    return found
  },
}

async function bothIdle(bench: Bench, ours: Rival, theirs: Rival): Promise<Round> {
  const [mine, other] = await Promise.all([measure(bench, ours), measure(bench, theirs)])
  return { ours: mine, theirs: other }
}

async function measure(bench: Bench, rival: Rival): Promise<Measures> {
  const empty = await spent(bench, rival)
  const emptyMiB = anonymousMiB(rival.pid)
  await createTopics(rival, ['idle'], partitions)
  const full = await spent(bench, rival)
  return {
    'no topic, processor seconds': empty,
    'no topic, anonymous memory, MiB': emptyMiB,
    '1,000 partitions, processor seconds': full,
    '1,000 partitions, anonymous memory, MiB': anonymousMiB(rival.pid),
  }
}

async function spent(bench: Bench, rival: Rival): Promise<number> {
  await bench.rest(restSeconds)
  const before = processorSeconds(rival.pid)
  await bench.rest(idleSeconds)
  return processorSeconds(rival.pid) - before
}
