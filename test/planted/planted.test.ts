import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { plantedBugs } from './bugs.ts'
import { findersOf, hunt, otherSeeds } from './find.ts'
import { planted } from './patch.ts'

const names = Object.keys(plantedBugs)

const root = join(import.meta.dirname, '../..')

describe('bugs that are planted one at a time (durability.md 5.4)', () => {
  test('each of them is where it says that it is', () => {
    expect(names.length).toBeGreaterThanOrEqual(25)
    for (const { file, ...bug } of Object.values(plantedBugs)) {
      const source = readFileSync(join(root, file), 'utf8')
      expect(planted({ file, ...bug }, join(root, file), source)).not.toBe(source)
    }
  })

  test.each(
    names.flatMap(name => findersOf(name).map(finder => ({ name, by: finder.kind, finder }))),
  )('$name is found by $by', { timeout: 600_000 }, async ({ name, finder }) => {
    for (const base of finder.kind === 'simulation' ? otherSeeds : [1]) {
      const { found, output } = await hunt(name, finder, base)
      expect(found, output).not.toBe(null)
    }
  })
})
