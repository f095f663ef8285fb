import { BrokerError } from './brokers/broker-error.ts'
import type { BrokerAccess } from './brokers/brokers.ts'
import type { LogCluster } from './crd/cluster.ts'
import { brokerLabel, componentLabel } from './desired/labels.ts'
import { names } from './desired/names.ts'
import { privatePort } from './crd/ports.ts'
import { resources } from './kubernetes/resources.ts'
import type { Parts } from './parts.ts'
import { isReady } from './plan/pod-health.ts'

/** How many are asked at once: one that is silent takes its time to connect. */
const askedMax = 3

/**
 * How to ask brokers of this cluster, by their private listeners, at the addresses of their pods: those that serve first, by slot. None
 * while none runs, or before there is the Secret of the private listeners. The password is looked up each time, since it may be
 * replaced.
 */
export async function brokerAccesses(
  { api, caches }: Pick<Parts, 'api' | 'caches'>,
  { metadata: { namespace, name } }: LogCluster,
): Promise<readonly BrokerAccess[]> {
  const hosts = addressesOf(caches, `${namespace}/${name}`)
  if (hosts.length === 0) return []
  const at = { namespace, name: names.privateSecret(name) }
  const secret = await api.get(resources.secrets, at)
  const data = secret?.data?.['operator']
  if (data === undefined) return []
  const password = Buffer.from(data, 'base64').toString('utf8')
  return hosts.map(host => ({ host, port: privatePort, password }))
}

/**
 * The answer of the first that can be reached, of a few: the first one, and behind it others by `chance`, from 0 to 1, so that another time it
 * is others. One that cannot be reached may be gone with its node, or refuse to start, for days, and the others know as much.
 * @throws BrokerError of the last, where it is none of them
 */
export async function askFirst<Answer>(
  accesses: readonly BrokerAccess[],
  chance: number,
  ask: (access: BrokerAccess) => Promise<Answer>,
): Promise<Answer> {
  const [first, ...others] = accesses
  const from = Math.floor(chance * others.length)
  const behind = [...others.slice(from), ...others.slice(0, from)].slice(0, askedMax - 1)
  let last = new BrokerError('unreachable', 'no broker runs')
  for (const access of first === undefined ? [] : [first, ...behind]) {
    try {
      return await ask(access)
    } catch (error) {
      if (!(error instanceof BrokerError) || error.kind === 'answered') throw error
      last = error
    }
  }
  throw last
}

function addressesOf({ pods, logBrokers }: Parts['caches'], cluster: string): string[] {
  const running = new Map(
    pods.indexed(cluster).flatMap(pod => {
      const { labels, deletionTimestamp } = pod.metadata
      const isBroker = labels?.[componentLabel] === 'broker' && deletionTimestamp === undefined
      const broker = labels?.[brokerLabel]
      const host = pod.status?.podIP
      const isThere = isBroker && broker !== undefined && host !== undefined
      return isThere ? [[broker, { host, isReady: isReady(pod) }]] : []
    }),
  )
  return logBrokers
    .indexed(cluster)
    .toSorted((a, b) => a.spec.slot - b.spec.slot)
    .flatMap(({ metadata }) => running.get(metadata.name) ?? [])
    .toSorted((a, b) => Number(b.isReady) - Number(a.isReady))
    .map(({ host }) => host)
}
