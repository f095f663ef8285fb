import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { settingsDocument } from '../src/broker/config/settings-text.ts'
import { compatibilityDocument } from './apis-document.ts'
import { chartDocument } from './chart-document.ts'
import { crdFiles, crdsDocument } from './crds-document.ts'
import { dashboardFiles } from './dashboards/index.ts'
import { metricsDocument } from './metrics-document.ts'
import { ruleFiles, runbooksDocument } from './rules/index.ts'

/** Documents that are written from tables in the code. `--check` only tells which are not in step. */
export const documents: readonly { readonly path: string; readonly content: () => string }[] = [
  { path: 'docs/settings.md', content: settingsDocument },
  { path: 'docs/metrics.md', content: metricsDocument },
  { path: 'docs/compatibility.md', content: compatibilityDocument },
  { path: 'docs/crds.md', content: crdsDocument },
  { path: 'charts/logcluster/README.md', content: chartDocument },
  ...crdFiles,
  ...dashboardFiles,
  ...ruleFiles,
  { path: 'docs/runbooks/README.md', content: runbooksDocument },
]

/** Paths of documents whose file differs from what the code says. */
export function outOfStep(root: string): string[] {
  return documents
    .filter(({ path, content }) => readIfThere(`${root}/${path}`) !== content())
    .map(({ path }) => path)
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function main(): void {
  const root = `${import.meta.dirname}/..`
  const stale = outOfStep(root)
  if (process.argv.includes('--check')) {
    for (const path of stale)
      console.error(`${path} is not in step: run node tools/generate-docs.ts`)
    process.exitCode = stale.length === 0 ? 0 : 1
    return
  }
  for (const { path, content } of documents) {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true })
    writeFileSync(`${root}/${path}`, content())
  }
}

if (import.meta.main) main()
