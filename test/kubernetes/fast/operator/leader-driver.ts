import { createLogger } from '../../../../src/broker/telemetry/logger.ts'
import { realClock } from '../../../../src/env/real/clock.ts'
import { NodeNetwork } from '../../../../src/env/real/network.ts'
import { realRandom } from '../../../../src/env/real/random.ts'
import { WireBrokers } from '../../../../src/operator/brokers/wire-brokers.ts'
import type { ConfigMap, DraftOf } from '../../../../src/operator/kubernetes/objects.ts'
import { resources } from '../../../../src/operator/kubernetes/resources.ts'
import { Transport } from '../../../../src/operator/kubernetes/transport.ts'
import { OperatorMetrics } from '../../../../src/operator/metrics.ts'
import { controllerNames, Operator } from '../../../../src/operator/operator.ts'
import type { Parts } from '../../../../src/operator/parts.ts'
import type { Reconcile } from '../../../../src/operator/reconciler.ts'

/**
 * An operator as a process, at the API server of a URL: `leader-driver.ts URL NAMESPACE INSTANCE`. Its passes are as small
 * as a decision and a write can be; what is to be done with a LogCluster stands in the ConfigMap of its name.
 */
const [server = '', namespace = '', instance = ''] = process.argv.slice(2)

/** Looks at the ConfigMap, decides, and does one thing, once; that it is done, the world tells. */
function small({ api, caches }: Parts): Reconcile {
  return async at => {
    if (caches.logClusters.get(at) === undefined) return { requeueAfterMs: null }
    const wish = await api.get(resources.configMaps, at)
    if (wish === null) return { requeueAfterMs: 500 }
    const { name } = at
    switch (wish.data?.['do'] ?? 'nothing') {
      case 'delete': {
        const victim = await api.get(resources.configMaps, { namespace, name: `${name}-victim` })
        if (victim?.data?.['is'] === 'old') await api.delete(resources.configMaps, victim.metadata)
        break
      }
      case 'create': {
        const isMade =
          (await api.get(resources.configMaps, { namespace, name: `${name}-made` })) !== null
        if (!isMade) await api.create(resources.configMaps, draft(`${name}-made`, { by: instance }))
        break
      }
      case 'permit': {
        const identity = await api.get(resources.configMaps, {
          namespace,
          name: `${name}-identity`,
        })
        if (identity?.data?.['mayFormat'] !== 'never yet') break
        const { uid, resourceVersion } = identity.metadata
        const permit = draft(`${name}-identity`, { mayFormat: 'true', by: instance })
        const metadata = { ...permit.metadata, uid, resourceVersion }
        await api.apply(resources.configMaps, { ...permit, metadata })
        break
      }
    }
    return { requeueAfterMs: null }
  }
}

function draft(name: string, data: Record<string, string>): DraftOf<ConfigMap> {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data }
}

const logger = createLogger({ level: 'debug', clock: realClock })
const env = { clock: realClock, random: realRandom, network: new NodeNetwork() }
const tls = { ca: null, cert: null, key: null, rejectUnauthorized: true, servername: null }
const source = { read: async () => ({ server, tls, authorization: null }) }
const operator = new Operator({
  env,
  sender: new Transport({ source, clock: realClock, userAgent: instance }),
  brokers: new WireBrokers(env),
  logger,
  metrics: new OperatorMetrics(controllerNames),
  watchNamespaces: [namespace],
  version: '0.1.0',
  defaultImage: 'none',
  lease: { namespace, name: 'leader' },
  instance,
  reconcilers: {
    logcluster: small,
    logtopic: () => async () => ({ requeueAfterMs: null }),
  },
  fatal: error => {
    logger.fatal(
      { reason: error instanceof Error ? error.message : String(error) },
      'The operator ends',
    )
    process.exit(1)
  },
})
operator.start()
process.on('SIGTERM', () => void operator.stop().then(() => process.exit(0)))
// Nothing of the operator keeps a process alive that has no connection at this moment.
setInterval(() => {}, 2 ** 30)
