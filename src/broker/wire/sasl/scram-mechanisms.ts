import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { hex } from '../../../lib/bytes.ts'

/** SASL mechanisms of RFC 5802, by their numbers in the protocol. */
const mechanisms = [
  { number: 1, name: 'SCRAM-SHA-256', hash: 'sha256' },
  { number: 2, name: 'SCRAM-SHA-512', hash: 'sha512' },
] as const

export type ScramMechanism = (typeof mechanisms)[number]

/** What the sums need of a mechanism. */
export interface ScramHash {
  /** As node:crypto names it. */
  readonly hash: string
}

export function scramMechanism(by: number | string): ScramMechanism | undefined {
  return mechanisms.find(({ number, name }) => number === by || name === by)
}

/** Least and most rounds of hashing, as in Kafka: fewer are quickly guessed, more are a burden on every login. */
export const scramIterations = { min: 4096, max: 16_384 } as const

export interface SaltedPassword {
  readonly salt: Uint8Array
  readonly saltedPassword: Uint8Array
  readonly iterations: number
}

/** What is kept of a password (RFC 5802, section 3); all but the number as hex digits. */
export interface ScramCredential {
  readonly salt: string
  readonly storedKey: string
  readonly serverKey: string
  readonly iterations: number
}

export function scramCredential({ hash }: ScramHash, given: SaltedPassword): ScramCredential {
  const { salt, saltedPassword, iterations } = given
  return {
    salt: hex(salt),
    storedKey: hex(digest({ hash }, keyed({ hash }, saltedPassword, 'Client Key'))),
    serverKey: hex(keyed({ hash }, saltedPassword, 'Server Key')),
    iterations,
  }
}

/** `Hi` of RFC 5802: some milliseconds of work, on purpose. The password is taken as it is, without SASLprep. */
export function saltPassword(
  { hash }: ScramHash,
  password: string,
  { salt, iterations }: Pick<SaltedPassword, 'salt' | 'iterations'>,
): SaltedPassword {
  const length = digest({ hash }, new Uint8Array(0)).length
  const saltedPassword = pbkdf2Sync(password, salt, iterations, length, hash)
  return { salt, saltedPassword, iterations }
}

export function keyed({ hash }: ScramHash, key: Uint8Array, text: string): Uint8Array {
  return createHmac(hash, key).update(text).digest()
}

export function digest({ hash }: ScramHash, bytes: Uint8Array): Uint8Array {
  return createHash(hash).update(bytes).digest()
}
