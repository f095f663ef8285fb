import type { Env } from '../env/env.ts'
import { attachCluster } from './broker-metrics.ts'
import { clusterOptions } from './cluster-options.ts'
import { Cluster, type ClusterOptions } from './cluster/cluster.ts'
import { brokerPrincipal, Peers } from './cluster/peers.ts'
import { parseEndpoint, type Endpoint, type ListenerAddress } from './config/listeners.ts'
import type { LiveConfiguration } from './config/live-configuration.ts'
import type { Settings } from './config/settings.ts'
import type { MetadataCopy } from './metadata/copy/metadata-copy.ts'
import { measuredStore, storeOperations, storeOutcomes } from './metadata/measured-store.ts'
import type { MetadataStore } from './metadata/store.ts'
import { isSoleStore } from './open-store.ts'
import { rackFromFile } from './rack-file.ts'
import { CredentialFiles } from './security/credential-files.ts'
import type { BoundListener } from './server/server.ts'
import { tellStandAlone } from './tell-stand-alone.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Metrics } from './telemetry/metrics.ts'

interface ClusterParts {
  readonly env: Env
  readonly configuration: LiveConfiguration
  readonly listeners: readonly ListenerAddress[]
  /** Of the software. */
  readonly version: string
  readonly logger: Logger
  readonly metrics: Metrics
  readonly store: MetadataStore
  readonly copy: MetadataCopy | undefined
  /** Where the private listener is; null where there is none. */
  readonly privateListener: BoundListener | null
  /** Why the broker waits, as a sentence. */
  readonly onWait: (message: string) => void
  /** It was stopped meanwhile. */
  readonly isGone: () => boolean
  readonly registered: NonNullable<ClusterOptions['registered']>
  /** Asked for where other brokers may be in the cluster. */
  readonly facts: NonNullable<ClusterOptions['facts']>
  readonly beat: NonNullable<ClusterOptions['beat']>
}

/** This broker's part in the cluster, by the settings: alone in its own store, or one of several in one that they share. */
export async function makeCluster(parts: ClusterParts): Promise<Cluster> {
  const { env, configuration, listeners, logger, copy, metrics } = parts
  const { brokerRackFile: path } = configuration.settings
  const rack = path === '' ? null : await rackFromFile({ ...env, ...parts, path })
  metrics.cluster.begin(storeOperations, storeOutcomes)
  return Cluster.start({
    ...clusterOptions(configuration, listeners),
    ...(rack === null ? {} : { rack }),
    env,
    store: measuredStore(parts.store, env.clock, metrics.cluster),
    beaten: (outcome, seconds) => metrics.cluster.heartbeat(outcome, seconds),
    ...(copy === undefined ? {} : { copy }),
    begun: cluster => attachCluster(metrics, cluster),
    registered: parts.registered,
    onStandAlone: reason => tellStandAlone(logger, reason),
    warn: (message, fields) => logger.warn(fields, message),
    ...(isSoleStore(configuration.settings) ? {} : amongOthers(parts)),
  })
}

/** What a broker has that may meet others. */
function amongOthers(parts: ClusterParts): Partial<ClusterOptions> {
  const { env, configuration, listeners, version, privateListener, facts, beat, logger } = parts
  const { settings } = configuration
  const files = new CredentialFiles(env, settings.privateCredentialsDir)
  return {
    isSoleBroker: false,
    listeners: listeners.map(({ name, host, port, advertised }) => ({
      name,
      host: advertised?.host ?? host,
      port: advertised?.port || port,
    })),
    peer: privateListener === null ? null : peerAddress(settings, listeners, privateListener),
    peers: new Peers({
      env,
      brokerId: settings.nodeId,
      version,
      password: () => files.passwordOf(brokerPrincipal),
      warn: (message, fields) => logger.warn(fields, message),
    }),
    facts,
    beat,
  }
}

/** A listener at every address of the machine is reached where the settings say, else at the host that clients are told. */
function peerAddress(
  settings: Pick<Settings, 'privateListener' | 'privateAdvertisedListener'>,
  listeners: readonly ListenerAddress[],
  { port }: BoundListener,
): Endpoint {
  const { privateAdvertisedListener: advertised } = settings
  if (advertised !== '') return parseEndpoint('private.advertised.listener', advertised)
  const { host } = parseEndpoint('private.listener', settings.privateListener)
  if (!everyAddress.has(host)) return { host, port }
  const [first] = listeners
  return { host: first?.advertised?.host ?? first?.host ?? host, port }
}

const everyAddress: ReadonlySet<string> = new Set(['', '0.0.0.0', '::', '[::]'])
