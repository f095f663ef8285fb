import { privatePrincipals } from '../../lib/principals.ts'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../env/random.ts'

/** Bytes of chance in a password. */
const passwordBytes = 32

/**
 * Makes the passwords of the private listeners that are not there yet, each in a file that only this user reads. Those that are there
 * stay: brokers that run have read them.
 */
export function makeCredentials(directory: string, random: Random): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const principal of privatePrincipals) {
    const password = Buffer.from(random.bytes(passwordBytes)).toString('base64url')
    try {
      writeFileSync(join(directory, principal), password, { flag: 'wx', mode: 0o600 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
