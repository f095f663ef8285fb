import { readWhole, replaceFile } from '../../../env/disk.ts'
import { DiskError, type Disk, type DiskLock, type Env } from '../../../env/env.ts'
import { randomUuid } from '../../../env/random.ts'
import { present } from '../../../lib/assert.ts'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { isWholeNumber } from '../../../lib/whole-number.ts'
import { isLogDirectoryName } from '../log-id.ts'
import type { Identity } from '../recovery/start-class.ts'
import { readSealed } from '../segment/sealed-file.ts'
import { DirectoryError } from './error.ts'

/** What `meta.properties` says. */
export interface DirectoryProperties {
  readonly clusterId: string
  readonly brokerId: number
  readonly directoryId: string
  /** Which disk of its broker this is; null where nobody counted when it was formatted. */
  readonly incarnation: number | null
  /** False: formatted by a permission that may still be there, so nothing may be acknowledged yet. */
  readonly isRecorded: boolean
  /** The directory has a list of its logs; an older version kept none. */
  readonly listsLogs: boolean
}

/** A directory that this process holds. */
export interface Claim {
  readonly lock: DiskLock
  /** null where it is empty. */
  readonly found: DirectoryProperties | null
}

type Place = Pick<Env, 'disk'> & { readonly path: string }

/**
 * Takes a data directory for this process, made where it is missing, and reads whose it is.
 * @throws DirectoryError where another process has it, where it failed, is damaged or read-only
 */
export async function claimDirectory(env: Env, path: string): Promise<Claim> {
  const lock = await lockDirectory(env, path)
  try {
    refuseFailed(env, path)
    return { lock, found: readProperties({ ...env, path }) }
  } catch (error) {
    lock.release()
    throw error instanceof DiskError ? unusable(path, error) : error
  }
}

/** Makes the directory where it is missing, durably, and takes its lock. @throws DirectoryError */
async function lockDirectory({ disk }: Env, path: string): Promise<DiskLock> {
  try {
    await makeDurably(disk, path)
    return disk.lock(`${path}/lock`)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (error.code === 'ELOCKED') {
      const message = `Another process has the data directory ${path} open. Stop it, or give this broker a directory of its own (log.dirs).`
      throw new DirectoryError('locked', path, message)
    }
    throw unusable(path, error)
  }
}

async function makeDurably(disk: Disk, path: string): Promise<void> {
  const made: string[] = []
  for (let step = path; disk.stat(step) === null; step = parentOf(step)) made.push(step)
  disk.mkdir(path)
  for (const step of made) await disk.syncDirectory(parentOf(step))
  if (made.length > 0 || disk.stat(`${path}/meta.properties`) !== null) return
  // A process that died may have made the directory, and any of those above it, without getting here.
  for (let step = path; parentOf(step) !== step; step = parentOf(step)) {
    try {
      await disk.syncDirectory(parentOf(step))
    } catch (error) {
      // Where we may not even look we did not make anything either; nor where directories cannot be synced.
      if (error instanceof DiskError && error.code !== 'EIO') return
      throw error
    }
  }
}

