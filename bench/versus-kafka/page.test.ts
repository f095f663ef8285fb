import { describe, expect, test } from 'vitest'
import { figure, pageOf } from './page.ts'
import { resultOf } from './sample.ts'
import type { Scenario } from './scenario.ts'

const scenario: Scenario = {
  name: 'made-up',
  title: 'Made up, for this test',
  text: 'What was done.',
  goals: [
    { measure: 'a', of: 'ours', most: 2 },
    { measure: 'a', of: 'ratio', most: 0.5 },
  ],
  run: () => Promise.resolve([]),
}
const other: Scenario = { ...scenario, name: 'other', title: 'Another' }

describe('the page', () => {
  const rounds = resultOf([{ a: 1, b: 0.0123 }, { a: 4 }], [{ a: 3, b: 0.0123 }, { a: 4 }])
  const page = pageOf([scenario, other], { 'made-up': rounds })

  test('has a table of what was measured, with day, rounds and machine', () => {
    expect(page).toContain(`## Made up, for this test

What was done.

| measure | LogCluster | Apache Kafka | ratio | spread |
|---|---|---|---|---|
| a | 2.00 | 4.00 | 0.50 | 0.25 to 0.75 |
| b | 0.012 | | | |

\`made-up\`, 2026-01-02, 2 rounds, Apache Kafka 4.3.1; 2 processors (A processor), 24 GiB; load in the minute before: 0.25.`)
  })

  test('says of each goal whether it is met, missed or not measured, with the way to its table', () => {
    const link = '[Made up, for this test](#made-up-for-this-test)'
    expect(page).toContain(`| ${link} | a | 2 | 2.00 | met |`)
    expect(page).toContain(`| ${link} | a: ratio | 0.5 | 0.50 | met |`)
    const slower = { 'made-up': resultOf([{ a: 2.5 }, { a: 4 }]) }
    expect(pageOf([scenario], slower)).toContain(`| ${link} | a | 2 | 2.50 | **missed** |`)
    expect(page).toContain('| Another | a | 2 | | not measured |')
  })

  test('has no heading for what was not measured', () => {
    expect(page).not.toContain('## Another')
  })
})

test('a figure keeps what says something', () => {
  expect([0, 0.0000234, 0.01, 0.0456, 0.1, 1.234, 999.99, 1234.5].map(figure)).toEqual([
    '0.00',
    '0.000023',
    '0.01',
    '0.046',
    '0.10',
    '1.23',
    '999.99',
    '1,235',
  ])
})
