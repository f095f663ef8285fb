import { Simulation, type Outcome, type SimulationOptions } from '../../sim/simulation.ts'
import { onUnhandled, newTurn } from './turn.ts'

/** One run of a seed in this process. What nobody catches meanwhile is a failure of it. */
export async function runSeed(
  options: Omit<SimulationOptions, 'turn'>,
): Promise<{ readonly outcome: Outcome; readonly kinds: readonly string[] }> {
  const simulation = new Simulation({ ...options, turn: newTurn() })
  const off = onUnhandled(error => {
    const text = error instanceof Error ? error.stack : String(error)
    simulation.world.fail(`I22: nobody caught ${text}`)
  })
  try {
    return { outcome: await simulation.run(), kinds: simulation.faults.kinds }
  } finally {
    off()
  }
}
