import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type { Stored } from '../../src/operator/kubernetes/objects.ts'
import { minimal, World } from './world.ts'

const [pool] = minimal.pools

/** Clusters that a release keeps with all their objects, by the name of the file: what the operator of a next one comes upon. */
export const storedClusters: Readonly<Record<string, LogClusterSpecInput>> = {
  'one-broker': minimal,
  'three-brokers': { ...minimal, pools: [{ ...pool!, brokers: 3 }] },
  'two-pools': {
    ...minimal,
    config: { 'log.retention.hours': 168, 'log.level': 'debug' },
    listeners: [
      { name: 'internal', port: 9092 },
      { name: 'outside', port: 9094, expose: { type: 'NodePort' } },
    ],
    pools: [
      { ...pool!, brokers: 2, resources: { requests: { memory: '1Gi' } } },
      { ...pool!, name: 'more', brokers: 1 },
    ],
  },
}

/** A cluster of this spec, made by the operator as it is now, and at rest. */
export async function storedWorld(spec: LogClusterSpecInput): Promise<World> {
  const world = new World().withNodes(3)
  world.nodes.nodePort = 31_094
  world.apply(spec)
  await world.converge()
  return world
}

/** All that there is of it, an object a line. */
export function storedText({ api }: World): string {
  return `[\n${api
    .everything()
    .map(object => JSON.stringify(object))
    .join(',\n')}\n]\n`
}

/** As `storedText` wrote it. */
export function worldOf(text: string): World {
  return World.from(JSON.parse(text) as Stored[])
}

/** What is said in a status, noted at a volume, or applied for all brokers, may be another from release to release; what a broker runs by is not. */
export function isOfBroker(write: string): boolean {
  const applied = 'status|Service|ServiceAccount|Role|RoleBinding|PodDisruptionBudget'
  return !new RegExp(`^(apply (${applied})|patch PersistentVolume) `).test(write)
}