function parentOf(path: string): string {
  const slash = path.replace(/\/+$/, '').lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

export interface IdentityOptions {
  readonly env: Env
  readonly path: string
  readonly clusterId: string
  readonly brokerId: number
  /** Of the permission to format; null where nobody counts. */
  readonly incarnation?: number | null
}

/** Whose the directory is; an empty one becomes ours. @throws DirectoryError where it is somebody else's */
export async function identify(
  options: IdentityOptions,
  found: DirectoryProperties | null,
): Promise<Identity> {
  const { env, path, clusterId, brokerId, incarnation = null } = options
  if (found !== null) return checked(options, found)
  const directoryId = randomUuid(env.random)
  const isRecorded = incarnation === null
  const own = { clusterId, brokerId, directoryId, incarnation, isRecorded, listsLogs: true }
  await writeProperties({ disk: env.disk, path }, own)
  return { clusterId, brokerId, directoryId, incarnation, isNew: true }
}

/** null where the directory is empty. @throws DirectoryError where it holds logs and does not say whose, DiskError */
export function readProperties({ disk, path }: Place): DirectoryProperties | null {
  const bytes = readWhole(disk, `${path}/meta.properties`)
  if (bytes !== null) return understood(path, parseProperties(bytes))
  const logs = disk.list(path).filter(isLogDirectoryName)
  if (logs.length === 0) return null
  const message = `${path} holds logs (${logs[0]} and ${logs.length - 1} more) but no meta.properties, which says whose they are. Restore that file, or point log.dirs elsewhere.`
  throw new DirectoryError('foreign', path, message)
}

/** @throws DiskError */
export async function writeProperties(
  { disk, path }: Place,
  properties: DirectoryProperties,
): Promise<void> {
  const { clusterId, brokerId, directoryId, incarnation, isRecorded, listsLogs } = properties
  const lines = [
    'version=1',
    `cluster.id=${clusterId}`,
    `node.id=${brokerId}`,
    `directory.id=${directoryId}`,
    ...(listsLogs ? ['log.list=1'] : []),
    ...(incarnation === null ? [] : [`incarnation=${incarnation}`, `recorded=${isRecorded}`]),
  ]
  await replaceFile(disk, `${path}/meta.properties`, utf8(`${lines.join('\n')}\n`))
}

/** Whoever records disks has this one, as its broker's disk of that incarnation. @throws DiskError */
export async function noteRecorded(place: Place, incarnation: number | null): Promise<void> {
  const own = present(readProperties(place), 'a directory in use says whose it is')
  if (incarnation === null || own.isRecorded) return
  await writeProperties(place, { ...own, incarnation, isRecorded: true })
}

/** Something that the operating system refuses: read-only, no rights, not a directory. */
export function unusable(path: string, error: DiskError): DirectoryError {
  const message = `The data directory ${path} cannot be used: ${error.message}. It must be a directory that this process may read and write.`
  return new DirectoryError('unusable', path, message)
}

/** 3.4: after a failed fsync nobody knows what the device holds, whatever the page cache shows. */
function refuseFailed(env: Env, path: string): void {
  const file = `${path}/failed.json`
  if (env.disk.stat(file) === null) return
  const body = readSealed({ disk: env.disk, crc32c: env.crc32c, path: file, kind: 'failed' })
  const {
    operation = 'a write',
    path: where = path,
    code = 'an error',
  } = (body ?? {}) as Record<string, string>
  const message = `The data directory ${path} failed in an earlier run: ${operation} of ${where} gave ${code}. Check the device, unmount and mount it again (or reboot), then remove ${file} to use what is left.`
  throw new DirectoryError('failed', path, message)
}

function checked(
  { path, clusterId, brokerId }: IdentityOptions,
  found: DirectoryProperties,
): Identity {
  if (found.clusterId !== clusterId || found.brokerId !== brokerId) {
    const message = `The data directory ${path} belongs to broker ${found.brokerId} of cluster ${found.clusterId}; this is broker ${brokerId} of cluster ${clusterId}. Point log.dirs to this broker's directory, or correct node.id.`
    throw new DirectoryError('foreign', path, message)
  }
  const { directoryId, incarnation } = found
  return { clusterId, brokerId, directoryId, incarnation, isNew: false }
}

/** @throws DirectoryError `damaged` */
function understood(path: string, found: Properties): DirectoryProperties {
  const { version, 'cluster.id': clusterId, 'node.id': node, 'directory.id': directoryId } = found
  const { incarnation, recorded, 'log.list': list } = found
  const isWhole =
    version === '1' &&
    clusterId !== undefined &&
    isWholeNumber(node) &&
    directoryId !== undefined &&
    (incarnation === undefined || isWholeNumber(incarnation))
  if (!isWhole) {
    const message = `${path}/meta.properties is damaged: it must have version=1, cluster.id, node.id and directory.id. Restore it from a backup.`
    throw new DirectoryError('damaged', path, message)
  }
  return {
    clusterId,
    brokerId: Number(node),
    directoryId,
    incarnation: incarnation === undefined ? null : Number(incarnation),
    isRecorded: recorded !== 'false',
    listsLogs: list !== undefined,
  }
}

type Properties = Readonly<Record<string, string | undefined>>

function parseProperties(bytes: Uint8Array): Properties {
  const found: Record<string, string> = {}
  let text: string
  try {
    text = fromUtf8(bytes)
  } catch {
    return found
  }
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0 && !line.startsWith('#')) found[line.slice(0, at).trim()] = line.slice(at + 1).trim()
  }
  return found
}
