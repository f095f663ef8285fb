import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { packageVersion } from '../../src/env/real/package-version.ts'
import { cases } from './desired-cases.ts'
import { releaseText } from './release-text.ts'

/**
 * `node test/operator/record.ts`, at a release: keeps the pod templates that it renders under test/golden/releases. What
 * was kept of a version is never written anew.
 */
const folder = `${import.meta.dirname}/../golden/releases/${packageVersion(import.meta.dirname)}`
mkdirSync(folder, { recursive: true })
for (const [name, spec] of Object.entries(cases)) {
  const file = `${folder}/${name}.json`
  if (existsSync(file)) console.log(`${file} is there already`)
  else writeFileSync(file, releaseText(spec))
}
