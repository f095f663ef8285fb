import type { Env } from '../../../env/env.ts'
import type { Uuid } from '../../../lib/uuid.ts'
import type { CleanLine, Trust } from './context.ts'
import { readSealed, writeSealed } from '../segment/sealed-file.ts'

/**
 * What kind of end the last run had (reliability.md 3.1): A stopped cleanly, B the process died, C the kernel
 * died or nobody knows, C-acked as C but everything acknowledged had been flushed, D nothing was there.
 */
export type StartClass = 'A' | 'B' | 'C' | 'C-acked' | 'D'

/** Whose a data directory is (reliability.md 3.2). */
export interface Identity {
  readonly clusterId: string
  readonly brokerId: number
  readonly directoryId: Uuid
  /** It was empty when it was opened. */
  readonly isNew: boolean
}

export interface Run {
  readonly clusterId: string
  readonly brokerId: number
  readonly directoryId: string
  /** The registration that the run had; -1 before the first. */
  readonly brokerEpoch: number
  readonly bootId: string
  readonly startedAtMs: number
  readonly fileSystemId: string
  /** Every log of the run flushed before it acknowledged. */
  readonly onlyAckSince: boolean
}

export interface StartOptions {
  readonly env: Env
  readonly path: string
  readonly identity: Identity
  /** The running kernel's; empty where it is not known. */
  readonly bootId: string
  /** The last epoch that the cluster registered for this broker; null where nobody knows. */
  readonly brokerEpoch: number | null
}

export interface Start {
  readonly startClass: StartClass
  /** For the log: why not better. */
  readonly reason: string
  readonly cleanLines: Readonly<Record<string, CleanLine>>
  readonly run: Run
}

/**
 * Finds out how the last run ended and begins a new one: the clean marker goes first (KAFKA-10471), then
 * `run.json` is written, both durably, before anything else happens. @throws DiskError
 */
export async function beginRun(options: StartOptions): Promise<Start> {
  const { env, path, identity, bootId, brokerEpoch } = options
  const { disk } = env
  const marker = readMarker(options)
  const before = readSealed(place(options, 'run')) as Partial<Run> | null
  const fileSystemId = disk.fileSystem(path).id
  const found = classify(options, { marker, before, fileSystemId })
  if (disk.stat(`${path}/clean.json`) !== null) {
    disk.unlink(`${path}/clean.json`)
    await disk.syncDirectory(path)
  }
  const { clusterId, brokerId, directoryId } = identity
  const run = {
    clusterId,
    brokerId,
    directoryId,
    brokerEpoch: brokerEpoch ?? -1,
    bootId,
    startedAtMs: env.clock.now(),
    fileSystemId,
    onlyAckSince: false,
  }
  await writeSealed(place(options, 'run'), run)
  return { ...found, cleanLines: found.startClass === 'A' ? (marker?.logs ?? {}) : {}, run }
}

/** Says how far a log's files can be believed at a start of this class. */
export function trustOf(startClass: StartClass): Trust {
  switch (startClass) {
    case 'A':
      return 'clean'
    case 'B':
      return 'process-died'
    case 'C':
    case 'C-acked':
    case 'D':
      return 'machine-died'
  }
}

/** Replaces `run.json`, for a new registration or another policy. @throws DiskError */
export async function writeRun(
  options: Pick<StartOptions, 'env' | 'path'>,
  run: Run,
): Promise<void> {
  await writeSealed(place(options, 'run'), run)
}

/** Says that everything is flushed and nobody is at work here. @throws DiskError */
export async function writeMarker(
  options: Pick<StartOptions, 'env' | 'path'>,
  { clusterId, brokerId, directoryId, brokerEpoch }: Run,
  lines: ReadonlyMap<string, CleanLine>,
): Promise<void> {
  const logs = Object.fromEntries(
    Array.from(lines, ([name, { endOffset, lastEpoch, activeBase, activeBytes }]) => [
      name,
      [endOffset, lastEpoch, activeBase, activeBytes],
    ]),
  )
  await writeSealed(place(options, 'clean'), {
    clusterId,
    brokerId,
    directoryId,
    brokerEpoch,
    logs,
  })
}

interface Marker {
  readonly directoryId: string
  readonly brokerEpoch: number
  readonly logs: Readonly<Record<string, CleanLine>>
}

function classify(
  { identity, bootId, brokerEpoch }: StartOptions,
  found: {
    readonly marker: Marker | null
    readonly before: Partial<Run> | null
    readonly fileSystemId: string
  },
): Pick<Start, 'startClass' | 'reason'> {
  const { marker, before } = found
  if (identity.isNew) return { startClass: 'D', reason: 'the directory was empty' }
  const isOfEpoch = (epoch: number | undefined) => brokerEpoch === null || epoch === brokerEpoch
  if (
    marker !== null &&
    marker.directoryId === identity.directoryId &&
    isOfEpoch(marker.brokerEpoch)
  ) {
    return { startClass: 'A', reason: 'the last run stopped cleanly' }
  }
  if (before === null) return { startClass: 'C', reason: 'there is no run.json of the last run' }
  const worse = before.onlyAckSince === true ? 'C-acked' : 'C'
  if (before.directoryId !== identity.directoryId)
    return { startClass: 'C', reason: 'run.json is of another directory' }
  if (bootId === '' || before.bootId !== bootId) {
    return { startClass: worse, reason: 'the machine was restarted since the last run' }
  }
  if (before.fileSystemId !== found.fileSystemId) {
    return { startClass: worse, reason: 'the file system was mounted anew since the last run' }
  }
  if (!isOfEpoch(before.brokerEpoch)) {
    return {
      startClass: 'C',
      reason: 'run.json is of an earlier registration: an older disk, or a crash right after it',
    }
  }
  return { startClass: 'B', reason: 'the process died, the kernel lives' }
}

function readMarker(options: StartOptions): Marker | null {
  const body = readSealed(place(options, 'clean')) as Partial<Marker> | null
  if (body === null || typeof body.logs !== 'object') return null
  const logs: Record<string, CleanLine> = {}
  for (const [name, line] of Object.entries(body.logs as unknown as Record<string, number[]>)) {
    const [endOffset = -1, lastEpoch = -1, activeBase = -1, activeBytes = -1] = line
    logs[name] = { endOffset, lastEpoch, activeBase, activeBytes }
  }
  return { directoryId: body.directoryId ?? '', brokerEpoch: body.brokerEpoch ?? -1, logs }
}

function place({ env, path }: Pick<StartOptions, 'env' | 'path'>, kind: 'run' | 'clean') {
  return { disk: env.disk, crc32c: env.crc32c, path: `${path}/${kind}.json`, kind }
}
