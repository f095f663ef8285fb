import { collector } from '../../src/env/real/collector.ts'

/**
 * Loaded into a broker's process before it (`node --import`), from outside: on SIGUSR2 it collects all garbage and says
 * what is left. What a broker gives back by itself, when it is idle, is not shown by that.
 */
const collect = collector()

process.on('SIGUSR2', () => {
  // What the first finds dead is partly given back after it only.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  console.error(JSON.stringify({ msg: 'Collected', heldBytes: heapUsed + external }))
})
