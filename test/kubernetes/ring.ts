import { genesisObjects } from '../../src/broker/metadata/kubernetes/genesis.ts'
import { KubernetesStore } from '../../src/broker/metadata/kubernetes/kubernetes-store.ts'
import { ringConfigMapNames, ringNames } from '../../src/broker/metadata/kubernetes/names.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { HttpsObjects } from '../../src/kubernetes/https-objects.ts'
import type { NamedObjects } from '../../src/kubernetes/named-objects.ts'
import type { ServiceAccountAccess } from './control-plane/access.ts'
import type { ControlPlane } from './control-plane/control-plane.ts'

export const clusterId = '8Jb3kPz1QmSx5rT0vW2yAg'

/** A metadata ring in a real API, as the operator makes it, and stores at it with a broker's rights and no others. */
export class RealRing {
  readonly cluster: string
  readonly names: ReturnType<typeof ringNames>
  readonly warnings: string[] = []
  readonly #namespace: string
  readonly #access: ServiceAccountAccess
  readonly #opened: NamedObjects[] = []

  private constructor(namespace: string, cluster: string, access: ServiceAccountAccess) {
    this.#namespace = namespace
    this.#access = access
    this.cluster = cluster
    this.names = ringNames(cluster)
  }

  /** The ring of `cluster` in a namespace that is there, for a broker that comes to the API at `url`. */
  static async make(
    plane: ControlPlane,
    namespace: string,
    cluster: string,
    options: { readonly from?: 'nothing' | 'disks'; readonly url?: string } = {},
  ): Promise<RealRing> {
    const objects = genesisObjects({ cluster, clusterId, from: options.from ?? 'nothing' })
    const items = [
      ...objects.map(({ kind, name, ...fields }) => ({
        apiVersion: kind === 'Lease' ? 'coordination.k8s.io/v1' : 'v1',
        kind,
        metadata: { name, labels: { 'app.kubernetes.io/name': 'logcluster' } },
        ...fields,
      })),
      ...rightsOf(namespace, cluster),
    ]
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    await plane.kubectl(['create', '-n', namespace, '-f', '-'], { input: list })
    return RealRing.access(plane, namespace, cluster, options.url)
  }

  /** One that is there; by default straight to the API server. */
  static async access(
    plane: ControlPlane,
    namespace: string,
    cluster: string,
    url = plane.url,
  ): Promise<RealRing> {
    const access = await plane.serviceAccount(namespace, `${cluster}-broker`, url)
    return new RealRing(namespace, cluster, access)
  }

  /** Of a broker whose metadata are in this ring. */
  get settings(): Readonly<Record<string, string>> {
    const { url, tokenFile, authorityFile } = this.#access
    return {
      'metadata.store': 'kubernetes',
      'cluster.id': clusterId,
      'kubernetes.namespace': this.#namespace,
      'kubernetes.cluster.name': this.cluster,
      'kubernetes.api.url': url,
      'kubernetes.token.file': tokenFile,
      'kubernetes.ca.file': authorityFile,
    }
  }

  objects(): HttpsObjects {
    const { url, tokenFile, authorityFile: caFile } = this.#access
    const objects = new HttpsObjects({
      url,
      tokenFile,
      caFile,
      namespace: this.#namespace,
      clock: realClock,
    })
    this.#opened.push(objects)
    return objects
  }

  store(options: { brokerId?: number; objects?: NamedObjects } = {}): KubernetesStore {
    const { brokerId = 0, objects = this.objects() } = options
    return new KubernetesStore({
      objects,
      clock: realClock,
      cluster: this.cluster,
      clusterId,
      brokerId,
      warn: (message, fields) => this.warnings.push(`${message} ${JSON.stringify(fields)}`),
    })
  }

  close(): void {
    for (const objects of this.#opened) objects.close()
  }
}

/** A broker may get and update exactly its objects. */
function rightsOf(namespace: string, cluster: string): Readonly<Record<string, unknown>>[] {
  const name = `${cluster}-broker`
  const verbs = ['get', 'update']
  const configMaps = ringConfigMapNames(cluster)
  const roleGroup = 'rbac.authorization.k8s.io'
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
    {
      apiVersion: `${roleGroup}/v1`,
      kind: 'Role',
      metadata: { name },
      rules: [
        { apiGroups: [''], resources: ['configmaps'], resourceNames: configMaps, verbs },
        {
          apiGroups: ['coordination.k8s.io'],
          resources: ['leases'],
          resourceNames: [ringNames(cluster).lease],
          verbs,
        },
      ],
    },
    {
      apiVersion: `${roleGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: roleGroup, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ]
}
