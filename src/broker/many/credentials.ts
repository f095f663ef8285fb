import { privatePrincipals } from '../../lib/principals.ts'
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../env/random.ts'

/** Bytes of chance in a password. */
const passwordBytes = 32

/**
 * Makes the passwords of the private listeners that are not there yet, each in a file that only this user reads. Those that are there
 * stay: brokers that run have read them. Returns null, or in a sentence why that cannot be.
 */
export function makeCredentials(directory: string, random: Random): string | null {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    for (const principal of privatePrincipals) {
      const path = join(directory, principal)
      if (!holdsOne(path))
        make(path, Buffer.from(random.bytes(passwordBytes)).toString('base64url'))
    }
    return null
  } catch (error) {
    const { message } = error as NodeJS.ErrnoException
    return (
      `The passwords by which the brokers know one another cannot be kept in ${directory}: ${message}. It must be a ` +
      'folder that this user may read and write: change its rights, or give the brokers another place (--set log.dirs=FOLDER).'
    )
  }
}

/** Whole or not at all under its name, whoever makes it at the same time. */
function make(path: string, password: string): void {
  const beside = `${path}.${process.pid}.tmp`
  writeFileSync(beside, password, { mode: 0o600, flush: true })
  try {
    linkSync(beside, path)
    unlinkSync(beside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Somebody was faster; or it is an empty file, which says nothing and keeps the brokers apart for ever.
    if (holdsOne(path)) unlinkSync(beside)
    else renameSync(beside, path)
  }
}

function holdsOne(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() !== ''
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
