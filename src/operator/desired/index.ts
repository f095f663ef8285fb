import type { LogCluster } from '../crd/cluster.ts'
import type { Draft } from '../kubernetes/objects.ts'
import { role, roleBinding, serviceAccount, type RingNames } from './access.ts'
import { configuration } from './configuration.ts'
import { disruptionBudget } from './disruption-budget.ts'
import type { BrokerPod } from './pod-template.ts'
import {
  bootstrapService,
  headlessService,
  nodePortBootstraps,
  nodePortsOfBroker,
} from './services.ts'
import { statefulSet } from './stateful-set.ts'

/** What a cluster has whoever its brokers are, but for what is made once. Same cluster, same objects: no clock, no chance. */
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
    ...brokers.flatMap(broker => nodePortsOfBroker(cluster, broker)),
    disruptionBudget(cluster),
  ]
}

/** What one broker has, in the order in which it is made. */
export function brokerObjects(pod: BrokerPod): readonly Draft[] {
  return [configuration(pod), statefulSet(pod)]
}
