import { createHash, createHmac } from 'node:crypto'
import { hex } from '../../lib/bytes.ts'

/** SASL mechanisms of RFC 5802, by their numbers in the protocol. */
const mechanisms = [
  { number: 1, name: 'SCRAM-SHA-256', hash: 'sha256' },
  { number: 2, name: 'SCRAM-SHA-512', hash: 'sha512' },
] as const

export type ScramMechanism = (typeof mechanisms)[number]

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

/** What is kept of a password (RFC 5802, section 3), as hex digits. */
export function scramCredential({ hash }: ScramMechanism, given: SaltedPassword) {
  const { salt, saltedPassword, iterations } = given
  const keyed = (text: string) => createHmac(hash, saltedPassword).update(text)
  return {
    salt: hex(salt),
    storedKey: createHash(hash).update(keyed('Client Key').digest()).digest('hex'),
    serverKey: keyed('Server Key').digest('hex'),
    iterations,
  }
}
