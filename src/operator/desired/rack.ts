import type { LogCluster } from '../crd/cluster.ts'
import { places } from './properties.ts'

/** The rack of the node that a pod is on, which its broker reads by the downward API. */
export const rackAnnotation = 'logcluster.dev/rack'

/** Volume and mount by which a broker sees its rack, as soon as its pod is told; nothing where nobody wants racks. */
export function rackFile({ spec }: LogCluster) {
  if (spec.rack === undefined) return { volumes: [], mounts: [] }
  const fieldRef = { fieldPath: `metadata.annotations['${rackAnnotation}']` }
  return {
    volumes: [{ name: 'facts', downwardAPI: { items: [{ path: 'rack', fieldRef }] } }],
    mounts: [{ name: 'facts', mountPath: places.facts, readOnly: true }],
  }
}
