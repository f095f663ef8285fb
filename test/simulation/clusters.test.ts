import { describe, expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'

describe('worlds of three to five brokers', () => {
  test.each([1, 2, 3])('seed %i: the same seed is the same run, to the last byte', async seed => {
    const first = await runSeed({ seed, seconds: 8 })
    const second = await runSeed({ seed, seconds: 8 })
    expect(first.outcome.failures).toEqual([])
    expect(second.outcome).toEqual(first.outcome)
    expect(first.outcome.counts['acked']).toBeGreaterThan(20)
  })

  test('the death of any process loses nothing that was acknowledged', async () => {
    const { outcome } = await runSeed({ seed: 11, seconds: 15, kinds: ['kill', 'kill-in-write'] })
    expect(outcome.failures).toEqual([])
    expect(outcome.counts['lives']).toBeGreaterThan(outcome.counts['nodes']!)
  })

  test('nor does the loss of a page cache, one machine at a time', async () => {
    const { outcome } = await runSeed({ seed: 12, seconds: 15, kinds: ['power'] })
    expect(outcome.failures).toEqual([])
    expect(outcome.counts['lives']).toBeGreaterThan(outcome.counts['nodes']!)
  })

  test('brokers that are cut off, paused and slow take nothing with them', async () => {
    const kinds = ['pause', 'cut-off', 'one-way', 'half-open', 'slow-disk'] as const
    const { outcome } = await runSeed({ seed: 13, seconds: 15, kinds })
    expect(outcome.failures).toEqual([])
    expect(outcome.counts['faults']).toBeGreaterThan(0)
  })
})
