import { readFileSync } from 'node:fs'
import type { LogCluster } from '../../src/operator/crd/cluster.ts'
import type { Pod } from '../../src/operator/kubernetes/objects.ts'
import { storedText, worldOf } from '../operator/stored-clusters.ts'
import { at } from '../operator/world.ts'

/**
 * `node --import ./test/upgrade/next-version.ts test/upgrade/next-operator.ts FILE...`: an operator of a next version comes
 * upon each stored cluster, and later a person restarts it. What came of it is one line of JSON a file (`Upgrade`).
 */
const files = process.argv.slice(2)

/** What an upgrade of the operator did. */
export interface Upgrade {
  /** Pods that began without being asked to. */
  readonly starts: readonly string[]
  readonly writes: readonly string[]
  /** The cluster as the next version left it, as `storedText` writes it. */
  readonly stored: string
  /** Of each pod, once a restart was asked for: whether it has what is new. */
  readonly hasNews: readonly boolean[]
  readonly stable: string
}

async function upgrade(file: string): Promise<Upgrade> {
  const world = worldOf(readFileSync(file, 'utf8'))
  world.restartOperator({ version: '0.2.0' })
  await world.converge()
  const [starts, writes] = [[...world.nodes.starts], [...world.api.writes]]
  const stored = storedText(world)
  const live = world.get<LogCluster>('LogCluster', at.name)
  const spec = { ...live.spec, restartedAt: '2027-01-01T00:00:00Z' }
  world.api.put({ ...live, spec } as typeof live)
  await world.converge()
  const hasNews = world.api
    .all<Pod>('Pod')
    .map(({ spec: { containers } = { containers: [] } }) =>
      containers[0]!.env!.some(({ name }) => name === 'LOGCLUSTER_NEXT'),
    )
  return { starts, writes, stored, hasNews, stable: world.condition('Stable') }
}

for (const file of files) console.log(JSON.stringify(await upgrade(file)))
