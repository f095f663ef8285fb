import type { Timer } from '../env/env.ts'
import type { BrokerOptions } from './broker-options.ts'
import { makeCoordinator } from './make-coordinator.ts'
import { makeHandlers } from './make-handlers.ts'
import { makePartitions } from './make-partitions.ts'
import { makeReplication } from './make-replication.ts'
import {
  followInSync,
  probesOf,
  statusDocument,
  statusOf,
  type StatusParts,
} from './broker-status.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { StartFacts } from './cluster/options.ts'
import type { OpenedCluster, PeerService } from './cluster/peer-service.ts'
import { makeCluster } from './make-cluster.ts'
import { brokersHandlers } from './handlers/brokers-handlers.ts'
import type { NamedObjects } from '../kubernetes/named-objects.ts'
import { ColdReads } from './cold-lane/cold-reads.ts'
import { resolveListeners, type ListenerAddress } from './config/listeners.ts'
import { LiveConfiguration } from './config/live-configuration.ts'
import type { Coordinator } from './coordinator/coordinator.ts'
import { mendInternalTopics } from './coordinator/internal-topics.ts'
import type { Fetchers } from './fetcher/fetchers.ts'
import type { HandlerTable } from './handlers/handler.ts'
import { Insight } from './insight/insight.ts'
import { attachLogs, attachRefusal, ownNumbers } from './broker-metrics.ts'
import { createCodecs, type Codecs } from './log/compression/codecs.ts'
import { makeRoom } from './log/directory/ballast.ts'
import { RetentionRounds } from './retention-round.ts'
import type { MetadataImage } from './metadata/image.ts'
import { openObjects, openStore } from './open-store.ts'
import { OwnDisk } from './own-disk.ts'
import { PrivateListener } from './private-listener.ts'
import { watchGroups } from './watch-groups.ts'
import { Server, type BoundListener } from './server/server.ts'
import type { BrokerStatus } from './handlers/10000-broker-status.ts'
import type { Probes } from './telemetry/http.ts'

export type { BrokerOptions } from './broker-options.ts'

/** One broker and everything that it is made of. */
export class Broker {
  readonly #options: BrokerOptions
  readonly #configuration: LiveConfiguration
  readonly #listeners: readonly ListenerAddress[]
  readonly #insight: Insight
  readonly #coldReads: ColdReads
  readonly #codecs: Codecs
  #parts: Parts = {}
  readonly #retentionRounds: RetentionRounds
  #retention: Timer | null = null
  readonly #startedAtMs: number
  /** Why clients are not served, as a sentence; null where they are. */
  #notReadyReason: string | null = 'The broker has not begun to start.'

