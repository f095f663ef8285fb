import type {
  ConfigMap,
  Lease,
  Namespace,
  Node,
  ObjectName,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  Stored,
  StorageClass,
} from './objects.ts'

/** A kind as the API server's paths know it. `Object` is what comes from there. */
export interface Resource<Object extends Stored> {
  /** Group and version, `apps/v1`; the version alone for the core group. */
  readonly apiVersion: string
  readonly kind: string
  /** The kind's name in paths, `statefulsets`. */
  readonly plural: string
  readonly isNamespaced: boolean
  /** Never there: it ties the type to the value. */
  readonly object?: Object
}

/** A kind whose objects lie in namespaces. */
export function namespaced<Object extends Stored>(
  apiVersion: string,
  kind: string,
  plural: string,
): Resource<Object> {
  return { apiVersion, kind, plural, isNamespaced: true }
}

/** A kind that the whole cluster shares. */
function clusterWide<Object extends Stored>(
  apiVersion: string,
  kind: string,
  plural: string,
): Resource<Object> {
  return { apiVersion, kind, plural, isNamespaced: false }
}

/** Kubernetes' own kinds that the operator reads or writes. */
export const resources = {
  configMaps: namespaced<ConfigMap>('v1', 'ConfigMap', 'configmaps'),
  leases: namespaced<Lease>('coordination.k8s.io/v1', 'Lease', 'leases'),
  namespaces: clusterWide<Namespace>('v1', 'Namespace', 'namespaces'),
  nodes: clusterWide<Node>('v1', 'Node', 'nodes'),
  persistentVolumes: clusterWide<PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes'),
  persistentVolumeClaims: namespaced<PersistentVolumeClaim>(
    'v1',
    'PersistentVolumeClaim',
    'persistentvolumeclaims',
  ),
  pods: namespaced<Pod>('v1', 'Pod', 'pods'),
  podDisruptionBudgets: namespaced<PodDisruptionBudget>(
    'policy/v1',
    'PodDisruptionBudget',
    'poddisruptionbudgets',
  ),
  roles: namespaced<Role>('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  roleBindings: namespaced<RoleBinding>(
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    'rolebindings',
  ),
  secrets: namespaced<Secret>('v1', 'Secret', 'secrets'),
  services: namespaced<Service>('v1', 'Service', 'services'),
  serviceAccounts: namespaced<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts'),
  statefulSets: namespaced<StatefulSet>('apps/v1', 'StatefulSet', 'statefulsets'),
  storageClasses: clusterWide<StorageClass>('storage.k8s.io/v1', 'StorageClass', 'storageclasses'),
} as const

/** Where the objects of a kind are: in one namespace, or in all of them where `namespace` is left out. */
export function collectionPath(resource: Resource<Stored>, namespace?: string): string {
  const { apiVersion, plural } = resource
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return namespace === undefined
    ? `${root}/${plural}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
}

/** Where one object is. */
export function objectPath(resource: Resource<Stored>, { namespace, name }: ObjectName): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`
}
