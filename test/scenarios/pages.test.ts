import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as librdkafka from '../librdkafka/run-of-three.ts'
import * as scenarios from './run-of-three.ts'

const docs = join(import.meta.dirname, '../../docs')

test.each([
  ['clients-of-three', scenarios.pageOfThree],
  ['librdkafka-of-three', librdkafka.pageOfThree],
])('docs/%s.md tells what was kept of its runs', (name, page) => {
  expect(readFileSync(join(docs, `${name}.md`), 'utf8')).toBe(page())
})
