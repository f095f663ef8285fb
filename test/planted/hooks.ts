// Preloaded by `--import`: modules are loaded with the bug that PLANTED_BUG names in them.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { bugCalled, planted, plantedVariable } from './patch.ts'

const bug = bugCalled(process.env[plantedVariable] ?? '')

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(bug.file)) return nextLoad(url, context)
    const path = fileURLToPath(url)
    const source = planted(bug, path, readFileSync(path, 'utf8'))
    return { format: 'module-typescript', source, shortCircuit: true }
  },
})
