import { type Disk, DiskError } from '../../../../env/disk.ts'
import { isShortage, writeDurably } from '../durable-file.ts'

/**
 * One thing that a process does to a folder that it shares: others see the folder before it or after it. What lies between two
 * steps may take any time, for a process can be stopped there, and is where others come in.
 */
export type Step =
  | { readonly type: 'list'; readonly path: string }
  | { readonly type: 'read'; readonly path: string }
  | { readonly type: 'modifiedMs'; readonly path: string }
  /** A new file of a name that is this process's own, over a left-over. */
  | {
      readonly type: 'write'
      readonly path: string
      readonly content: Uint8Array
      readonly isDurable: boolean
    }
  | { readonly type: 'link'; readonly from: string; readonly to: string }
  | { readonly type: 'unlink'; readonly path: string }
  | { readonly type: 'syncDirectory'; readonly path: string }

type Found = string[] | Uint8Array | number | boolean | null

/** What is decided step by step; `perform` answers each. */
export type Steps<Result> = Generator<Step, Result, Found>

/** Names in a folder, sorted. */
export function* list(path: string): Steps<readonly string[]> {
  return (yield { type: 'list', path }) as string[]
}

/** null where there is no such file, or no longer. */
export function* read(path: string): Steps<Uint8Array | null> {
  return (yield { type: 'read', path }) as Uint8Array | null
}

/** Milliseconds since 1970 by the wall clock; null where there is no such file. */
export function* modifiedMs(path: string): Steps<number | null> {
  return (yield { type: 'modifiedMs', path }) as number | null
}

export function* write(
  path: string,
  content: Uint8Array,
  { isDurable }: { readonly isDurable: boolean },
): Steps<void> {
  yield { type: 'write', path, content, isDurable }
}

/** False: the name is taken. */
export function* link(from: string, to: string): Steps<boolean> {
  return (yield { type: 'link', from, to }) as boolean
}

/** A file that is gone already is no error. */
export function* unlink(path: string): Steps<void> {
  yield { type: 'unlink', path }
}

export function* syncDirectory(path: string): Steps<void> {
  yield { type: 'syncDirectory', path }
}

/** Takes one step after the other; what a step fails with is thrown where it was asked for. */
export async function run<Result>(disk: Disk, steps: Steps<Result>): Promise<Result> {
  let next = steps.next()
  while (next.done !== true) {
    const step = next.value
    try {
      const found = isSlow(step) ? await performSlow(disk, step) : performNow(disk, step)
      next = steps.next(found)
    } catch (error) {
      next = steps.throw(error)
    }
  }
  return next.value
}

type SlowStep = Extract<Step, { readonly type: 'write' | 'syncDirectory' }>

function isSlow(step: Step): step is SlowStep {
  return step.type === 'syncDirectory' || (step.type === 'write' && step.isDurable)
}

async function performSlow(disk: Disk, step: SlowStep): Promise<Found> {
  if (step.type === 'write') await writeDurably(disk, step.path, step.content)
  else await disk.syncDirectory(step.path)
  return null
}

/** What does not wait for the device. @internal */
export function performNow(disk: Disk, step: Step): Found {
  switch (step.type) {
    case 'list':
      return disk.list(step.path)
    case 'read':
      return readIfThere(disk, step.path)
    case 'modifiedMs':
      return disk.stat(step.path)?.modifiedMs ?? null
    case 'link':
      return unlessIt('EEXIST', () => disk.link(step.from, step.to))
    case 'unlink':
      return unlessIt('ENOENT', () => disk.unlink(step.path))
    case 'write':
      return writeNow(disk, step.path, step.content)
    case 'syncDirectory':
      throw new TypeError('a directory is synced by those who can wait')
  }
}

function readIfThere(disk: Disk, path: string): Uint8Array | null {
  let file
  try {
    file = disk.open(path, 'read')
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return null
    throw error
  }
  try {
    const bytes = new Uint8Array(file.size())
    return bytes.subarray(0, file.read(0, bytes))
  } finally {
    file.close()
  }
}

function writeNow(disk: Disk, path: string, content: Uint8Array): null {
  unlessIt('ENOENT', () => disk.unlink(path))
  const file = disk.open(path, 'create')
  try {
    file.write(0, [content])
  } finally {
    file.close()
  }
  return null
}

function unlessIt(code: string, act: () => void): boolean {
  try {
    act()
    return true
  } catch (error) {
    if (error instanceof DiskError && error.code === code) return false
    throw error
  }
}

/** True where the folder cannot be used now and nothing is broken: it is full, not there, or not permitted. */
export function isOutage(error: unknown): error is DiskError {
  return isShortage(error) || (error instanceof DiskError && outages.has(error.code))
}

const outages: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'])
