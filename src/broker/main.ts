/** The process of a broker. What it does is in `run.ts`, which the command `logcluster broker` runs too. */
import { run } from './run.ts'

await run(process.argv.slice(2))
