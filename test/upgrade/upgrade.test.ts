import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { Stored } from '../../src/operator/kubernetes/objects.ts'
import { run } from '../helpers/run.ts'
import { isOfBroker, worldOf } from '../operator/stored-clusters.ts'
import type { Upgrade } from './next-operator.ts'

const releases = join(import.meta.dirname, '../golden/releases')
const files = readdirSync(releases).flatMap(release =>
  readdirSync(join(releases, release, 'clusters')).map(file => `${release}/clusters/${file}`),
)

let upgrades: readonly Upgrade[]

/** What an operator of a next version makes of each, in a process of its own. */
beforeAll(async () => {
  const script = join(import.meta.dirname, 'next-operator.ts')
  const hook = join(import.meta.dirname, 'next-version.ts')
  const all = files.map(file => join(releases, file))
  const { stdout } = await run(process.execPath, ['--import', hook, script, ...all])
  const lines = stdout.trim().split('\n')
  upgrades = lines.map(line => JSON.parse(line) as Upgrade)
})

test.for(files)(
  'an operator of a next version, whose brokers have a variable more, comes upon %s and restarts nobody: the next restart takes it along',
  async file => {
    const upgrade = upgrades[files.indexOf(file)]!
    const before = worldOf(readFileSync(join(releases, file), 'utf8'))
    const sets = before.api.all('StatefulSet')
    expect(sets.length).toBeGreaterThan(0)
    expect(upgrade.starts).toEqual([])
    expect(upgrade.writes.filter(isOfBroker)).toEqual(
      sets.map(({ metadata }) => `apply StatefulSet ${metadata.name}`),
    )
    expect(upgrade.hasNews).toEqual(sets.map(() => true))
    expect(upgrade.stable).toBe('True Stable')
    // And back: a downgrade to what may still keep it restarts nobody either.
    const after = worldOf(upgrade.stored)
    await before.converge()
    await after.converge()
    expect(after.nodes.starts).toEqual([])
    expect(after.api.all('StatefulSet').map(specOf)).toEqual(
      before.api.all('StatefulSet').map(specOf),
    )
    expect(after.condition('Stable')).toBe('True Stable')
  },
)

function specOf(object: Stored): unknown {
  return (object as Stored & { readonly spec: unknown }).spec
}
