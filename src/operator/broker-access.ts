import type { BrokerAccess } from './brokers/brokers.ts'
import type { LogCluster } from './crd/cluster.ts'
import { brokerHost, names } from './desired/names.ts'
import { privatePort } from './desired/properties.ts'
import { resources } from './kubernetes/resources.ts'
import type { Parts } from './parts.ts'

/**
 * How to ask a broker of this cluster, by its private listener: the one of the lowest slot. Null before the cluster has
 * a broker and the Secret of the private listeners. The password is looked up each time, since it may be replaced.
 */
export async function brokerAccess(
  { api, caches }: Pick<Parts, 'api' | 'caches'>,
  { metadata: { namespace, name } }: LogCluster,
): Promise<BrokerAccess | null> {
  const brokers = caches.logBrokers.indexed(`${namespace}/${name}`)
  const first = brokers.toSorted((a, b) => a.spec.slot - b.spec.slot)[0]
  if (first === undefined) return null
  const at = { namespace, name: names.privateSecret(name) }
  const secret = await api.get(resources.secrets, at)
  const password = secret?.data?.['operator']
  if (password === undefined) return null
  return {
    host: brokerHost({ namespace, name }, first.metadata.name),
    port: privatePort,
    password: Buffer.from(password, 'base64').toString('utf8'),
  }
}
