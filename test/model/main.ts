import { product } from './cluster-model.ts'
import { explore } from './explore.ts'
import { longSearches, searches } from './searches.ts'

/**
 * `npm run qualify -- states [STATES]`: every state that can be reached within each budget, up to so many for each; a million where
 * nothing is said. Exits with 1 where there is a state that must not be.
 */
function main([given = '1000000']: readonly string[]): number {
  let isSound = true
  for (const { what, budget } of [...searches, ...longSearches]) {
    const { states, depth, isComplete, violation } = explore(product, budget, Number(given))
    const extent = isComplete ? 'all of them' : `up to ${depth} steps deep`
    console.log(`${what}: ${states} states, ${extent}`)
    if (violation === null) continue
    isSound = false
    console.log(violation.map((step, at) => `  ${at} ${step}`).join('\n'))
  }
  return isSound ? 0 : 1
}

process.exitCode = main(process.argv.slice(2))
