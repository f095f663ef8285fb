import { parseArgs } from 'node:util'
import { Simulation } from '../../sim/simulation.ts'
import { onUnhandled, turn } from './turn.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    nodes: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const startMs = performance.now()
const simulation = new Simulation({
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  turn,
  ...(values.nodes === undefined ? {} : { nodeCount: Number(values.nodes) }),
})
onUnhandled(error => simulation.world.fail(`nobody caught ${String((error as Error).stack)}`))
const outcome = await simulation.run()
if (values.verbose || outcome.failures.length > 0) console.log(outcome.lines.join('\n'))
console.log(outcome.failures)
console.log(
  outcome.hash,
  outcome.counts,
  `${Math.round(performance.now() - startMs)} ms`,
  simulation.faults.kinds.join(' '),
)
process.exit(outcome.failures.length > 0 ? 1 : 0)
