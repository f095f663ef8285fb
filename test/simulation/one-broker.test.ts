import { describe, expect, test } from 'vitest'
import { Simulation, type Outcome, type SimulationOptions } from '../../sim/simulation.ts'
import { newTurn } from './turn.ts'

function outcomeOf(
  seed: number,
  options: Partial<SimulationOptions> = {},
): Promise<{ readonly outcome: Outcome; readonly simulation: Simulation }> {
  const simulation = new Simulation({
    seed,
    seconds: 15,
    nodeCount: 1,
    turn: newTurn(),
    ...options,
  })
  return simulation.run().then(outcome => ({ outcome, simulation }))
}

describe('a world of one broker', () => {
  test.each([1, 5, 6, 12])(
    'seed %i: the same seed is the same run, to the last byte',
    async seed => {
      const first = await outcomeOf(seed)
      const second = await outcomeOf(seed)
      expect(first.outcome.failures).toEqual([])
      expect(second.outcome).toEqual(first.outcome)
      expect(first.outcome.counts['acked']).toBeGreaterThan(50)
    },
  )

  test('another seed is another run', async () => {
    const hashes = await Promise.all(
      [21, 22].map(async seed => (await outcomeOf(seed)).outcome.hash),
    )
    expect(new Set(hashes).size).toBe(2)
  })

  test('kill -9 at any time loses nothing that was acknowledged', async () => {
    const { outcome, simulation } = await outcomeOf(3, { kinds: ['kill', 'kill-in-write', 'stop'] })
    expect(outcome.failures).toEqual([])
    expect(simulation.world.nodes[0]!.lifeCount).toBeGreaterThan(2)
  })

  test('a lost page cache is found out: what was acknowledged and not flushed is gone', async () => {
    const options = { seed: 4, seconds: 8, nodeCount: 1, turn: newTurn(), kinds: [] }
    const simulation = new Simulation(options)
    const { time, nodes } = simulation.world
    for (const atMs of [3000, 4700, 6100, 7300]) time.after(atMs, () => nodes[0]!.powerOff())
    expect((await simulation.run()).failures.join(' ')).toMatch(/I[1-5]/)
  })
})
