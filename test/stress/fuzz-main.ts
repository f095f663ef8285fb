import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runFuzz, type FuzzResult } from './fuzz.ts'

/**
 * `npm run qualify -- fuzz --frames 200000 --seed 1`: damaged frames of every API and version against one broker;
 * with `--fallback` it runs without the addon. Writes `docs/qualification/fuzz-DATE-seed-SEED.json`, or to `--out FILE`;
 * exits 1 where anything failed.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      frames: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      fallback: { type: 'boolean', default: false },
    },
  })
  const date = new Date().toISOString()
  const result = await runFuzz({
    frames: Number(values.frames),
    seed: Number(values.seed),
    native: values.fallback ? 'off' : 'on',
    progress: text => console.log(text),
  })
  const machine = { cores: availableParallelism(), node: process.version }
  const folder = join(import.meta.dirname, '../../docs/qualification')
  mkdirSync(folder, { recursive: true })
  const how = `${values.fallback ? '-fallback' : ''}-seed-${values.seed}`
  const path = values.out ?? join(folder, `fuzz-${date.slice(0, 10)}${how}.json`)
  writeFileSync(path, `${JSON.stringify({ date, machine, ...result }, null, 2)}\n`)
  print(result)
  console.log(`Written to ${path}`)
  return result.failures.length === 0 ? 0 : 1
}

function print(result: FuzzResult): void {
  const { frames, seconds, neighbourRounds, before, after, rounds, failures } = result
  const sizes = rounds.map(({ residentMiB }) => residentMiB).join(', ')
  console.log(
    `${frames} frames in ${seconds} s; a neighbour was served ${neighbourRounds} times; ` +
      `${before.residentMiB} MiB before, ${sizes} MiB after each round, ${after.peakMiB} MiB at most; ` +
      `${before.descriptors} open files before, ${after.descriptors} after; ${failures.length} failures`,
  )
  for (const failure of failures) console.log(failure.slice(0, 2000))
}

process.exitCode = await main()
