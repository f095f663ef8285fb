import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readResults, writtenFrom } from './files.ts'
import { scenarios } from './scenarios.ts'

const root = join(import.meta.dirname, '../..')
const results = readResults(root)

describe('what is written from the results is in step with them', () => {
  for (const [path, content] of Object.entries(writtenFrom(results, root))) {
    test(path, () => {
      expect(readFileSync(join(root, path), 'utf8')).toBe(content)
    })
  }
})

test('every result is of a scenario that there is', () => {
  const names = scenarios.map(({ name }) => name)
  expect(Object.keys(results).filter(name => !names.includes(name))).toEqual([])
})

test('every goal is of a measure that its scenario takes', () => {
  const astray = scenarios.flatMap(({ name, goals }) => {
    const taken = results[name]?.rounds.flatMap(({ ours }) => Object.keys(ours))
    return taken === undefined ? [] : goals.filter(({ measure }) => !taken.includes(measure))
  })
  expect(astray).toEqual([])
})
