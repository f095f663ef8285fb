import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Finder } from './bugs.ts'
import { bugCalled, plantedVariable } from './patch.ts'

const root = join(import.meta.dirname, '../..')

/** Where seeds begin that no bug was tried on when it was written. */
export const otherSeeds = [70_001, 80_001, 90_001]

/** What a layer of tests made of a bug. */
export interface Hunt {
  /** What found it, in a line; null where nothing did. */
  readonly found: string | null
  readonly output: string
}

/** All who have to find a bug. */
export function findersOf(name: string): readonly Finder[] {
  const { foundBy, worlds } = bugCalled(name)
  return worlds === undefined ? [foundBy] : [foundBy, worlds]
}

/** Lets who is there for its kind look for a bug. `seedBase`: where the seeds of a simulation begin. */
export async function hunt(name: string, foundBy: Finder, seedBase = 1): Promise<Hunt> {
  if (foundBy.kind === 'tests') {
    const args = ['--config', 'test/planted/vitest.config.ts', 'run', ...foundBy.files]
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const { code, output } = await run(name, [vitest, ...args])
    const failed = /(?:FAIL|×) .*/.exec(output)?.[0] ?? null
    return { found: code === 0 ? null : failed, output }
  }
  const nodes = foundBy.nodes === undefined ? [] : ['--nodes', String(foundBy.nodes)]
  const kinds = foundBy.kinds === undefined ? [] : ['--kinds', foundBy.kinds.join(',')]
  const { seedCount, seconds } = foundBy
  const others = ['--workers', '1', ...nodes, ...kinds]
  return huntInWorlds(name, { seedBase, seedCount, seconds, others })
}

export interface Worlds {
  readonly seedBase: number
  readonly seedCount: number
  /** Virtual, of each. */
  readonly seconds: number
  /** Arguments of `npm run qualify -- simulate`. */
  readonly others: readonly string[]
}

/** Looks for a bug in worlds of whole brokers, whoever is there for its kind. */
export async function huntInWorlds(name: string, worlds: Worlds): Promise<Hunt> {
  const { seedBase, seedCount, seconds, others } = worlds
  const seeds = `${seedBase}-${seedBase + seedCount - 1}`
  const args = ['--seeds', seeds, '--seconds', String(seconds), '--until-failure', ...others]
  const hooks = join(import.meta.dirname, 'hooks.ts')
  const main = join(root, 'test/simulation/main.ts')
  const { output } = await run(name, ['--import', hooks, main, ...args])
  return { found: /^seed \d+ (?:failed|hangs).*/m.exec(output)?.[0] ?? null, output }
}

function run(
  bug: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, [plantedVariable]: bug, NO_COLOR: '1' }
  delete env['VITEST']
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, output }))
  })
}
