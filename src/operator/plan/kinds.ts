import { present } from '../../lib/assert.ts'
import type { Draft, Stored } from '../kubernetes/objects.ts'
import { namespaced, resources, type Resource } from '../kubernetes/resources.ts'
import { logBrokers, logClusters } from '../own-kinds.ts'

/** Of the Prometheus operator, where that is installed. */
export const podMonitors = namespaced<Stored>(
  'monitoring.coreos.com/v1',
  'PodMonitor',
  'podmonitors',
)

const byKind: ReadonlyMap<string, Resource<Stored>> = new Map(
  [...Object.values(resources), logClusters, logBrokers, podMonitors].map(resource => [
    resource.kind,
    resource,
  ]),
)

/** Where objects of the kind of `draft` are. */
export function resourceOf({ kind }: Draft): Resource<Stored> {
  return present(byKind.get(kind), `a resource of kind ${kind}`)
}
