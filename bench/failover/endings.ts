import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../versus-kafka/bench.ts'
import { brokerCount, type RivalCluster } from '../versus-kafka/cluster.ts'
import { beside, everybody, gap, topic } from '../versus-kafka/gap.ts'
import { asking } from '../versus-kafka/rival.ts'

/** For what hangs. */
const patienceMs = 120_000

/** One way in which brokers end: makes it happen to a sound cluster, and says for how many seconds it was felt. */
export interface Ending {
  /** In seconds, of the p99 (issue 11); null: none is set. */
  readonly goal: number | null
  readonly measure: (bench: Bench, cluster: RivalCluster, turn: number) => Promise<number>
}

/** Of the last: until others lead; of all before: the longest time in which one of the partitions acknowledged nothing to librdkafka. */
export const endings: Readonly<Record<string, Ending>> = {
  'term-leader': {
    goal: 1,
    measure: (bench, cluster, turn) =>
      gap(bench, cluster, { signal: 'SIGTERM', whom: beside(1 + (turn % 2)) }),
  },
  'kill-leader': {
    goal: 5,
    measure: (bench, cluster, turn) =>
      gap(bench, cluster, { signal: 'SIGKILL', whom: beside(1 + (turn % 2)) }),
  },
  'kill-leader-and-controller': {
    goal: 8,
    measure: (bench, cluster) => gap(bench, cluster, { signal: 'SIGKILL', whom: beside(0) }),
  },
  'kill-all': {
    goal: 40,
    measure: (bench, cluster) => gap(bench, cluster, { signal: 'SIGKILL', whom: everybody }),
  },
  'stop-leader-and-controller': {
    goal: null,
    measure: (_, cluster) => stopped(cluster),
  },
}

/** Clients of a broker that stands still wait for their own time-outs: what is ours to tell is when others lead. */
async function stopped(cluster: RivalCluster): Promise<number> {
  const place = await cluster.controller()
  const id = place + cluster.firstId
  const other = cluster.brokers[(place + 1) % brokerCount]!
  const { pid } = cluster.brokers[place]!
  const fromMs = performance.now()
  process.kill(pid, 'SIGSTOP')
  try {
    for (;;) {
      const { topics } = await asking(other, client => client.metadata([topic]))
      const isMoved = topics[0]!.partitions.every(({ leaderId }) => ![id, -1].includes(leaderId))
      const tookMs = performance.now() - fromMs
      if (isMoved) return tookMs / 1000
      if (tookMs > patienceMs) throw new Error(`broker ${id} stands still, and leads on`)
      await sleep(20)
    }
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}
