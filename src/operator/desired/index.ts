import type { LogCluster } from '../crd/cluster.ts'
import type { Draft } from '../kubernetes/objects.ts'
import { role, roleBinding, serviceAccount, type RingNames } from './access.ts'
import { disruptionBudget } from './disruption-budget.ts'
import {
  bootstrapService,
  headlessService,
  nodePortBootstraps,
  servicesOfBroker,
} from './services.ts'

/** The front door of the room: what a cluster has whoever its brokers are, but for what is made once. Same cluster, same objects: no clock, no chance. */
export function clusterObjects(
  cluster: LogCluster,
  ring: RingNames,
  brokers: readonly string[],
): readonly Draft[] {
  return [
    serviceAccount(cluster),
    role(cluster, ring, brokers),
    roleBinding(cluster),
    headlessService(cluster),
    bootstrapService(cluster),
    ...nodePortBootstraps(cluster),
    ...brokers.flatMap(broker => servicesOfBroker(cluster, broker)),
    disruptionBudget(cluster, brokers.length),
  ]
}
