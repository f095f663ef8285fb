import { describe, expect, test } from 'vitest'
import { encodeEntry } from '../../src/broker/metadata/copy/copy-entry.ts'
import { Simulation } from '../../sim/simulation.ts'
import { runSeed } from './run-seed.ts'
import { newTurn } from './turn.ts'

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

  test('nor does a disk that fails, is replaced, or comes back as it was earlier', async () => {
    const kinds = ['disk-error', 'disk-emptied', 'disk-older'] as const
    const { outcome } = await runSeed({ seed: 101, seconds: 15, kinds })
    expect(outcome.failures).toEqual([])
    expect(outcome.counts['lives']).toBeGreaterThan(outcome.counts['nodes']!)
  })

  test('replicas move, topics come and go, and the controller stops in the middle of an append', async () => {
    const kinds = ['reassign', 'topics', 'pause-in-append', 'own-clock'] as const
    const { outcome } = await runSeed({ seed: 101, seconds: 15, kinds })
    expect(outcome.failures).toEqual([])
    expect(outcome.counts['faults']).toBeGreaterThan(5)
  })

  test.each([
    ['a record that was there is another one', 'I10: the metadata log has another record', -2],
    ['a record is gone', 'I10: record', -1],
  ])('I10: %s', async (_, said, at) => {
    const options = { seed: 14, seconds: 3, nodeCount: 3, turn: newTurn(), kinds: [] }
    const simulation = new Simulation(options)
    const { time, medium } = simulation.world
    time.after(3000, () => {
      const { records } = medium
      const end = records.at(-1)!
      const hash = '0'.repeat(64)
      if (at === -1) records.push({ ...end, sequence: end.sequence + 2, hash })
      else records.splice(-2, 2, { ...records.at(-2)!, hash }, { ...end, hash })
    })
    expect((await simulation.run()).failures[0]).toContain(said)
  })

  test('I10: a broker that followed what the metadata log never had is found out', async () => {
    const simulation = new Simulation({
      seed: 14,
      seconds: 3,
      nodeCount: 3,
      turn: newTurn(),
      kinds: [],
    })
    const { time, nodes } = simulation.world
    time.after(3000, () => {
      const { disk } = nodes[0]!
      const hash = '0'.repeat(64)
      const facts = { sequence: 999, epoch: 9, hash, previousHash: hash }
      const entry = encodeEntry({ kind: 'record', ...facts, payload: new Uint8Array(0) })
      const path = '/data/metadata.copy'
      const file = disk.open(path, 'write')
      file.write(disk.stat(path)!.size, [entry])
      file.close()
    })
    expect((await simulation.run()).failures[0]).toContain('I10: broker-0 followed a record 999')
  })

  test('I11: who is in sync and does not have all that was visible is found out before it leads', async () => {
    const simulation = new Simulation({
      seed: 14,
      seconds: 6,
      nodeCount: 3,
      turn: newTurn(),
      kinds: [],
    })
    const { time, nodes } = simulation.world
    time.after(5000, () => {
      for (const node of nodes) {
        const replicas = node.replicas.bind(node)
        node.replicas = () =>
          [...replicas()].map(view => (view.leader === node.id ? view : { ...view, endOffset: 0 }))
      }
    })
    expect((await simulation.run()).failures[0]).toMatch(/^I11: broker-\d may be elected for /)
  })
})
