import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageVersion } from '../../src/env/real/package-version.ts'
import { cases } from './desired-cases.ts'
import { releaseText } from './release-text.ts'
import { storedClusters, storedText, storedWorld } from './stored-clusters.ts'

/**
 * `node test/operator/record.ts`, at a release: keeps the pod templates that it renders, and whole clusters as it leaves them,
 * under test/golden/releases. What was kept of a version is never written anew.
 */
const folder = `${import.meta.dirname}/../golden/releases/${packageVersion(import.meta.dirname)}`

function keep(name: string, text: string): void {
  const file = join(folder, `${name}.json`)
  if (existsSync(file)) return console.log(`${file} is there already`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

for (const [name, spec] of Object.entries(cases)) keep(`templates/${name}`, releaseText(spec))
for (const [name, spec] of Object.entries(storedClusters)) {
  keep(`clusters/${name}`, storedText(await storedWorld(spec)))
}
