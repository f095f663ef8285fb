import type { Env } from '../env/env.ts'
import type { MakeRoom } from '../env/with-room.ts'
import { tellFailedDirectory } from './cluster/tell-failed-directory.ts'
import type { OpenedCluster } from './cluster/peer-service.ts'
import type { Settings } from './config/settings.ts'
import type { Admission } from './identity/admission.ts'
import { ConfigMapSource } from './identity/config-map-source.ts'
import { DiskGuard, type IdentitySource } from './identity/disk-guard.ts'
import { spareRoom } from './log/directory/ballast.ts'
import {
  claimDirectory,
  noteRecorded,
  readProperties,
  type Claim,
} from './log/directory/identity.ts'
import { LogDirectory, type LogDirectoryOptions } from './log/directory/log-directory.ts'
import type { LogId } from './log/log-id.ts'
import { startReasons } from './log/recovery/start-class.ts'
import { MetadataCopy } from './metadata/copy/metadata-copy.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { NamedObjects } from '../kubernetes/named-objects.ts'
import { isSoleStore } from './open-store.ts'
import type { Logger } from './telemetry/logger.ts'

export interface OwnDiskOptions {
  readonly env: Env
  readonly settings: Settings
  readonly bootId: string
  readonly logger: Logger
  readonly fatal: (error: unknown) => void
  /** The Kubernetes API, for a broker whose disk is recorded there. */
  readonly openObjects: () => NamedObjects
  /** Why the broker waits, as a sentence. */
  readonly onWait: (message: string) => void
}

/**
 * The disk that a broker stands on: taken, let in by whoever records disks, and opened. Nothing is written to it before it
 * is known to be this broker's, and nothing is served from it before it is recorded (durability.md 3.2).
 */
export class OwnDisk {
  readonly #options: OwnDiskOptions
  readonly #objects: NamedObjects | null
  readonly #source: IdentitySource
  readonly #guard: DiskGuard
  #copy: MetadataCopy | null = null
  #isCopyAwaited = false
  /** The lock is this one's; null before it is taken, and when a directory has it. */
  #claim: Claim | null = null
  #admission: Admission | null = null

  constructor(options: OwnDiskOptions) {
    const { env, settings } = options
    this.#options = options
    const { identityConfigMap: name } = settings
    this.#objects = name === '' ? null : options.openObjects()
    this.#source = this.#objects === null ? nobody : new ConfigMapSource(this.#objects, name)
    this.#guard = new DiskGuard({
      clock: env.clock,
      source: this.#source,
      claimant: {
        brokerId: settings.nodeId,
        clusterId: settings.clusterId,
        path: settings.logDirs,
      },
      onWait: message => {
        options.logger.warn({ reason: message }, 'Waits for its disk')
        options.onWait(message)
      },
    })
  }

  /** Resolves when the directory is this process's, and may be used. @throws DirectoryError, RefusedDisk */
  async take(): Promise<void> {
    const { env, settings } = this.#options
    this.#claim = await claimDirectory(env, settings.logDirs)
    this.#admission = await this.#guard.admit(this.#claim.found)
  }

  /** This broker's copy of the metadata log; none where the log itself is on this machine. @throws StoreError */
  openCopy(): MetadataCopy | undefined {
    const { env, settings } = this.#options
    if (isSoleStore(settings)) return undefined
    const path = `${settings.logDirs}/metadata.copy`
    const mayFill = (): Promise<boolean> => this.#mayFill()
    return (this.#copy = MetadataCopy.open(env.disk, path, { mayFill, makeRoom: this.makeRoom }))
  }

  /** For what has to be written even where the disk is full. */
  get makeRoom(): MakeRoom {
    const { env, settings, logger } = this.#options
    return spareRoom(env.disk, settings.logDirs, (message, fields) => logger.warn(fields, message))
  }

  /**
   * Sequence of the last record of the copy, 0 where there is none, while the metadata store waits for the longest copy that there is;
   * -1 where it does not, as far as this broker has seen.
   */
  get awaitedCopySequence(): number {
    if (!this.#isCopyAwaited) return -1
    return (this.#copy?.cursor?.nextSequence ?? 1) - 1
  }

  /** Of several brokers one has the longest copy, and whoever records disks says who. */
  async #mayFill(): Promise<boolean> {
    const { settings } = this.#options
    if (this.#source === nobody || settings.clusterSize < 2) return true
    this.#isCopyAwaited = true
    const reading = await this.#source.read()
    return reading.kind === 'found' && reading.identity.mayFill === true
  }

  /** @throws DirectoryError */
  async open(
    cluster: OpenedCluster,
    rest: Pick<LogDirectoryOptions, 'codecs' | 'committedOffset' | 'compactionLane'>,
  ): Promise<LogDirectory> {
    const { env, settings, bootId, logger, fatal } = this.#options
    const claim = this.#claim
    this.#claim = null
    const directory = await LogDirectory.open({
      ...rest,
      ...(claim === null ? {} : { claim }),
      path: settings.logDirs,
      env,
      settings,
      clusterId: cluster.image.clusterId,
      brokerId: settings.nodeId,
      incarnation: this.#admission?.type === 'format' ? this.#admission.incarnation : null,
      bootId,
      registration: cluster.registration,
      expected: () => (this.#isAccepted(claim) ? [] : heldBy(settings.nodeId, cluster.image)),
      hooks: { warn: (message, fields) => logger.warn(fields, message) },
    })
    const { path, startClass, startReason: reason } = directory
    const detail = startReasons[reason]
    logger.info({ path, startClass, reason, detail }, 'Opened the data directory')
    directory.onFailure(error => {
      logger.fatal({ error: error.message }, 'The data directory failed')
      // Nothing is served from it meanwhile.
      void tellFailedDirectory(cluster, directory.identity.directoryId).then(() => fatal(error))
    })
    return directory
  }

  /** Resolves when something may be acknowledged on it. @throws RefusedDisk, DiskError */
  async recorded({ path, identity }: LogDirectory): Promise<void> {
    if (this.#admission?.type === 'open') return
    const place = { disk: this.#options.env.disk, path }
    const own = readProperties(place)
    if (own === null || this.#objects === null) return
    await this.#guard.recorded(own)
    await noteRecorded(place, identity.incarnation)
  }

  /** Gives up what no directory has taken over. */
  close(): void {
    this.#guard.stop()
    this.#objects?.close()
    this.#claim?.lock.release()
    this.#claim = null
  }

  /**
   * Whoever permitted to format it knows that nothing is on it. And where the metadata log lies in this very directory, the
   * disk is the one that it was.
   */
  #isAccepted(claim: Claim | null): boolean {
    const { settings } = this.#options
    const isPermitted = this.#admission?.type === 'format' && this.#admission.incarnation !== null
    const isSameDisk = isSoleStore(settings) && settings.metadataLogDir === ''
    if (claim?.found === null) return isPermitted || isSameDisk
    return claim?.found.isRecorded === false
  }
}

/** Nobody records disks. */
const nobody: IdentitySource = { read: () => Promise.resolve({ kind: 'unused' }) }

/** Every partition that the metadata log gives to a broker. */
function* heldBy(brokerId: number, image: MetadataImage): Iterable<LogId> {
  for (const { id: topicId, name: topic, partitions } of image.topics()) {
    for (const { index, replicas } of partitions) {
      if (replicas.includes(brokerId)) yield { topicId, topic, partition: index }
    }
  }
}
