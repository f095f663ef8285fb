import { DiskError, type Disk, type Env } from '../../../env/env.ts'
import {
  isLogDirectoryName,
  logDirectoryName,
  logKey,
  readLogId,
  topicIdOf,
  type LogId,
} from '../log-id.ts'
import { isPassing } from '../shortage.ts'
import { readSealed, writeSealed } from '../segment/sealed-file.ts'
import { parseSegmentName } from '../segment/segment.ts'

/** A log's directory as it was found at start. */
export interface FoundLog {
  readonly id: LogId
  readonly name: string
  /** Why it cannot be opened as it is; null where nothing is wrong. */
  readonly damage: string | null
}

/** The log directories in a data directory, by `logKey`. What was never finished goes, unless it `isKept`. */
export function findLogs(
  { disk, crc32c }: Env,
  path: string,
  isKept: (name: string) => boolean,
): Map<string, FoundLog> {
  const found = new Map<string, FoundLog>()
  for (const name of disk.list(path).filter(isLogDirectoryName)) {
    const log = lookInto({ disk, crc32c }, `${path}/${name}`, name)
    if (log === null) continue
    if (log.isEmpty && !isKept(name)) void removeTree(disk, `${path}/${name}`)
    else found.set(logKey(log.id), log)
  }
  return found
}

interface LookedInto extends FoundLog {
  /** It does not say whose it is, and holds no record. */
  readonly isEmpty: boolean
}

/** Null where it is no directory. One that cannot be read keeps no other from being served (durability.md 3.4). */
function lookInto(
  env: Pick<Env, 'disk' | 'crc32c'>,
  folder: string,
  name: string,
): LookedInto | null {
  const { disk } = env
  const file = `${folder}/partition.json`
  // Whose it is may be told by its name alone.
  const damaged = { id: idOfName(name), name, isEmpty: false }
  try {
    if (!disk.stat(folder)?.isDirectory) return null
    const id = readLogId(readSealed({ ...env, path: file, kind: 'partition' }))
    if (id !== null && logDirectoryName(id) === name)
      return { id, name, damage: null, isEmpty: false }
    const damage = `${file} is missing, damaged or of another log: restore it, or move the directory away.`
    return { ...damaged, damage, isEmpty: id === null && !holdsRecords(disk, folder) }
  } catch (error) {
    if (!(error instanceof DiskError) || isPassing(error)) throw error
    const remedy = `check the device and the rights of ${folder}, or restore it from a copy, and start the broker again.`
    return { ...damaged, damage: `${error.message}: ${remedy}` }
  }
}

/** Makes a log's directory, with its identity, durably. @throws DiskError */
export async function makeLogFolder(
  { disk, crc32c }: Env,
  path: string,
  id: LogId,
): Promise<string> {
  const name = logDirectoryName(id)
  const folder = `${path}/${name}`
  if (disk.stat(folder) !== null) await removeTree(disk, folder)
  // It would be made too, and look as if it had never been gone.
  if (disk.stat(path) === null) throw new DiskError('mkdir', path, 'ENOENT')
  disk.mkdir(folder)
  const { topicId, topic, partition } = id
  const body = { topicId, topic, partition }
  await writeSealed({ disk, crc32c, path: `${folder}/partition.json`, kind: 'partition' }, body)
  await disk.syncDirectory(path)
  return name
}

/** Renames a log's directory out of service, durably; returns the new path. @throws DiskError */
export async function renameLogFolder(
  disk: Disk,
  path: string,
  name: string,
  suffix: 'deleted' | 'stray',
): Promise<string> {
  let to = `${path}/${name}.${suffix}`
  for (let again = 1; disk.stat(to) !== null; again++) to = `${path}/${name}.${suffix}.${again}`
  disk.rename(`${path}/${name}`, to)
  await disk.syncDirectory(path)
  return to
}

/** A name that `renameLogFolder` gives. Others are a stranger's, and left alone. */
function isOutOfService(name: string, suffix: 'deleted' | 'stray'): boolean {
  const log = new RegExp(`^(.+)\\.${suffix}(\\.\\d+)?$`).exec(name)?.[1]
  return log !== undefined && isLogDirectoryName(log)
}

/** The names of logs that were set aside. */
export function straysOf(disk: Disk, path: string): string[] {
  return disk.list(path).filter(name => isOutOfService(name, 'stray'))
}

/** Removes what an earlier run was removing, one log after the other. */
export async function removeLeftovers(disk: Disk, path: string): Promise<void> {
  for (const name of disk.list(path)) {
    if (isOutOfService(name, 'deleted')) await removeTree(disk, `${path}/${name}`)
  }
}

/** Removes a directory of files, off the event loop. What cannot be removed stays until the next start, and holds up nothing else. */
export async function removeTree(disk: Disk, path: string): Promise<void> {
  try {
    for (const name of disk.list(path)) await removeFile(disk, `${path}/${name}`)
    disk.rmdir(path)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}

async function removeFile(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlinkAsync(path)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}

function holdsRecords(disk: Disk, folder: string): boolean {
  return disk
    .list(folder)
    .some(
      name => parseSegmentName(name, 'log') !== null && disk.stat(`${folder}/${name}`)!.size > 0,
    )
}

function idOfName(name: string): LogId {
  const dot = name.lastIndexOf('.')
  const dash = name.lastIndexOf('-', dot)
  return {
    topicId: topicIdOf(name),
    topic: name.slice(0, dash),
    partition: Number(name.slice(dash + 1, dot)),
  }
}
