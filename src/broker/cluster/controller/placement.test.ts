import { describe, expect, test } from 'vitest'
import { registered } from '../../../../test/metadata/brokers.ts'
import { Prng } from '../../../lib/prng.ts'
import { MetadataImage } from '../../metadata/image.ts'
import { place, racksOf } from './placement.ts'

const prng = new Prng(11)

/** Brokers from 0 on, of which rack r has as many as the list says at r. */
function brokersIn(...counts: readonly number[]) {
  const rackById = new Map<number, string>()
  for (const [rack, count] of counts.entries()) {
    for (let nth = 0; nth < count; nth++) rackById.set(rackById.size, `rack-${rack}`)
  }
  const rackOf = (id: number): string => rackById.get(id)!
  return { brokers: [...rackById.keys()], rackOf }
}

function countsOf(ids: readonly number[]): number[] {
  return [...Map.groupBy(ids, id => id).values()].map(({ length }) => length)
}

describe('replicas', () => {
  test.each([
    { racks: [2, 2, 2] },
    { racks: [1, 1, 1] },
    { racks: [4, 4] },
    { racks: [3, 2, 1] },
    { racks: [5, 1] },
    { racks: [6] },
  ])('lie in as many racks as they can: $racks', ({ racks }) => {
    const { brokers, rackOf } = brokersIn(...racks)
    for (let replicationFactor = 1; replicationFactor <= brokers.length; replicationFactor++) {
      const wish = { brokers, replicationFactor, rackOf, partitionCount: 60, start: prng.uint32() }
      for (const ids of place(wish)) {
        expect(new Set(ids).size).toBe(replicationFactor)
        const used = racks.map((size, rack) => {
          return { size, count: ids.filter(id => rackOf(id) === `rack-${rack}`).length }
        })
        const most = Math.max(...used.map(({ count }) => count))
        // Whoever has fewer has no more brokers.
        for (const { size, count } of used)
          expect(count).toBeGreaterThanOrEqual(Math.min(size, most - 1))
      }
    }
  })

  test('and leaders are spread evenly where racks have the same number of brokers', () => {
    const { brokers, rackOf } = brokersIn(2, 2, 2)
    const wish = { brokers, rackOf, replicationFactor: 3, partitionCount: 120, start: 5 }
    const placed = place(wish)
    expect(countsOf(placed.map(([leader]) => leader!))).toEqual(brokers.map(() => 20))
    for (const count of countsOf(placed.flat())) expect(Math.abs(count - 60)).toBeLessThanOrEqual(6)
  })
})

test('racks are those that brokers registered', () => {
  const image = MetadataImage.empty.applyBatch(1, [registered(1, { rack: 'a' }), registered(2)])
  expect([1, 2, 3].map(racksOf(image))).toEqual(['a', null, null])
})
