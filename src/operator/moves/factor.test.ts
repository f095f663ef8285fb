import { describe, expect, test } from 'vitest'
import type { ClusterPlaces, PartitionPlace } from '../brokers/brokers.ts'
import { movesToFactor } from './factor.ts'

function places(
  assignments: readonly (readonly number[])[],
  racks: Readonly<Record<number, string>> = {},
): ClusterPlaces {
  return {
    movingCount: 0,
    racks: new Map(Object.entries(racks).map(([id, rack]) => [Number(id), rack])),
    partitions: assignments.map((replicas, index) => {
      return { topic: 't', index, replicas, isMoving: false }
    }),
  }
}

const to = (factor: number) => (): number => factor

function replicasOf(before: ClusterPlaces, factor: number, staying: readonly number[]) {
  return movesToFactor(before, to(factor), staying).moves.map(({ replicas }) => replicas)
}

describe('more replicas', () => {
  test('go to whoever has least, and leaders are spread over all who have some', () => {
    const before = places([[0], [0], [0], [0], [0], [0]])
    expect(replicasOf(before, 2, [0, 1, 2])).toEqual([
      [1, 0],
      [2, 0],
      [1, 0],
      [2, 0],
      [0, 1],
      [0, 2],
    ])
  })

  test('go to racks that have none, before those that have less', () => {
    const before = places([[0]], { 0: 'a', 1: 'a', 2: 'b', 3: 'b', 4: 'c' })
    expect(replicasOf(before, 3, [0, 1, 2, 3, 4])).toEqual([[0, 2, 4]])
  })

  test('are not asked for where there are too few brokers, which is told', () => {
    const { moves, stuck } = movesToFactor(places([[0]]), to(3), [0, 1])
    expect([moves, stuck]).toMatchObject([[], [{ topic: 't', index: 0 }]])
  })

  test('are asked for once, and not for more than fifty partitions at a time', () => {
    const many = places(Array.from({ length: 60 }, () => [0]))
    const some = { ...many, movingCount: 20 }
    const found = movesToFactor(some, to(2), [0, 1])
    expect(found.moves).toHaveLength(30)
    expect(found.waitingCount).toBe(60)
  })

  test('that are on their way are waited for', () => {
    const place: PartitionPlace = { topic: 't', index: 0, replicas: [0, 1, 2], isMoving: true }
    const before = { ...places([]), movingCount: 1, partitions: [{ ...place, removing: [] }] }
    expect(movesToFactor(before, to(3), [0, 1, 2])).toMatchObject({ moves: [], movingCount: 1 })
  })
})

describe('fewer replicas', () => {
  test('are those of brokers that leave, then those that share a rack, then those of whoever has most', () => {
    expect(replicasOf(places([[0, 1, 2]]), 2, [0, 2])).toEqual([[0, 2]])
    const racks = { 0: 'a', 1: 'b', 2: 'a' }
    expect(replicasOf(places([[0, 1, 2]], racks), 2, [0, 1, 2])).toEqual([[0, 1]])
    const busy = places([[0, 1, 2], [1]])
    expect(movesToFactor(busy, ({ index }) => (index === 0 ? 2 : null), [0, 1, 2]).moves).toEqual([
      { topic: 't', index: 0, replicas: [0, 2] },
    ])
  })

  test('keep the preferred leader, and the last one in any case', () => {
    expect(replicasOf(places([[2, 0, 1]]), 1, [0, 1, 2])).toEqual([[2]])
    expect(replicasOf(places([[0, 1]]), 1, [])).toEqual([[0]])
  })

  test('end at once what was on its way to more', () => {
    const place = { topic: 't', index: 0, replicas: [0, 1, 2], isMoving: true, removing: [] }
    const before = { ...places([]), movingCount: 1, partitions: [place] }
    expect(replicasOf(before, 1, [0, 1, 2])).toEqual([[0]])
  })

  test('end what was on its way also while as many move as may, and nothing else begins', () => {
    const places50 = Array.from({ length: 50 }, (_, index) => {
      return { topic: 't', index, replicas: [0, 1, 2], isMoving: true, removing: [] }
    })
    const waiting = { topic: 't', index: 50, replicas: [0, 1], isMoving: false }
    const partitions = [waiting, ...places50]
    const found = movesToFactor({ racks: new Map(), movingCount: 50, partitions }, to(1), [0, 1, 2])
    expect(found.moves.map(({ index }) => index)).toEqual(places50.map(({ index }) => index))
    expect(found).toMatchObject({ movingCount: 50, waitingCount: 1 })
  })
})
