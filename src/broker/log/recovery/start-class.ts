import type { Env } from '../../../env/env.ts'
import type { Uuid } from '../../../lib/uuid.ts'
import type { CleanLine, Trust } from './context.ts'
import { readSealed, writeSealed } from '../segment/sealed-file.ts'

/**
 * What kind of end the last run had (durability.md 3.1): A stopped cleanly, B the process died, C the kernel
 * died or nobody knows, C-acked as C but everything acknowledged had been flushed, D nothing was there.
 */
export type StartClass = 'A' | 'B' | 'C' | 'C-acked' | 'D'

/** What told the class, each as a sentence: few and fixed, since a metric has them as a label. */
export const startReasons = {
  empty: 'the directory was empty',
  'stopped-cleanly': 'the last run stopped cleanly',
  'process-died': 'the process died, the kernel lives',
  'no-last-run': 'there is no run.json of the last run',
  'other-directory': 'run.json is of another directory',
  'registration-unknown': 'the last run did not note its registration: an older version wrote it',
  'other-registration':
    'the last run here is not the one that the cluster registered last: an older disk, or a start that failed',
  'machine-restarted': 'the machine was restarted since the last run, or nobody knows',
  'file-system-remounted': 'the file system was mounted anew since the last run',
  'unexpected-damage': 'a process that dies does not leave what was found',
  'start-unregistered': 'an earlier start, of which the cluster never heard, was no better',
} as const

export type StartReason = keyof typeof startReasons

/** This broker's in the cluster. A run is known by its registration, so that an older copy of a disk is found out. */
export interface Registration {
  /** The epoch that was registered last before this start: what the last run must have had. Null where none was. */
  readonly before: number | null
  /** Of this start; null, negative or `before` where it comes later, or never (`LogDirectory.registered`). */
  readonly now: number | null
}

/** Whose a data directory is (durability.md 3.2). */
export interface Identity {
  readonly clusterId: string
  readonly brokerId: number
  readonly directoryId: Uuid
  /** Which disk of its broker; null where nobody counts. */
  readonly incarnation: number | null
  /** It was empty when it was opened. */
  readonly isNew: boolean
}

export interface Run {
  readonly clusterId: string
  readonly brokerId: number
  readonly directoryId: string
  /** The registration that the run had; -1 where no cluster stands behind the directory. */
  readonly brokerEpoch: number
  readonly bootId: string
  readonly startedAtMs: number
  readonly fileSystemId: string
  /** Every log of the run flushed before it acknowledged. */
  readonly onlyAckSince: boolean
  /**
   * The class of the run's start, while no registration stands for it: what it may have lost the next start has lost too. Null
   * when the cluster has heard of it, and where there is none.
   */
  readonly unregistered: StartClass | null
}

export interface StartOptions {
  readonly env: Env
  readonly path: string
  readonly identity: Identity
  /** The running kernel's; empty where it is not known. */
  readonly bootId: string
  /** Null where no cluster stands behind the directory: not compared. */
  readonly registration: Registration | null
}

export interface Start {
  readonly startClass: StartClass
  /** Why not better. */
  readonly reason: StartReason
  readonly cleanLines: Readonly<Record<string, CleanLine>>
  readonly run: Run
}

/**
 * Finds out how the last run ended and begins a new one: the clean marker goes first (KAFKA-10471), then
 * `run.json` is written, both durably, before anything else happens. The cluster hears of the start after logs were recovered,
 * so that `run.json` has the epoch of the last run until then, and the class: what was cut, or was not there, is not found a second
 * time by who starts after a kill. Whoever dies between the registration and its note counts as class C at the next start,
 * which is the safe side. @throws DiskError
 */
export async function beginRun(options: StartOptions): Promise<Start> {
  const { env, path, identity, bootId, registration } = options
  const { disk } = env
  const marker = readMarker(options)
  const before = readSealed(place(options, 'run')) as Partial<Run> | null
  const fileSystemId = disk.fileSystem(path).id
  const found = worst(classify(options, { marker, before, fileSystemId }), before)
  if (disk.stat(`${path}/clean.json`) !== null) {
    disk.unlink(`${path}/clean.json`)
    await disk.syncDirectory(path)
  }
  const { clusterId, brokerId, directoryId } = identity
  const isPending = registration !== null && !isRegistered(registration)
  const run = {
    clusterId,
    brokerId,
    directoryId,
    brokerEpoch: (isPending ? before?.brokerEpoch : registration?.now) ?? -1,
    bootId,
    startedAtMs: env.clock.now(),
    fileSystemId,
    onlyAckSince: false,
    unregistered: isPending ? found.startClass : null,
  }
  await writeSealed(place(options, 'run'), run)
  return { ...found, cleanLines: found.startClass === 'A' ? (marker?.logs ?? {}) : {}, run }
}

function isRegistered({ before, now }: Registration): boolean {
  return now !== null && now >= 0 && now !== before
}

/** From the best to the worst. */
const classes: readonly StartClass[] = ['A', 'B', 'C-acked', 'C', 'D']

/** Those before it, back to the last of which the cluster heard, count as well. */
function worst(found: Found, before: Partial<Run> | null): Found {
  const earlier = before?.unregistered ?? 'A'
  if (classes.indexOf(earlier) <= classes.indexOf(found.startClass)) return found
  return { startClass: earlier, reason: 'start-unregistered' }
}

/** Something else is true of the run from now on. @throws DiskError */
export async function continueRun(
  options: Pick<StartOptions, 'env' | 'path'>,
  before: Run,
  changes: Partial<Pick<Run, 'brokerEpoch' | 'unregistered' | 'onlyAckSince'>>,
): Promise<Run> {
  const run = { ...before, ...changes }
  await writeSealed(place(options, 'run'), run)
  return run
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

type Found = Pick<Start, 'startClass' | 'reason'>

interface Marker {
  readonly directoryId: string
  readonly brokerEpoch: number
  readonly logs: Readonly<Record<string, CleanLine>>
}

function classify(
  { identity, bootId, registration }: StartOptions,
  found: {
    readonly marker: Marker | null
    readonly before: Partial<Run> | null
    readonly fileSystemId: string
  },
): Found {
  const { marker, before } = found
  const is = (startClass: StartClass, reason: StartReason) => ({ startClass, reason })
  if (identity.isNew) return is('D', 'empty')
  const { directoryId } = identity
  const isOfLast = (epoch: number | undefined) =>
    registration === null || epoch === registration.before
  if (marker?.directoryId === directoryId && isOfLast(marker.brokerEpoch)) {
    return is('A', 'stopped-cleanly')
  }
  if (before === null) return is('C', 'no-last-run')
  if (before.directoryId !== directoryId) return is('C', 'other-directory')
  if (!isOfLast(before.brokerEpoch)) {
    const isKnown = (before.brokerEpoch ?? -1) >= 0
    return is('C', isKnown ? 'other-registration' : 'registration-unknown')
  }
  const worse = before.onlyAckSince === true ? 'C-acked' : 'C'
  if (bootId === '' || before.bootId !== bootId) return is(worse, 'machine-restarted')
  if (before.fileSystemId !== found.fileSystemId) return is(worse, 'file-system-remounted')
  return is('B', 'process-died')
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
