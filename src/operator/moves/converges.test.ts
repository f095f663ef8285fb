import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Prng } from '../../lib/prng.ts'
import type { ClusterPlaces, PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'
import { movesAway } from './away.ts'
import { movesToFactor } from './factor.ts'
import type { Moves } from './moves.ts'
import { movesTo } from './share.ts'

const golden = join(import.meta.dirname, '../../../test/golden/moves')

type Racks = ClusterPlaces['racks']
type Plan = (places: ClusterPlaces) => Moves

function cluster(assignments: readonly (readonly number[])[], racks: Racks): ClusterPlaces {
  const partitions = assignments.map((replicas, index) => {
    return { topic: 't', index, replicas, isMoving: false }
  })
  return { racks, partitions, movingCount: 0 }
}

/** As the controller takes it: who is to go stays until all who come are there. */
function begun(place: PartitionPlace, moves: readonly ReplicaMove[]): PartitionPlace {
  const replicas = moves.find(({ index }) => index === place.index)?.replicas ?? null
  if (replicas === null) return place
  const removing = place.replicas.filter(id => !replicas.includes(id))
  return { ...place, replicas: [...replicas, ...removing], removing, isMoving: true }
}

function arrived({ removing = [], ...place }: PartitionPlace): PartitionPlace {
  return {
    ...place,
    replicas: place.replicas.filter(id => !removing.includes(id)),
    isMoving: false,
  }
}

function counted(partitions: readonly PartitionPlace[], racks: Racks): ClusterPlaces {
  return { racks, partitions, movingCount: partitions.filter(({ isMoving }) => isMoving).length }
}

/** Asks until nothing is asked any more; of what is on its way `arrives` decides what has arrived by the next time. */
function carriedOut(before: ClusterPlaces, plan: Plan, arrives: () => boolean): ClusterPlaces {
  let places = before
  for (let round = 0; round < 1000; round++) {
    const found = plan(places)
    expect(plan(places)).toEqual(found)
    const asked = places.partitions.map(place => begun(place, found.moves))
    const onTheirWay = asked.filter(({ isMoving }) => isMoving).length
    expect(onTheirWay).toBeLessThanOrEqual(50)
    if (onTheirWay === 0) return places
    places = counted(
      asked.map(place => (place.isMoving && arrives() ? arrived(place) : place)),
      places.racks,
    )
  }
  throw new Error('it does not come to an end')
}

function replicas({ partitions }: ClusterPlaces): readonly (readonly number[])[] {
  return partitions.map(place => place.replicas)
}

function countOf(places: ClusterPlaces, id: number): number {
  return replicas(places)
    .flat()
    .filter(each => each === id).length
}

function firstsOf(places: ClusterPlaces, id: number): number {
  return replicas(places).filter(([first]) => first === id).length
}

function racksOf(ids: readonly number[], racks: Racks): number {
  return new Set(ids.map(id => racks.get(id) ?? `${id}`)).size
}

/** Any cluster: so many brokers in so many racks, or in none, with partitions of one number of replicas. */
function anyCluster(
  prng: Prng,
  factorMax = 4,
): ClusterPlaces & { readonly ids: readonly number[] } {
  const size = 1 + prng.below(8)
  const rackCount = prng.below(4)
  const ids = Array.from({ length: size }, (_, at) => at)
  const racks = new Map(ids.map(id => [id, rackCount === 0 ? null : `r${prng.below(rackCount)}`]))
  const factor = 1 + prng.below(Math.min(size, factorMax))
  const assignments = Array.from({ length: prng.below(120) }, () =>
    ids
      .map(id => ({ id, key: prng.below(1_000_000) }))
      .toSorted((a, b) => a.key - b.key || a.id - b.id)
      .slice(0, factor)
      .map(({ id }) => id),
  )
  return { ...cluster(assignments, racks), ids }
}

describe('whatever is on its way when somebody asks again', () => {
  test('every partition comes to as many replicas as are wanted, on brokers that stay, in as many racks as there are', () => {
    for (let seed = 0; seed < 30; seed++) {
      const prng = new Prng(seed)
      const before = anyCluster(prng)
      const factor = 1 + prng.below(before.ids.length)
      const after = carriedOut(
        before,
        places => movesToFactor(places, () => factor, before.ids),
        () => prng.below(2) === 0,
      )
      const rackCount = racksOf(before.ids, before.racks)
      for (const [at, ids] of replicas(after).entries()) {
        expect(ids).toHaveLength(factor)
        expect(new Set(ids).size).toBe(factor)
        const had = replicas(before)[at]!
        if (ids.length < had.length) {
          expect(racksOf(ids, before.racks)).toBe(Math.min(factor, racksOf(had, before.racks)))
        }
        const added = ids.filter(id => !had.includes(id)).length
        const able = Math.min(rackCount, racksOf(had, before.racks) + added)
        if (added > 0) expect(racksOf(ids, before.racks)).toBe(able)
      }
    }
  })

  test('brokers that leave end up with nothing, and partitions keep their number of replicas', () => {
    for (let seed = 0; seed < 30; seed++) {
      const prng = new Prng(seed)
      const before = anyCluster(prng, 3)
      const factor = replicas(before)[0]?.length ?? 1
      const leavingCount = prng.below(before.ids.length - factor + 1)
      const leaving = new Set(before.ids.slice(0, leavingCount))
      const staying = before.ids.filter(id => !leaving.has(id))
      const after = carriedOut(
        before,
        places => movesAway(places, leaving, staying),
        () => prng.below(2) === 0,
      )
      for (const ids of replicas(after)) {
        expect(new Set(ids).size).toBe(factor)
        expect(ids.filter(id => leaving.has(id))).toEqual([])
      }
    }
  })

  test('brokers that come get no more than their share, and nobody who gives comes below it', () => {
    for (let seed = 0; seed < 30; seed++) {
      const prng = new Prng(seed)
      const before = anyCluster(prng)
      const arriving = [100, 101].slice(0, 1 + prng.below(2))
      const all = [...before.ids, ...arriving]
      const after = carriedOut(
        before,
        places => movesTo(places, arriving, all),
        () => prng.below(2) === 0,
      )
      const fair = Math.floor(replicas(before).flat().length / all.length)
      const fairFirsts = Math.floor(replicas(before).length / all.length)
      for (const id of arriving) {
        expect(countOf(after, id)).toBeLessThanOrEqual(fair)
        expect(firstsOf(after, id)).toBeLessThanOrEqual(fairFirsts)
      }
      for (const id of before.ids) {
        expect(countOf(after, id)).toBeGreaterThanOrEqual(Math.min(fair, countOf(before, id)))
      }
      for (const [at, ids] of replicas(after).entries()) {
        const had = replicas(before)[at]!
        expect(new Set(ids).size).toBe(had.length)
        expect(racksOf(ids, before.racks)).toBeGreaterThanOrEqual(racksOf(had, before.racks))
      }
    }
  })
})

/** Each partition, and what each broker has in the end. */
function drawn(title: string, places: ClusterPlaces, ids: readonly number[]): string {
  const partitions = replicas(places).map((each, at) => `  ${at}: ${each.join(' ')}`)
  const loads = ids.map(id => `  ${id}: ${countOf(places, id)}, leads ${firstsOf(places, id)}`)
  return [title, ...partitions, 'replicas of brokers:', ...loads, ''].join('\n')
}

test('1 to 3 to 5 to 3, and without a chosen one, as drawn', async () => {
  const zones = new Map([0, 1, 2, 3, 4].map(id => [id, `zone-${id % 3}`]))
  const always = (): boolean => true
  const one = cluster(
    Array.from({ length: 12 }, () => [0]),
    zones,
  )
  const three = carriedOut(one, places => movesToFactor(places, () => 3, [0, 1, 2]), always)
  const five = carriedOut(three, places => movesTo(places, [3, 4], [0, 1, 2, 3, 4]), always)
  const back = carriedOut(five, places => movesAway(places, new Set([3, 4]), [0, 1, 2]), always)
  const chosen = carriedOut(five, places => movesAway(places, new Set([1]), [0, 2, 3, 4]), always)
  const text = [
    drawn('three brokers, with three replicas instead of one', three, [0, 1, 2]),
    drawn('two more, which are given their share', five, [0, 1, 2, 3, 4]),
    drawn('those two leave again', back, [0, 1, 2]),
    drawn('or instead of them broker 1', chosen, [0, 2, 3, 4]),
  ]
  await expect(text.join('\n')).toMatchFileSnapshot(`${golden}/one-three-five.txt`)
})
