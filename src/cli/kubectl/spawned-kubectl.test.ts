import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../../test/helpers/eventually.ts'
import { SpawnedKubectl } from './spawned-kubectl.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logcluster-kubectl-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A kubectl that is a few lines of sh. */
function kubectl(script: string): string {
  const file = join(folder, 'kubectl')
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  return file
}

test('one that nobody answers is ended, and told of', async () => {
  const program = kubectl('sleep 600 & wait')
  await expect(new SpawnedKubectl(program, [], 200).run(['get', 'pods'])).rejects.toThrow(
    `${program} get did not answer within 0.2 s`,
  )
})

test('what a call says of its time gives way to what the user says', async () => {
  const program = kubectl('echo "$@"')
  const words = ['get', '--request-timeout=10s']
  expect(await new SpawnedKubectl(program, []).run(words)).toBe('get --request-timeout=10s\n')
  const given = new SpawnedKubectl(program, ['--request-timeout=1m'])
  expect(await given.run(words)).toBe('--request-timeout=1m get\n')
})

test('eight run at a time, and the others when one has ended', async () => {
  const program = kubectl(
    `: > ${folder}/at-$$; until [ -e ${folder}/go ]; do sleep 0.05; done; echo done`,
  )
  const started = (): number => readdirSync(folder).filter(name => name.startsWith('at-')).length
  const spawned = new SpawnedKubectl(program, [])
  const all = Array.from({ length: 10 }, () => spawned.run([]))
  await eventually('eight have begun', started, count => count >= 8)
  expect(started()).toBe(8)
  writeFileSync(join(folder, 'go'), '')
  expect(await Promise.all(all)).toEqual(Array.from({ length: 10 }, () => 'done\n'))
  expect(started()).toBe(10)
})
