import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pageOf } from './page.ts'
import { pictureOf } from './picture.ts'
import { readmeWith } from './readme.ts'
import type { Results } from './results.ts'
import { scenarios } from './scenarios.ts'

const resultsPath = 'docs/benchmarks/versus-kafka.json'

export function readResults(root: string): Results {
  return JSON.parse(readFileSync(join(root, resultsPath), 'utf8')) as Results
}

/** Everything in the repository that is written from the results: path and content. */
export function writtenFrom(results: Results, root: string): Record<string, string> {
  return {
    [resultsPath]: `${JSON.stringify(results, null, 2)}\n`,
    'docs/benchmarks/versus-kafka.md': pageOf(scenarios, results),
    'docs/benchmarks/lagging-reader.svg': pictureOf(results),
    'README.md': readmeWith(results, readFileSync(join(root, 'README.md'), 'utf8')),
  }
}
