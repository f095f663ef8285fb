import type { LogCluster } from '../crd/cluster.ts'
import type { DraftOf, Role, RoleBinding, ServiceAccount } from '../kubernetes/objects.ts'
import { clusterLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'

/** Objects of the metadata ring by kind, which brokers read and write by name. */
export interface RingNames {
  readonly configMaps: readonly string[]
  readonly leases: readonly string[]
}

export function serviceAccount(cluster: LogCluster): DraftOf<ServiceAccount> {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(cluster),
    automountServiceAccountToken: false,
  }
}

/** What a broker may do: get and update the ring's objects, get its own identity. It lists, makes and deletes nothing. */
export function role(
  cluster: LogCluster,
  ring: RingNames,
  brokers: readonly string[],
): DraftOf<Role> {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: metadata(cluster),
    rules: [
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: [...ring.configMaps],
        verbs: ['get', 'update'],
      },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [...ring.leases],
        verbs: ['get', 'update'],
      },
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: brokers.map(names.identity),
        verbs: ['get'],
      },
    ],
  }
}

export function roleBinding(cluster: LogCluster): DraftOf<RoleBinding> {
  const { namespace, name } = cluster.metadata
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata(cluster),
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'Role',
      name: names.brokerAccount(name),
    },
    subjects: [{ kind: 'ServiceAccount', namespace, name: names.brokerAccount(name) }],
  }
}

function metadata(cluster: LogCluster) {
  const { namespace, name } = cluster.metadata
  return {
    namespace,
    name: names.brokerAccount(name),
    labels: clusterLabels(name, 'cluster'),
    ownerReferences: ownedBy(cluster),
  }
}
