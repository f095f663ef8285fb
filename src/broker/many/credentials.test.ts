import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { realRandom } from '../../env/real/random.ts'
import { privatePrincipals } from '../../lib/principals.ts'
import { makeCredentials } from './credentials.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'logcluster-credentials-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const passwordsIn = (path: string) =>
  privatePrincipals.map(principal => readFileSync(join(path, principal), 'utf8'))

test('passwords are made once, for this user alone, and nothing is left beside them', () => {
  const path = join(folder(), 'credentials')
  expect(makeCredentials(path, realRandom)).toBe(null)
  const made = passwordsIn(path)
  expect(made.every(password => password.length > 40)).toBe(true)
  expect(statSync(join(path, privatePrincipals[0]!)).mode & 0o777).toBe(0o600)
  expect(makeCredentials(path, realRandom)).toBe(null)
  expect(passwordsIn(path)).toEqual(made)
  expect(readdirSync(path).toSorted()).toEqual([...privatePrincipals].toSorted())
})

test('an empty file is as none: nobody can have read a password there', () => {
  const path = folder()
  for (const principal of privatePrincipals) writeFileSync(join(path, principal), '')
  expect(makeCredentials(path, realRandom)).toBe(null)
  expect(passwordsIn(path).every(password => password.length > 40)).toBe(true)
  expect(readdirSync(path)).toHaveLength(privatePrincipals.length)
})

test('a folder that cannot be one is told in a sentence', () => {
  const path = folder()
  writeFileSync(join(path, 'file'), '')
  const inFile = join(path, 'file', 'credentials')
  expect(makeCredentials(inFile, realRandom)).toMatch(
    / cannot be kept in .*file\/credentials: ENOTDIR.*log\.dirs/,
  )
  mkdirSync(join(path, privatePrincipals[0]!))
  expect(makeCredentials(path, realRandom)).toMatch(/EISDIR/)
})
