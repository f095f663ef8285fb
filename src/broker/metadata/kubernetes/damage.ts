import { StoreError } from '../store.ts'
import { placeName, type Place, type Reply } from './ring.ts'

const remedy =
  'Nothing was changed, and nothing will be: what brokers hold is served on. Do not edit or delete single objects; ' +
  'the runbook LogClusterMetadataQuarantined says how the ring is filled from the longest copy that a broker has on its disk.'

/** The one message for a ring that nobody of us left like that: what, where, what to do. */
export function damaged(place: Place, what: string): StoreError {
  return new StoreError(
    'damaged',
    `The metadata ring in Kubernetes is damaged: ConfigMap ...-${placeName(place)}: ${what}. ${remedy}`,
  )
}

/** The ring is older than what this broker has read in it, or written to it. */
export function wentBack(place: Place, what: string): StoreError {
  return new StoreError(
    'behind',
    `The metadata ring in Kubernetes went back in time, as after a restored backup of etcd: ConfigMap ` +
      `...-${placeName(place)}: ${what}. ${remedy}`,
  )
}

/** @throws StoreError for what no request can get over; gives back every other reply. */
export function refuseDamage(place: Place, reply: Reply): Exclude<Reply, Harm> {
  if (reply.type === 'missing') {
    throw damaged(place, 'it does not exist, though the operator made it once; somebody deleted it')
  }
  if (reply.type === 'foreign') {
    if (!reply.isOtherCluster) throw damaged(place, reply.what)
    throw new StoreError(
      'unsuitable',
      `ConfigMap ...-${placeName(place)}: ${reply.what}. Correct cluster.id, kubernetes.namespace or kubernetes.cluster.name.`,
    )
  }
  if (reply.type === 'invalid') {
    throw new StoreError(
      'failed',
      `The Kubernetes API refuses ConfigMap ...-${placeName(place)} for good: ${reply.reason}`,
    )
  }
  return reply
}

type Harm = Extract<Reply, { type: 'missing' | 'foreign' | 'invalid' }>