  constructor(options: BrokerOptions) {
    this.#options = options
    this.#startedAtMs = options.env.clock.now()
    this.#retentionRounds = new RetentionRounds(options.env.clock, options.logger)
    this.#configuration = new LiveConfiguration(options.configuration)
    const { settings } = this.#configuration
    this.#listeners = resolveListeners(settings, options.hostName)
    this.#insight = new Insight({
      clock: options.env.clock,
      groupTotalsMax: settings.metricsGroupSeriesMax,
    })
    this.#coldReads = new ColdReads({
      clock: options.env.clock,
      readers: this.#insight.readers,
      jobsMax: settings.numColdReadsPerDataDir,
      dropsBehind: settings.logDropBehindEnable,
      groupsMax: settings.metricsGroupSeriesMax,
      isKept: group => this.#insight.isKnown(group),
    })
    this.#codecs = createCodecs(options.env.clock)
    options.metrics.attach({
      network: () => options.env.network.counters,
      copied: () => ({
        ...options.env.network.counters.copiedInJavaScript,
        decompression: this.#codecs.bytesDecompressed,
        compaction: this.#parts.directory?.cleanerNumbers().copiedBytes ?? 0,
      }),
      sent: () => this.#insight.sent(),
      coldReads: () => this.#coldReads,
      pageCache: () => ({ source: this.#pageCacheSource }),
      connections: () => this.#parts.server?.connectionCount ?? 0,
    })
  }

  get listeners(): readonly BoundListener[] {
    return this.#parts.server?.listeners ?? []
  }

  /** Where the private listener is; null where there is none. */
  get privateListener(): BoundListener | null {
    return this.#parts.privateListener?.bound ?? null
  }

  /** What is known of the broker now. */
  get status(): BrokerStatus {
    const facts = {
      brokerId: this.#configuration.settings.nodeId,
      version: this.#options.version,
      startedAtMs: this.#startedAtMs,
      notReadyReason: this.#notReadyReason,
      pageCacheSource: this.#pageCacheSource,
    }
    return statusOf(facts, this.#parts)
  }

  /** Without a window of what was appended lately nothing is known where the kernel cannot be asked. */
  get #pageCacheSource(): string {
    const { pageCacheSource } = this.#options.env.disk
    const { hotWindowBytes } = this.#configuration.settings
    return pageCacheSource === 'window' && hotWindowBytes === 0 ? 'unknown' : pageCacheSource
  }

  /** What HTTP tells. */
  get probes(): Probes {
    return probesOf({
      parts: () => this.#parts,
      notReadyReason: () => this.#notReadyReason,
      told: () => this.status,
      status: () => {
        const { listeners, status } = this
        return statusDocument(status, { listeners, insight: this.#insight })
      },
    })
  }

  /**
   * Opens the metadata log, recovers what the data directory holds, and listens.
   * Rejects where the directory or an address cannot be used; then nothing is left behind.
   */
  async start(): Promise<void> {
    const { env, metrics } = this.#options
    try {
      this.#notReadyReason = 'The metadata log is being opened.'
      this.#parts.privateListener = await this.#listenPrivately()
      const [peers, partitions] = [
        () => this.#parts.peerService ?? null,
        () => this.#parts.partitions,
      ]
      this.#parts.privateListener?.serve(brokersHandlers(peers, partitions))
      const path = this.#configuration.settings.logDirs
      const wasFull = await makeRoom(env, path)
      if (wasFull) this.#options.logger.warn({ path }, 'The disk was full: made room for a start')
      const disk = (this.#parts.disk = this.#makeDisk())
      await disk.take()
      this.#notReadyReason = 'The metadata log is being opened.'
      const cluster = (this.#parts.cluster = await this.#startCluster(disk))
      this.#notReadyReason = 'The data directory is being opened.'
      await this.#serve(cluster, disk, wasFull)
    } catch (error) {
      await this.#close()
      this.#parts = attachRefusal(metrics, error)
      throw error
    }
    const periodMs = this.#configuration.settings.logRetentionCheckIntervalMs
    this.#retention = env.clock.every(periodMs, () => void this.#applyRetention())
    this.#notReadyReason = null
  }

  /** Finishes what was taken, flushes, and marks the directory as cleanly closed. */
  async stop(): Promise<void> {
    this.#notReadyReason = 'The broker is stopping.'
    this.#retention?.cancel()
    await this.#parts.cluster?.shutDown()
    await this.#close()
  }

  async #serve(cluster: Cluster, disk: OwnDisk, wasFull: boolean): Promise<void> {
    const { logger } = this.#options
    const { nodeId } = this.#configuration.settings
    await mendInternalTopics(cluster, (message, fields) => logger.warn(fields, message))
    const { directory, partitions } = await this.#openLogs(cluster, disk)
    await disk.recorded(directory)
    await directory.registered(cluster.registration.now)
    directory.beat.start()
    const { fetchers, followerTraffic } = makeReplication({
      ...this.#options,
      configuration: this.#configuration,
      cluster,
      partitions,
    })
    this.#parts.fetchers = fetchers
    await partitions.sortUnclaimed()
    await partitions.settled()
    const coordinator = (this.#parts.coordinator = makeCoordinator({
      ...this.#options,
      settings: this.#configuration.settings,
      codecs: this.#codecs,
      cluster,
      partitions,
    }))
    coordinator.start()
    this.#parts.backlogs = watchGroups({
      ...this.#options,
      settings: this.#configuration.settings,
      insight: this.#insight,
      cluster,
      partitions,
      coordinator,
    })
    const handlers = makeHandlers({
      ...this.#options,
      configuration: this.#configuration,
      listeners: this.#listeners,
      cluster,
      partitions,
      coordinator,
      readers: this.#insight.readers,
      coldReads: this.#coldReads,
      followerTraffic,
      directory: () => this.#parts.directory,
    })
    const server = (this.#parts.server = this.#makeServer(handlers))
    directory.onPressure(over => server.setPressure(over))
    server.setPressure(directory.isOverDirtyBudget)
    // Before producers fill it again.
    if (wasFull) await this.#applyRetention()
    await server.start()
    this.#parts.privateListener?.serve(handlers.all())
    this.#options.metrics.attach({ brokers: () => [ownNumbers(nodeId, this.#listeners, server)] })
    this.#parts.inSync = followInSync(cluster, nodeId)
    cluster.setReady()
  }

  /** Once; among other brokers before this start is registered, because the registration tells what was found. */
  async #openLogs(cluster: OpenedCluster, disk: OwnDisk): Promise<OwnLogs> {
    const { directory: open, partitions: known } = this.#parts
    if (open !== undefined && known !== undefined) return { directory: open, partitions: known }
    this.#notReadyReason = 'The data directory is being opened.'
    const directory = (this.#parts.directory = await disk.open(cluster, {
      codecs: this.#codecs,
      compactionLane: this.#options.compactionLane,
      committedOffset: id => this.#parts.partitions?.findById(id)?.highWatermark ?? 0,
    }))
    const partitions = (this.#parts.partitions = makePartitions({
      ...this.#options,
      configuration: this.#configuration,
      directory,
      cluster,
    }))
    attachLogs(this.#options.metrics, directory, partitions)
    this.#notReadyReason = 'Logs are being recovered.'
    this.#takeConfigs(cluster.image)
    partitions.apply(cluster.image)
    cluster.onImage((image, records) => {
      if (this.#takeConfigs(image)) partitions.reconfigure()
      partitions.apply(image, records)
    })
    return { directory, partitions }
  }

  /** What this start tells the controller of its disk. */
  async #facts(cluster: OpenedCluster, disk: OwnDisk): Promise<StartFacts> {
    this.#parts.peerService = cluster.peerService
    const { directory, partitions } = await this.#openLogs(cluster, disk)
    await partitions.settled()
    const { identity, startClass, damaged, beat } = directory
    return {
      directoryId: identity.directoryId,
      startClass,
      damaged: damaged.map(({ topicId, partition: index }) => ({ topicId, index })),
      beat: beat.found,
    }
  }

  #applyRetention(): Promise<void> {
    return this.#retentionRounds.run(this.#parts.partitions?.all() ?? [])
  }

  /** In the reverse order of their start: whoever uses something ends before it. */
  async #close(): Promise<void> {
    const { server, coordinator, cluster, directory, partitions, privateListener, disk } =
      this.#parts
    this.#parts.fetchers?.stop()
    this.#parts.backlogs?.stop()
    this.#parts = {}
    partitions?.stop()
    // Members that wait for a rebalance would keep the server waiting for their answers.
    coordinator?.stop()
    await Promise.all([server?.stop(), privateListener?.stop()])
    await cluster?.stop()
    await directory?.close()
    disk?.close()
  }

  #listenPrivately(): Promise<PrivateListener | null> {
    const { env, metrics, logger, fatal } = this.#options
    const { settings } = this.#configuration
    return PrivateListener.start({
      env,
      settings,
      metrics,
      logger,
      fatal,
      coldGate: this.#coldReads,
      connectionClosed: id => {
        this.#insight.readers.closeConnection(id)
        this.#parts.peerService?.office?.connectionClosed(id)
      },
      status: () => this.status,
      metadataSequence: () => this.#parts.cluster?.image.sequence ?? -1,
    })
  }

  #makeDisk(): OwnDisk {
    const { settings } = this.#configuration
    return new OwnDisk({
      ...this.#options,
      settings,
      openObjects: () => this.#openObjects(),
      onWait: message => (this.#notReadyReason = message),
    })
  }

  #openObjects(): NamedObjects {
    const { env, openObjects: open = openObjects } = this.#options
    return open({ env, settings: this.#configuration.settings })
  }

  async #startCluster(disk: OwnDisk): Promise<Cluster> {
    const { env, fatal, logger, openStore: open = openStore } = this.#options
    const { settings } = this.#configuration
    const copy = disk.openCopy()
    const cluster = await makeCluster({
      ...this.#options,
      configuration: this.#configuration,
      listeners: this.#listeners,
      store: await open({
        env,
        settings,
        openObjects: () => this.#openObjects(),
        warn: (text, fields) => logger.warn(fields, text),
        makeRoom: disk.makeRoom,
      }),
      copy,
      privateListener: this.privateListener,
      onWait: message => (this.#notReadyReason = message),
      isGone: () => this.#parts.disk !== disk,
      facts: opened => this.#facts(opened, disk),
      // Also of a broker that runs, when its store comes back. What the disk fails at, it tells itself.
      registered: epoch => void this.#parts.directory?.registered(epoch).catch(() => {}),
      beat: () => this.#parts.directory?.beat.value ?? 0,
    })
    cluster.onFailure(fatal)
    this.#takeConfigs(cluster.image)
    return cluster
  }

  /** Puts settings in force that were changed while a broker ran; tells whether there is anything new. */
  #takeConfigs(image: MetadataImage): boolean {
    const { logger } = this.#options
    const own = image.brokerConfigs(this.#configuration.settings.nodeId)
    const change = this.#configuration.take({ own, common: image.brokerConfigs(null) })
    if (change === null) return false
    const { changed, unusable } = change
    if (unusable.length > 0)
      logger.warn({ unusable }, 'Settings in the metadata log are not usable')
    if (Object.keys(changed).length > 0) logger.info({ settings: changed }, 'Settings changed')
    return true
  }

  #makeServer(handlers: HandlerTable): Server {
    const { env, logger, metrics, fatal } = this.#options
    return new Server({
      clock: env.clock,
      network: env.network,
      settings: this.#configuration.settings,
      listeners: this.#listeners,
      handlers,
      metrics,
      logger,
      fatal,
      coldGate: this.#coldReads,
      connectionClosed: id => this.#insight.readers.closeConnection(id),
    })
  }
}

/** What is up so far. */
interface Parts extends StatusParts {
  privateListener?: PrivateListener | null
  disk?: OwnDisk
  /** As soon as the cluster is known, and before this broker is registered in it. */
  peerService?: PeerService
  fetchers?: Fetchers
  coordinator?: Coordinator
  backlogs?: ReturnType<typeof watchGroups>
  server?: Server
}

type OwnLogs = Required<Pick<Parts, 'directory' | 'partitions'>>
