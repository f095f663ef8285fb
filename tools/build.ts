import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * `npm run build`: plain JavaScript into `dist/`, laid out as the checkout is (`dist/src/broker/main.js`,
 * `dist/native/build/`), so that whatever finds its neighbours by path finds them there too. With
 * `node_modules` beside or above it, `dist/` runs from anywhere. An argument names another folder than `dist`.
 *
 * Type stripping, which the checkout runs by, does not work under node_modules and costs memory and start time.
 */
function main(): number {
  const out = process.argv[2] ?? join(root, 'dist')
  rmSync(out, { recursive: true, force: true })
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const project = ['-p', join(root, 'tsconfig.build.json'), '--outDir', out]
  const { status } = spawnSync(process.execPath, [compiler, ...project], { stdio: 'inherit' })
  if (status !== 0) return 1
  if (!existsSync(join(out, 'src/broker/main.js'))) {
    console.error('The compiler emitted no src/broker/main.js')
    return 1
  }
  // npm makes what `bin` names executable only where it installs it; the image has it as it is here.
  for (const bin of ['src/cli/main.js', 'src/cli/kubectl/main.js']) chmodSync(join(out, bin), 0o755)
  cpSync(join(root, 'package.json'), join(out, 'package.json'))
  copyAddon(out)
  return 0
}

const root = join(import.meta.dirname, '..')

/** Without the addon the broker runs on its fallback, so its absence is said and no failure. */
function copyAddon(out: string): void {
  const addon = 'native/build/logcluster.node'
  if (existsSync(join(root, addon))) cpSync(join(root, addon), join(out, addon))
  else console.log('No addon was built: dist/ runs on the TypeScript fallback')
}

process.exitCode = main()
