/** `npm run qualify -- planted [NAME ...]`: plants each bug in turn, and says what found it. */
import { plantedBugs } from './bugs.ts'
import { hunt } from './find.ts'

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(plantedBugs)
let missed = 0
for (const name of names) {
  const startMs = performance.now()
  const { found, output } = await hunt(name)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${found === null ? 'MISSED' : 'found '} ${name} (${seconds} s) ${found ?? ''}`)
  if (found !== null) continue
  missed++
  console.log(output.slice(-2000))
}
console.log(`${names.length - missed} of ${names.length} planted bugs were found`)
process.exitCode = missed === 0 ? 0 : 1
