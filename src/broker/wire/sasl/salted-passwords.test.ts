import { expect, test } from 'vitest'
import { present } from '../../../lib/assert.ts'
import { SaltedPasswords } from './salted-passwords.ts'
import { saltPassword, scramMechanism } from './scram-mechanisms.ts'

const sha256 = present(scramMechanism('SCRAM-SHA-256'), 'the mechanism is known')
const sha512 = present(scramMechanism('SCRAM-SHA-512'), 'the mechanism is known')
const given = { salt: Uint8Array.of(1, 2, 3), iterations: 4096 }
const others = [
  [sha512, 'secret', given],
  [sha256, 'other', given],
  [sha256, 'secret', { ...given, salt: Uint8Array.of(1, 2, 4) }],
  [sha256, 'secret', { ...given, iterations: 4097 }],
] as const

test('a password is salted once for each salt, mechanism and count of rounds, and is what it would be', () => {
  const passwords = new SaltedPasswords()
  const first = passwords.salt(sha256, 'secret', given)
  expect(first).toEqual(saltPassword(sha256, 'secret', given))
  for (const [mechanism, password, other] of others) {
    const salted = passwords.salt(mechanism, password, other)
    expect(salted).toEqual(saltPassword(mechanism, password, other))
  }
  expect(passwords.salt(sha256, 'secret', { ...given })).toBe(first)
})

test('of many the one that was asked for longest ago is forgotten', () => {
  const passwords = new SaltedPasswords()
  const salted = (number: number) =>
    passwords.salt(sha256, 'secret', { salt: Uint8Array.of(number), iterations: 4096 })
  const [first, second] = [salted(1), salted(2)]
  for (let number = 3; number <= 32; number++) salted(number)
  expect(salted(1)).toBe(first)
  salted(33)
  expect(salted(1)).toBe(first)
  expect(salted(2)).not.toBe(second)
})
