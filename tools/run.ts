import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { choose } from './programs.ts'

/**
 * `npm run bench -- NAME` and `npm run qualify -- NAME`: runs the program of that name by this same Node. Exits
 * as it does, and with 1 where there is no such name.
 */
async function main([script = '', ...args]: readonly string[]): Promise<number> {
  const choice = choose(script, args)
  if ('problem' in choice) {
    console.error(choice.problem)
    return 1
  }
  const file = join(import.meta.dirname, '..', choice.file)
  const child = spawn(process.execPath, [file, ...choice.args], { stdio: 'inherit' })
  // The terminal tells both of Ctrl-C; who has files to clear goes first.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', code => resolve(code ?? 1))
  })
}

process.exitCode = await main(process.argv.slice(2))
