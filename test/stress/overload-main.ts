import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { whyNoCgroup } from './memory-cgroup.ts'
import { runOverload } from './overload.ts'

/**
 * `npm run qualify -- overload`: a broker in a memory cgroup of 512 MiB (v1, root) under everything that clients can do to it.
 * Writes `docs/qualification/overload-DATE.json`, or to `--out FILE`; exits 1 where anything failed.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { scale: { type: 'string', default: '1' }, out: { type: 'string' } },
  })
  const why = whyNoCgroup()
  if (why !== null) {
    console.log(`Skipped: ${why}`)
    return 1
  }
  const date = new Date().toISOString()
  const scale = Number(values.scale)
  const result = await runOverload({ scale, progress: text => console.log(text) })
  const folder = join(import.meta.dirname, '../../docs/qualification')
  const path = values.out ?? join(folder, `overload-${date.slice(0, 10)}.json`)
  writeFileSync(path, `${JSON.stringify({ date, ...result }, null, 2)}\n`)
  console.log(`${JSON.stringify(result, null, 2)}\nWritten to ${path}`)
  return result.failures.length === 0 ? 0 : 1
}

process.exitCode = await main()
