import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { present } from '../../../lib/assert.ts'
import { scramCredential, scramMechanism } from './scram-mechanisms.ts'

test('the credential of RFC 7677 checks the proof there, and gives the signature there', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const auth = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
  const mechanism = present(scramMechanism(1), 'number 1 is SCRAM-SHA-256')
  const saltedPassword = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256')
  const kept = scramCredential(mechanism, { salt, saltedPassword, iterations: 4096 })
  expect([kept.salt, kept.iterations]).toEqual([salt.toString('hex'), 4096])

  const storedKey = Buffer.from(kept.storedKey, 'hex')
  const signature = createHmac('sha256', storedKey).update(auth).digest()
  const clientKey = proof.map((byte, at) => byte ^ signature[at]!)
  expect(createHash('sha256').update(clientKey).digest('hex')).toBe(kept.storedKey)
  const serverKey = Buffer.from(kept.serverKey, 'hex')
  expect(createHmac('sha256', serverKey).update(auth).digest('base64')).toBe(
    '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  )
})

test('mechanisms are found by number and by name', () => {
  expect(scramMechanism(2)).toBe(scramMechanism('SCRAM-SHA-512'))
  expect([scramMechanism(0), scramMechanism(3), scramMechanism('PLAIN')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
