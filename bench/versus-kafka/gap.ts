import type { Bench } from './bench.ts'
import { brokerCount, type RivalCluster } from './cluster.ts'

export const topic = 'written'
export const partitions = 6
/** Records a second to each partition. */
export const rate = 50
/** For the producer to be under way. */
const restSeconds = 3

/** Which brokers end, by their places. */
export type Whom = (cluster: RivalCluster) => Promise<readonly number[]>

/** The broker that comes so many places after the controller. */
export function beside(by: number): Whom {
  return async cluster => [((await cluster.controller()) + by) % brokerCount]
}

export function everybody({ brokers }: RivalCluster): Promise<readonly number[]> {
  return Promise.resolve([...brokers.keys()])
}

/**
 * For how many seconds at most a partition of a sound cluster acknowledges nothing while brokers end: they are started again at once where
 * none is left, else when all is written again.
 */
export async function gap(
  bench: Bench,
  cluster: RivalCluster,
  { signal, whom }: { readonly signal: 'SIGTERM' | 'SIGKILL'; readonly whom: Whom },
): Promise<number> {
  const places = await whom(cluster)
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
