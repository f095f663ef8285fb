import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning } from './processes.ts'

export const home = join(tmpdir(), 'logcluster-kubernetes')

/** Who has a cluster removed: a process, when it ends; or somebody who says so, where it is null. */
export type Owner = number | null

/** Makes the folder of a new cluster. Throws where there is one of that name. */
export function makeFolder(name: string, owner: Owner): string {
  const folder = folderOf(name)
  mkdirSync(home, { recursive: true })
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`There is a cluster ${name} already: npm run cluster -- down ${name}`)
  }
  // By a rename: who looks for orphans at this moment finds the whole of it, or nothing.
  const written = `${ownerFile(folder)}.new`
  writeFileSync(written, JSON.stringify(owner))
  renameSync(written, ownerFile(folder))
  return folder
}

export function folderOf(name: string): string {
  return join(home, name)
}

/** Every cluster of this machine, running or left over. */
export function clusterNames(): string[] {
  return existsSync(home) ? readdirSync(home).filter(name => !name.startsWith('.')) : []
}

/** Those whose owner has ended without removing them. */
export function orphans(): string[] {
  return clusterNames().filter(name => {
    const owner = ownerOf(name)
    return owner !== null && !isRunning(owner)
  })
}

/** Null too where its maker is about to write it, or it is being removed. */
function ownerOf(name: string): Owner {
  try {
    return JSON.parse(readFileSync(ownerFile(folderOf(name)), 'utf8')) as Owner
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return null
  }
}

export function removeFolder(name: string): void {
  rmSync(folderOf(name), { recursive: true, force: true })
}

function ownerFile(folder: string): string {
  return join(folder, 'owner.json')
}
