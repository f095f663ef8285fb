/**
 * `npm run qualify -- planted [NAME ...]`: plants each bug in turn, and says what found it. `--worlds N`: looks for each of them in up to N
 * simulated worlds instead, from three first seeds that no bug was tried on, in `--workers` processes, and says how many it took.
 */
import { parseArgs } from 'node:util'
import { plantedBugs, type PlantedBug } from './bugs.ts'
import { hunt, huntInWorlds, otherSeeds } from './find.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { worlds: { type: 'string' }, workers: { type: 'string', default: '2' } },
})
/** No world has an operator. */
const isLookedFor = ([, { file }]: [string, PlantedBug]): boolean =>
  values.worlds === undefined || !file.startsWith('src/operator/')
const all = Object.entries(plantedBugs).filter(isLookedFor)
const names = positionals.length > 0 ? positionals : all.map(([name]) => name)
const found = values.worlds === undefined ? foundByItsTests : foundInWorlds(Number(values.worlds))
let missed = 0
for (const name of names) {
  const startMs = performance.now()
  const said = await found(name)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${said === null ? 'MISSED' : 'found '} ${name} (${seconds} s) ${said ?? ''}`)
  if (said === null) missed++
}
console.log(`${names.length - missed} of ${names.length} planted bugs were found`)
process.exitCode = missed === 0 ? 0 : 1

async function foundByItsTests(name: string): Promise<string | null> {
  const { found, output } = await hunt(name)
  if (found === null) console.log(output.slice(-2000))
  return found
}

/** From each first seed on. */
function foundInWorlds(seedCount: number): (name: string) => Promise<string | null> {
  const others = ['--workers', values.workers]
  return async name => {
    const all: string[] = []
    for (const seedBase of otherSeeds) {
      const hunted = await huntInWorlds(name, { seedBase, seedCount, seconds: 60, others })
      if (hunted.found === null) return null
      all.push(hunted.found.slice(0, 160))
    }
    return all.map(line => `\n    ${line}`).join('')
  }
}
