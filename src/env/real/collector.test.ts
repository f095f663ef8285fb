import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** Makes garbage of which some survives: enough for V8 to share the work, where it may. */
const garbage = `
  const kept = []
  for (let round = 0; round < 400; round++) kept[round % 4] = Array.from({ length: 20000 }, at => ({ at }))
`

test('young garbage is collected by one thread', () => {
  const module = JSON.stringify(join(import.meta.dirname, 'collector.ts'))
  const code = `(await import(${module})).scavengeAlone(); ${garbage}`
  // So large a young generation that nothing is collected before the call.
  const flags = ['--min-semi-space-size=16', '--trace-gc', '--trace-parallel-scavenge']
  const args = [...flags, '--input-type=module', '-e', code]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const count = (what: RegExp): number => Array.from(stdout.matchAll(what)).length
  const scavenges = count(/ms: Scavenge /g)
  expect(scavenges).toBeGreaterThan(2)
  expect(count(/scavenge\[/g)).toBe(scavenges)
})
