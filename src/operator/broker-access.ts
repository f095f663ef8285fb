import type { BrokerAccess } from './brokers/brokers.ts'
import type { LogCluster } from './crd/cluster.ts'
import { brokerLabel, componentLabel } from './desired/labels.ts'
import { names } from './desired/names.ts'
import { privatePort } from './crd/ports.ts'
import { resources } from './kubernetes/resources.ts'
import type { Parts } from './parts.ts'

/**
 * How to ask a broker of this cluster, by its private listener: the one of the lowest slot, at the address of its pod.
 * Null while none runs, or before there is the Secret of the private listeners. The password is looked up each time,
 * since it may be replaced.
 */
export async function brokerAccess(
  { api, caches }: Pick<Parts, 'api' | 'caches'>,
  { metadata: { namespace, name } }: LogCluster,
): Promise<BrokerAccess | null> {
  const host = addressOf(caches, `${namespace}/${name}`)
  if (host === null) return null
  const at = { namespace, name: names.privateSecret(name) }
  const secret = await api.get(resources.secrets, at)
  const password = secret?.data?.['operator']
  if (password === undefined) return null
  return { host, port: privatePort, password: Buffer.from(password, 'base64').toString('utf8') }
}

function addressOf({ pods, logBrokers }: Parts['caches'], cluster: string): string | null {
  const addresses = new Map(
    pods.indexed(cluster).flatMap(({ metadata, status }) => {
      const { labels, deletionTimestamp } = metadata
      const isBroker = labels?.[componentLabel] === 'broker' && deletionTimestamp === undefined
      const broker = labels?.[brokerLabel]
      const address = status?.podIP
      return isBroker && broker !== undefined && address !== undefined ? [[broker, address]] : []
    }),
  )
  const first = logBrokers
    .indexed(cluster)
    .toSorted((a, b) => a.spec.slot - b.spec.slot)
    .find(({ metadata }) => addresses.has(metadata.name))
  return first === undefined ? null : addresses.get(first.metadata.name)!
}
