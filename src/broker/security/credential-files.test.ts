import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { SimDisk } from '../../../sim/disk.ts'
import { simRandom } from '../../../sim/random.ts'
import { NodeDisk } from '../../env/real/disk.ts'
import { fromHex, hex, utf8 } from '../../lib/bytes.ts'
import { Prng } from '../../lib/prng.ts'
import { saltPassword, scramCredential } from '../wire/sasl/scram-mechanisms.ts'
import { CredentialFiles, privateMechanism } from './credential-files.ts'

let disk: SimDisk
let files: CredentialFiles

beforeEach(() => {
  disk = new SimDisk()
  disk.mkdir('/secret')
  files = new CredentialFiles({ disk, random: simRandom(new Prng(3)) }, '/secret')
})

function put(name: string, content: Uint8Array): void {
  if (disk.stat(`/secret/${name}`) !== null) disk.unlink(`/secret/${name}`)
  const file = disk.open(`/secret/${name}`, 'create')
  file.write(0, [content])
  file.close()
}

/** Whether `password` is the one that the credential was made of. */
function fits(user: string, password: string): boolean {
  const kept = files.credentialOf(user)
  if (kept === null) return false
  const given = { salt: fromHex(kept.salt), iterations: kept.iterations }
  const made = scramCredential(privateMechanism, saltPassword(privateMechanism, password, given))
  return made.storedKey === kept.storedKey
}

test('each principal has the password in his file, without the end of its line', () => {
  put('operator', utf8('first'))
  put('broker', utf8('second\n'))
  expect([fits('operator', 'first'), fits('broker', 'second')]).toEqual([true, true])
  expect(files.missing()).toEqual([])
  const salts = ['operator', 'broker'].map(user => files.credentialOf(user)!.salt)
  expect(new Set(salts).size).toBe(2)
  expect(salts[0]).not.toContain(hex(utf8('first')))
})

test('a password that changes counts from the next login on', () => {
  put('operator', utf8('first'))
  const before = files.credentialOf('operator')
  expect(files.credentialOf('operator')).toBe(before)
  put('operator', utf8('other'))
  expect([fits('operator', 'first'), fits('operator', 'other')]).toEqual([false, true])
})

test('where there is no password nobody logs in', () => {
  put('operator', utf8('\n'))
  expect(files.credentialOf('operator')).toBeNull()
  put('operator', Uint8Array.of(0xff))
  expect(files.credentialOf('operator')).toBeNull()
  put('operator', new Uint8Array(5000).fill(65))
  expect(files.missing()).toEqual(['operator', 'broker'])
})

test('kubelet changes files by turning a link to another folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credentials-'))
  const turnTo = (name: string, password: string): void => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'operator'), password)
    symlinkSync(name, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  turnTo('..2026_1', 'first')
  symlinkSync('..data/operator', join(folder, 'operator'))
  files = new CredentialFiles({ disk: new NodeDisk(), random: simRandom(new Prng(3)) }, folder)
  expect(fits('operator', 'first')).toBe(true)
  turnTo('..2026_2', 'second')
  expect([fits('operator', 'first'), fits('operator', 'second')]).toEqual([false, true])
  rmSync(folder, { recursive: true })
})

test('a file of another name is nobody', () => {
  put('root', utf8('secret'))
  put('operator', utf8('secret'))
  expect(files.credentialOf('root')).toBeNull()
  expect(files.credentialOf('../secret/operator')).toBeNull()
})

test('another password is taken beside the first, salted alike, for as long as its file is there', () => {
  put('broker', utf8('first'))
  put('broker.other', utf8('second'))
  const both = files.credentialOf('broker')!
  expect(both.other).toMatchObject({ salt: both.salt, iterations: both.iterations })
  expect(both.other!.storedKey).not.toBe(both.storedKey)
  expect(files.credentialOf('broker')).toBe(both)
  // Who logs in elsewhere does so with the first.
  expect(files.passwordOf('broker')).toBe('first')
  disk.unlink('/secret/broker.other')
  expect(files.credentialOf('broker')?.other).toBeUndefined()
  // No principal is called so.
  expect(files.credentialOf('broker.other')).toBeNull()
})

test('the revision is the text of its file, and empty where there is none', () => {
  expect(files.revision()).toBe('')
  put('revision', utf8('3\n'))
  expect(files.revision()).toBe('3')
})
