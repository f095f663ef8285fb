import type { LogCluster } from '../crd/cluster.ts'
import type { DraftOf, Secret } from '../kubernetes/objects.ts'
import { clusterLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'

/** Passwords at the private listeners, by principal. */
export interface PrivatePasswords {
  readonly operator: string
  readonly broker: string
}

/** Made once by a POST: passwords are chance, and what is made again is another. */
export function privateSecret(cluster: LogCluster, passwords: PrivatePasswords): DraftOf<Secret> {
  const { namespace, name } = cluster.metadata
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: names.privateSecret(name),
      labels: clusterLabels(name, 'cluster'),
      ownerReferences: ownedBy(cluster),
    },
    type: 'Opaque',
    data: { operator: btoa(passwords.operator), broker: btoa(passwords.broker) },
  }
}
