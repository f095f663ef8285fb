import { tmpdir } from 'node:os'
import { evict } from '../../../test/helpers/page-cache.ts'
import { type Bench, inRounds, type Loaded, type Side } from '../bench.ts'
import type { Told } from '../load.ts'
import type { Measures } from '../results.ts'
import { createTopics, type Rival } from '../rival.ts'
import type { Scenario } from '../scenario.ts'
import { ThrottledDisk, whyNoThrottle } from '../throttle.ts'

const partitions = 4
const diskBytesPerSecond = 100e6
const paceSeconds = 20
const paceRate = 500
/** For what is slower than the pace: how long the disk could be read from beyond it, before a reader came to an end. */
const spareSeconds = 20

/** How many cold readers there are beside the tail, and what that is called. */
export const coldReaders = [
  { count: 0, tail: 'tail alone' },
  { count: 1, tail: 'tail beside 1 cold reader' },
  { count: 4, tail: 'tail beside 4 cold readers' },
] as const

export const throttledDisk: Scenario = {
  name: 'throttled-disk',
  title: 'Lagging readers, and a disk of 100 MB/s',
  text: `![How long a fresh record waits while others read old ones](lagging-reader.svg)

The broker's reads from the disk are held to 100 MB/s by the kernel (\`blkio\`, or \`io.max\` of cgroup v2; root). A producer sends
${paceRate} records of 1 KiB a second, and a consumer follows it for ${paceSeconds} s: alone; beside one consumer that reads a topic of 4 GB from its
beginning; beside four, each with a partition of it. Before each the page cache is evicted. Each broker runs while the other does
not, and is started anew each round.`,
  goals: [
    { measure: 'tail p99 beside 4 cold readers ÷ alone', of: 'ours', most: 5 },
    { measure: 'tail beside 4 cold readers, p99 ms', of: 'ratio', most: 0.02 },
  ],
  whyNot: () => whyNoThrottle(tmpdir()),
  run: (bench, rounds) => inRounds(rounds, side => measure(bench, side)),
}

async function measure(bench: Bench, side: Side): Promise<Measures> {
  return await bench.withOne(side, async rival => {
    await createTopics(rival, ['history'], partitions)
    const historyBytes = diskBytesPerSecond * (bench.scaled(paceSeconds) + spareSeconds)
    await bench.load(rival, 'fill', 'history', historyBytes, partitions)
    // What a JVM compiles first is no question of disks.
    await bench.load(rival, 'pace', 'tail', bench.scaled(5), paceRate)
    const disk = new ThrottledDisk(bench.folder, diskBytesPerSecond)
    bench.ending.mustUndo(() => disk.remove())
    try {
      disk.add(rival.pid)
      return await underThrottle(bench, rival)
    } finally {
      disk.remove()
    }
  })
}

async function underThrottle(bench: Bench, rival: Rival): Promise<Measures> {
  const measures: Record<string, number> = {}
  const p99: number[] = []
  for (const { count, tail } of coldReaders) {
    await evict(rival.dataDir)
    const { paced, scans } = await beside(bench, rival, count)
    p99.push(paced['p99Ms']!)
    measures[`${tail}, p50 ms`] = paced['p50Ms']!
    measures[`${tail}, p99 ms`] = paced['p99Ms']!
    measures[`${tail}, max ms`] = paced['maxMs']!
    measures[`${tail}, processor seconds`] = paced.processor
    if (count === 0) continue
    const rates = scans.map(scan => scan['bytes']! / 1e6 / scan['seconds']!)
    measures[`cold read, ${readers(count)}, MB/s`] = rates.reduce((sum, rate) => sum + rate)
    measures[`tail p99 beside ${readers(count)} ÷ alone`] = paced['p99Ms']! / p99[0]!
  }
  return measures
}

function readers(count: number): string {
  return `${count} cold reader${count === 1 ? '' : 's'}`
}

/** The tail, and as many readers from before its begin to its end; one has all partitions, several share them. */
async function beside(
  bench: Bench,
  rival: Rival,
  count: number,
): Promise<{ readonly paced: Loaded; readonly scans: readonly Told[] }> {
  const each = partitions / Math.max(1, count)
  const scans = Array.from({ length: count }, (_, at) =>
    bench.loading(rival.address, 'scan', 'history', at * each, each),
  )
  try {
    if (count > 0) await bench.rest(1)
    const paced = await bench.load(rival, 'pace', 'tail', bench.scaled(paceSeconds), paceRate)
    return { paced, scans: await Promise.all(scans.map(scan => scan.stop())) }
  } finally {
    for (const scan of scans) scan.kill()
  }
}
