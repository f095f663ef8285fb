import { posix } from 'node:path'
import type { Env, Timer } from '../env/env.ts'
import { makeCoordinator } from './make-coordinator.ts'
import { makePartitions } from './make-partitions.ts'
import { probesOf, statusDocument, statusOf } from './broker-status.ts'
import { Cluster } from './cluster/cluster.ts'
import { tellStandAlone } from './tell-stand-alone.ts'
import type { NamedObjects } from '../kubernetes/named-objects.ts'
import { clusterOptions } from './cluster-options.ts'
import { ColdReads } from './cold-lane/cold-reads.ts'
import { resolveListeners, type ListenerAddress } from './config/listeners.ts'
import { LiveConfiguration } from './config/live-configuration.ts'
import type { Configuration } from './config/settings.ts'
import type { Coordinator } from './coordinator/coordinator.ts'
import { mendInternalTopics } from './coordinator/internal-topics.ts'
import { Endpoints } from './handlers/endpoints.ts'
import { FetchSessionCache, sessionPartitionsMax } from './handlers/fetch/sessions/session-cache.ts'
import type { HandlerTable } from './handlers/handler.ts'
import { handlerTable } from './handlers/index.ts'
import { Insight } from './insight/insight.ts'
import { attachLogs, ownNumbers } from './broker-metrics.ts'
import { createCodecs, type Codecs } from './log/compression/codecs.ts'
import { makeRoom } from './log/directory/ballast.ts'
import type { LogDirectory, LogDirectoryOptions } from './log/directory/log-directory.ts'
import { RetentionRounds } from './retention-round.ts'
import type { MetadataImage } from './metadata/image.ts'
import { openObjects, openStore } from './open-store.ts'
import { OwnDisk } from './own-disk.ts'
import type { Partitions } from './partition/partitions.ts'
import { PrivateListener } from './private-listener.ts'
import { Server, type BoundListener } from './server/server.ts'
import type { BrokerStatus } from './handlers/10000-broker-status.ts'
import type { Probes } from './telemetry/http.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface BrokerOptions {
  readonly env: Env
  readonly configuration: Configuration
  readonly logger: Logger
  readonly metrics: Metrics
  /** Tells one life of the kernel from the next (/proc/sys/kernel/random/boot_id). */
  readonly bootId: string
  /** Absolute; what a relative `log.dirs` is relative to. */
  readonly workingDirectory: string
  /** Of the software. */
  readonly version: string
  /** The machine's name, for clients of listeners at every address. */
  readonly hostName: string
  /** How the Kubernetes API is reached, where the settings want it. Default: over HTTPS. */
  readonly openObjects?: typeof openObjects
  /** The place of the metadata log. Default: the one that the settings name. */
  readonly openStore?: typeof openStore
  /** Where logs are compacted. Default: in a thread. */
  readonly compactionLane?: LogDirectoryOptions['compactionLane']
  /** Nothing may go on: a broken invariant, or a data directory that failed for good. */
  readonly fatal: (error: unknown) => void
}

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
    const { nodeId } = this.#configuration.settings
    const { version } = this.#options
    const facts = {
      brokerId: nodeId,
      version,
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
      directory: () => this.#parts.directory,
      notReadyReason: () => this.#notReadyReason,
      standsAlone: () => this.#parts.cluster?.standsAlone ?? null,
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
    const { env } = this.#options
    try {
      this.#notReadyReason = 'The metadata log is being opened.'
      this.#parts.privateListener = await this.#listenPrivately()
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
    await this.#close()
  }

  async #serve(cluster: Cluster, disk: OwnDisk, wasFull: boolean): Promise<void> {
    const { logger } = this.#options
    const { nodeId } = this.#configuration.settings
    await mendInternalTopics(cluster, (message, fields) => logger.warn(fields, message))
    const directory = (this.#parts.directory = await disk.open(cluster, {
      codecs: this.#codecs,
      compactionLane: this.#options.compactionLane,
      committedOffset: id => this.#parts.partitions?.findById(id)?.highWatermark ?? 0,
    }))
    await disk.recorded(directory)
    const partitions = (this.#parts.partitions = makePartitions({
      ...this.#options,
      configuration: this.#configuration,
      directory,
      cluster,
    }))
    attachLogs(this.#options.metrics, directory, partitions)
    this.#notReadyReason = 'Logs are being recovered.'
    partitions.apply(cluster.image)
    cluster.onImage((image, records) => {
      if (this.#takeConfigs(image)) partitions.reconfigure()
      partitions.apply(image, records)
      this.#noteRegistration(cluster, directory)
    })
    this.#noteRegistration(cluster, directory)
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
    this.#watchGroups({ cluster, partitions, coordinator })
    const handlers = this.#makeHandlers({ cluster, partitions, coordinator })
    const server = (this.#parts.server = this.#makeServer(handlers))
    directory.onPressure(over => server.setPressure(over))
    server.setPressure(directory.isOverDirtyBudget)
    // Before producers fill it again.
    if (wasFull) await this.#applyRetention()
    await server.start()
    this.#parts.privateListener?.serve(handlers.all())
    this.#options.metrics.attach({ brokers: () => [ownNumbers(nodeId, this.#listeners, server)] })
  }

  /** The store may come back while the broker runs, and it is registered then. What the disk fails at, it tells itself. */
  #noteRegistration({ registration }: Cluster, directory: LogDirectory): void {
    directory.registered(registration.now).catch(() => {})
  }

  #applyRetention(): Promise<void> {
    return this.#retentionRounds.run(this.#parts.partitions?.all() ?? [])
  }

  /** In the reverse order of their start: whoever uses something ends before it. */
  async #close(): Promise<void> {
    const { server, coordinator, cluster, directory, partitions, privateListener, disk } =
      this.#parts
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
      connectionClosed: id => this.#insight.readers.closeConnection(id),
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
    const { env, fatal, metrics, logger, openStore: open = openStore } = this.#options
    const { settings } = this.#configuration
    const copy = disk.openCopy()
    const cluster = await Cluster.start({
      ...clusterOptions(this.#configuration, this.#listeners),
      env,
      store: await open({
        env,
        settings,
        openObjects: () => this.#openObjects(),
        warn: (text, fields) => logger.warn(fields, text),
      }),
      ...(copy === undefined ? {} : { copy }),
      onStandAlone: reason => tellStandAlone(logger, reason),
    })
    cluster.onFailure(fatal)
    metrics.attach({
      isMetadataWaiting: () => cluster.isWaiting,
      isMetadataQuarantined: () => cluster.standsAlone?.kind === 'quarantine',
    })
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

  #makeHandlers({ cluster, partitions, coordinator }: Served): HandlerTable {
    const { env, metrics, workingDirectory } = this.#options
    const configuration = this.#configuration
    const endpoints = new Endpoints({
      brokerId: configuration.settings.nodeId,
      listeners: this.#listeners,
      tellsLoopback: configuration.settings.advertisedListenersLoopbackEnable,
      image: () => cluster.image,
    })
    const slots = configuration.settings.maxIncrementalFetchSessionCacheSlots
    const limits = { slots, partitionsMax: sessionPartitionsMax }
    const fetchSessions = new FetchSessionCache({ ...limits, random: env.random })
    metrics.attach({ fetchSessions: () => fetchSessions })
    return handlerTable({
      env,
      configuration,
      cluster,
      partitions,
      coordinator,
      endpoints,
      readers: this.#insight.readers,
      fetchSessions,
      coldReads: this.#coldReads,
      logDir: posix.resolve(workingDirectory, configuration.settings.logDirs),
      space: () =>
        this.#parts.directory?.failure === null
          ? env.disk.space(configuration.settings.logDirs)
          : null,
    })
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

  #watchGroups({ cluster, partitions, coordinator }: Served): void {
    const insight = this.#insight
    const hasTopic = (name: string): boolean => cluster.image.topicByName(name) !== undefined
    insight.watch({ coordinator, partitions, hasTopic })
    const seriesMax = this.#configuration.settings.metricsGroupSeriesMax
    if (seriesMax === 0) return
    this.#options.metrics.attach({
      groups: () => insight.groups(),
      lags: () => insight.lags(),
      committed: () => insight.committed(),
      groupSeriesMax: () => seriesMax,
    })
  }
}

/** What is up so far. */
interface Parts {
  privateListener?: PrivateListener | null
  disk?: OwnDisk
  cluster?: Cluster
  directory?: LogDirectory
  partitions?: Partitions
  coordinator?: Coordinator
  server?: Server
}

type Served = Required<Pick<Parts, 'cluster' | 'partitions' | 'coordinator'>>
