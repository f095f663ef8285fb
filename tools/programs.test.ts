import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { choose, programs } from './programs.ts'

const root = join(import.meta.dirname, '..')

describe('the programs behind npm run bench and npm run qualify', () => {
  for (const [script, table] of Object.entries(programs)) {
    for (const [name, { file }] of Object.entries(table)) {
      test(`${script} -- ${name} is there, and gets its own arguments`, () => {
        expect(existsSync(join(root, file))).toBe(true)
        expect(choose(script, [name, '--seed', '7'])).toEqual({ file, args: ['--seed', '7'] })
      })
    }
  }

  test('a name that is not there gets the list of those that are', () => {
    for (const [script, name] of [
      ['bench', 'limit'],
      ['qualify', 'kill'],
      ['qualify', 'toString'],
    ] as const) {
      const choice = choose(script, [name, '--seed', '7'])
      expect(choice).toMatchObject({ problem: expect.stringContaining(`There is no ${name}.`) })
      for (const known of Object.keys(programs[script]!)) {
        expect(choice).toMatchObject({ problem: expect.stringMatching(`\n  ${known} `) })
      }
    }
  })

  test('no name is the faults for qualify, and a question for bench', () => {
    const { file } = programs['qualify']!['faults']!
    expect(choose('qualify', [])).toEqual({ file, args: [] })
    expect(choose('qualify', ['--kills', '2'])).toEqual({ file, args: ['--kills', '2'] })
    expect(choose('bench', [])).toMatchObject({ problem: expect.stringContaining('Which one?') })
  })

  test('a script that is not there is named', () => {
    expect(choose('benches', [])).toMatchObject({ problem: expect.stringContaining('benches') })
  })
})
