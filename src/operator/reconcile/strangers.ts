import type { Caches } from '../caches.ts'
import type { LogCluster } from '../crd/cluster.ts'
import { names } from '../desired/names.ts'
import { slotsOf } from '../desired/slots.ts'
import type { Stranger } from '../plan/observed.ts'
import { isOfAnother } from '../plan/ownership.ts'

/**
 * What has a name that a cluster which is not born yet would need for a broker, and is another LogCluster's: names are made of two that may
 * both have dashes. As far as watches told: whoever makes something is refused all the same where a name is taken.
 */
export function strangersOf(cluster: LogCluster, caches: Caches): Stranger[] {
  const { namespace, name } = cluster.metadata
  return cluster.spec.pools.flatMap(pool =>
    slotsOf(pool).flatMap(slot => {
      const broker = names.broker(name, pool.name, slot)
      const volumes = pool.storage.volumes.map(volume => names.claim(volume.name, broker, 1))
      const at = (wanted: string) => ({ namespace, name: wanted })
      const found = [
        caches.logBrokers.get(at(broker)),
        caches.statefulSets.get(at(broker)),
        caches.configMaps.get(at(names.identity(broker))),
        ...volumes.map(volume => caches.persistentVolumeClaims.get(at(volume))),
      ]
      return found
        .filter(object => object !== undefined)
        .filter(object => isOfAnother(object, cluster))
        .map(object => ({ object, pool: pool.name }))
    }),
  )
}
