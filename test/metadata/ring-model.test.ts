import { describe, expect, test } from 'vitest'
import { emptySlots } from '../../src/broker/metadata/kubernetes/genesis.ts'
import { otherSide } from '../../src/broker/metadata/kubernetes/ring.ts'
import { explore, type Bounds, type Planted } from './ring-model.ts'

/**
 * Two controllers each, to the end. Larger bounds were searched by hand, without a violation: 4 sequences with a lost answer
 * (256,795 states), 6 in a ring of three slots (521,590).
 */
const searches: readonly (Bounds & { readonly what: string })[] = [
  {
    what: 'answers that are lost, and updates that come late',
    slotCount: 2,
    partCount: 1,
    sequenceMax: 3,
    lostMax: 1,
    takeoversOfEach: [1, 1],
  },
  {
    what: 'two turns of the ring, and snapshots of two chunks',
    slotCount: 2,
    partCount: 2,
    sequenceMax: 4,
    lostMax: 0,
    takeoversOfEach: [1, 1],
  },
  {
    what: 'three slots, and readers that see them at different times',
    slotCount: 3,
    partCount: 1,
    sequenceMax: 4,
    lostMax: 0,
    takeoversOfEach: [1, 1],
  },
]

describe('every order of what can happen to the ring', () => {
  test.each(searches)('keeps one log and its snapshot: $what', bounds => {
    const { violation, outcomes } = explore(bounds)
    expect(violation).toBe(null)
    for (const type of ['claim', 'record', 'snapshot']) {
      for (const outcome of ['committed', 'lost']) expect(outcomes).toContain(`${type} ${outcome}`)
    }
    // Given up, written late, and overwritten by a whole turn of others: nobody will ever know.
    if (bounds.lostMax > 0) expect(outcomes).toContain('claim failed')
  })
})

/** What would break it; each is a line that somebody could write. */
const bugs: readonly (readonly [string, number, RegExp, Planted])[] = [
  [
    'a conflict is taken for success',
    0,
    /told committed, and is not/,
    (_, reply) => (reply.type === 'conflict' ? { type: 'stored' } : reply),
  ],
  [
    'silence is taken for success',
    0,
    /told committed, and is not/,
    (request, reply) => {
      const isSilence = request.type === 'put' && reply.type === 'unavailable'
      return isSilence ? { type: 'stored' } : reply
    },
  ],
  [
    'chunks of a higher epoch are overwritten',
    1,
    /chunk .\d of the snapshot in use was destroyed/,
    (_, reply, epoch) => {
      if (reply.type !== 'found' || 'kind' in reply.content) return reply
      const { content } = reply
      return content.epoch > epoch ? { ...reply, content: { ...content, epoch: 0 } } : reply
    },
  ],
  [
    'snapshots go to the side in use',
    1,
    /was destroyed/,
    (request, reply) => {
      const isLook = reply.type === 'found' && 'kind' in reply.content && request.type === 'get'
      if (!isLook || !('kind' in reply.content) || reply.content.snapshot === null) return reply
      const { content } = reply
      const snapshot = { ...content.snapshot!, side: otherSide(content.snapshot!.side) }
      return { ...reply, content: { ...content, snapshot } }
    },
  ],
  [
    'slots are read from a cache',
    1,
    /went back in time/,
    (request, reply) => {
      if (request.type !== 'get' || request.place.type !== 'slot') return reply
      const old = emptySlots(0, 'empty', { slotCount: 2, chunkCount: 1, chunkBytesMax: 1 })
      const version = { resourceVersion: '0' }
      return { type: 'found', content: old[request.place.index]!.content, version }
    },
  ],
]

test.each(bugs)('is found out where %s', (_, search, what, planted) => {
  const { violation } = explore(searches[search]!, planted)
  expect(violation?.at(-1)).toMatch(what)
})
