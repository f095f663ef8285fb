import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { hex, utf8 } from '../../lib/bytes.ts'
import { encodeBatch } from './batch/batch.ts'

const text = readFileSync(new URL('FORMAT.md', import.meta.url), 'utf8')

test('the worked example is what the code writes', () => {
  const lines = text.match(/^00[0-9a-f]0 {2}((?:[0-9a-f]{2} {1,2})+)/gm) ?? []
  const documented = lines.map(line => line.slice(4).replaceAll(' ', '')).join('')
  const record = { offsetDelta: 0, timestampDelta: 0, key: null, value: utf8('hi'), headers: [] }
  const batch = encodeBatch({ records: [record], baseTimestamp: 1_700_000_000_000, leaderEpoch: 0 })
  expect(documented).toBe(hex(batch))
})

test('every file that the engine makes is in the document', () => {
  const names = [
    'lock',
    'meta.properties',
    'run.json',
    'clean.json',
    'failed.json',
    'partition.json',
    'recovery-point-checkpoint',
    'log-start-offset-checkpoint',
    'leader-epoch-checkpoint',
    '.offsets',
    '.times',
    '.producers',
    '.growth',
    '.deleted',
    '.stray',
  ]
  expect(names.filter(name => !text.includes(name))).toEqual([])
})
