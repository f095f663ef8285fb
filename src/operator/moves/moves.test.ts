import { describe, expect, test } from 'vitest'
import type { ClusterPlaces, ReplicaMove } from '../brokers/brokers.ts'
import { movesAway } from './away.ts'
import { movesTo } from './share.ts'

function places(
  assignments: readonly (readonly number[])[],
  racks: Readonly<Record<number, string>> = {},
  moving: readonly number[] = [],
): ClusterPlaces {
  return {
    movingCount: moving.length,
    racks: new Map(Object.entries(racks).map(([id, rack]) => [Number(id), rack])),
    partitions: assignments.map((replicas, index) => {
      return { topic: 't', index, replicas, isMoving: moving.includes(index) }
    }),
  }
}

/** The assignments once `moves` are made. */
function after({ partitions }: ClusterPlaces, moves: readonly ReplicaMove[]) {
  return partitions.map(
    ({ index, replicas }) => moves.find(move => move.index === index)?.replicas ?? replicas,
  )
}

function counts(assignments: readonly (readonly number[])[]): Record<number, number> {
  const found: Record<number, number> = {}
  for (const id of assignments.flat()) found[id] = (found[id] ?? 0) + 1
  return found
}

describe('brokers that leave', () => {
  test('give each replica to whoever has least, in its place, and who stays keeps what he has', () => {
    const before = places([
      [3, 0, 1],
      [0, 1, 2],
      [1, 2, 3],
      [0, 1, 2],
    ])
    const { moves, stuck } = movesAway(before, new Set([3]), [0, 1, 2])
    expect(moves).toEqual([
      { topic: 't', index: 0, replicas: [2, 0, 1] },
      { topic: 't', index: 2, replicas: [1, 2, 0] },
    ])
    expect(stuck).toEqual([])
  })

  test('go to a rack that has no other replica, where there is one', () => {
    const before = places([[3, 0]], { 0: 'a', 1: 'a', 2: 'b', 3: 'b' })
    const busy = { ...before, partitions: [...before.partitions, ...places([[2], [2]]).partitions] }
    expect(movesAway(busy, new Set([3]), [0, 1, 2]).moves[0]!.replicas).toEqual([0, 2])
  })

  test('are not asked twice for what is on its way, and not for more than fifty at a time', () => {
    const many = places(
      Array.from({ length: 80 }, () => [1, 0]),
      {},
      [0, 1, 2],
    )
    const found = movesAway(many, new Set([1]), [0, 2, 3])
    expect(found.moves).toHaveLength(47)
    expect(found.moves.map(({ index }) => index)).not.toContain(1)
    expect(found).toMatchObject({ movingCount: 3, waitingCount: 77 })
  })

  test('keep what fits nowhere else, which is told', () => {
    const { moves, stuck } = movesAway(places([[0, 1, 2], [2]]), new Set([2]), [0, 1])
    expect(moves).toEqual([{ topic: 't', index: 1, replicas: [1] }])
    expect(stuck).toMatchObject([{ topic: 't', index: 0 }])
  })

  test('leave together, and to nobody who leaves too', () => {
    const before = places([
      [3, 4],
      [4, 0],
    ])
    const { moves } = movesAway(before, new Set([3, 4]), [0, 1, 2])
    const held = new Set(after(before, moves).flat())
    expect([...held].toSorted((a, b) => a - b)).toEqual([0, 1, 2])
  })
})

describe('brokers that come', () => {
  test('get their share of replicas and of leaders', () => {
    const before = places(Array.from({ length: 12 }, (_, at) => [at % 3, (at + 1) % 3]))
    const result = after(before, movesTo(before, [3], [0, 1, 2, 3]).moves)
    expect(counts(result)).toEqual({ 0: 6, 1: 6, 2: 6, 3: 6 })
    expect(result.filter(([first]) => first === 3)).toHaveLength(3)
    for (const replicas of result) expect(new Set(replicas).size).toBe(2)
  })

  test('get nothing where everybody has as much as is fair', () => {
    expect(movesTo(places([[0], [1]]), [2], [0, 1, 2]).moves).toEqual([])
  })

  test('do not take a partition into fewer racks', () => {
    const racks = { 0: 'a', 1: 'b', 2: 'a', 3: 'b' }
    const before = places(
      [
        [0, 1],
        [0, 1],
        [1, 0],
        [1, 0],
      ],
      racks,
    )
    const result = after(before, movesTo(before, [2, 3], [0, 1, 2, 3]).moves)
    expect(counts(result)).toEqual({ 0: 2, 1: 2, 2: 2, 3: 2 })
    for (const [a, b] of result) expect(racks[a as 0]).not.toBe(racks[b as 0])
  })
})
