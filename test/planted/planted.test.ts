import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { plantedBugs } from './bugs.ts'
import { hunt, otherSeeds } from './find.ts'
import { planted } from './patch.ts'

const names = Object.keys(plantedBugs)

const root = join(import.meta.dirname, '../..')

describe('bugs that are planted one at a time (durability.md 5.4)', () => {
  test('each of them is where it says that it is', () => {
    expect(names.length).toBeGreaterThanOrEqual(24)
    for (const { file, ...bug } of Object.values(plantedBugs)) {
      const source = readFileSync(join(root, file), 'utf8')
      expect(planted({ file, ...bug }, join(root, file), source)).not.toBe(source)
    }
  })

  test.each(names)('%s is found', { timeout: 600_000 }, async name => {
    const isSeeded = plantedBugs[name]!.foundBy.kind === 'simulation'
    for (const base of isSeeded ? otherSeeds : [1]) {
      const { found, output } = await hunt(name, base)
      expect(found, output).not.toBe(null)
    }
  })
})
