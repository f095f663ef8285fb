import type { ClusterPlaces, PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'

/** How many partitions are on their way at a time: what is copied for them has the brokers' disks and network beside clients. */
const movingMax = 50

export interface Moves {
  /** What is asked for now. */
  readonly moves: readonly ReplicaMove[]
  /** Partitions that are on their way already. */
  readonly movingCount: number
  /** Partitions that have still to move, without those on their way. */
  readonly waitingCount: number
  /** Partitions that fit nowhere: they have as many replicas as brokers stay, or more. */
  readonly stuck: readonly PartitionPlace[]
}

/** Loads as they will be once everything is where it was asked to be. */
class Loads {
  readonly #replicas = new Map<number, number>()
  readonly #firsts = new Map<number, number>()

  constructor({ partitions }: ClusterPlaces) {
    for (const { replicas } of partitions) this.add(replicas, 1)
  }

  add(replicas: readonly number[], by: 1 | -1): void {
    for (const [at, id] of replicas.entries()) {
      this.#replicas.set(id, this.of(id) + by)
      if (at === 0) this.#firsts.set(id, this.firstsOf(id) + by)
    }
  }

  of(id: number): number {
    return this.#replicas.get(id) ?? 0
  }

  /** Of how many it is the preferred leader. */
  firstsOf(id: number): number {
    return this.#firsts.get(id) ?? 0
  }
}

/**
 * Where the replicas of brokers that leave go: each to the broker of `staying` that has least, in a rack that has none of the
 * partition where there is one. Who stays keeps what he has. Same input, same moves; whoever asks again after some were made gets
 * the rest.
 */
export function movesAway(
  places: ClusterPlaces,
  leaving: ReadonlySet<number>,
  staying: readonly number[],
): Moves {
  const loads = new Loads(places)
  const concerned = places.partitions.filter(({ replicas }) => replicas.some(id => leaving.has(id)))
  const moving = places.partitions.filter(({ isMoving }) => isMoving)
  const moves: ReplicaMove[] = []
  const stuck: PartitionPlace[] = []
  for (const place of concerned) {
    if (place.isMoving) continue
    const replicas = without(place, { leaving, staying, loads, racks: places.racks })
    if (replicas === null) {
      stuck.push(place)
      continue
    }
    loads.add(place.replicas, -1)
    loads.add(replicas, 1)
    moves.push({ topic: place.topic, index: place.index, replicas })
  }
  const now = moves.slice(0, Math.max(0, movingMax - moving.length))
  return {
    moves: now,
    movingCount: moving.length,
    waitingCount: moves.length,
    stuck,
  }
}

interface Choice {
  readonly leaving: ReadonlySet<number>
  readonly staying: readonly number[]
  readonly loads: Loads
  readonly racks: ClusterPlaces['racks']
}

function without({ replicas }: PartitionPlace, choice: Choice): number[] | null {
  const { leaving, staying, loads, racks } = choice
  const after = replicas.filter(id => !leaving.has(id))
  const taken = new Set(after)
  const result: number[] = []
  for (const [at, id] of replicas.entries()) {
    if (!leaving.has(id)) {
      result.push(id)
      continue
    }
    const used = new Set([...taken].map(each => racks.get(each) ?? null))
    const isSameRack = (each: number): boolean => {
      const rack = racks.get(each) ?? null
      return rack !== null && used.has(rack)
    }
    const [next] = staying
      .filter(each => !taken.has(each))
      .toSorted(
        (a, b) =>
          Number(isSameRack(a)) - Number(isSameRack(b)) ||
          loads.of(a) - loads.of(b) ||
          (at === 0 ? loads.firstsOf(a) - loads.firstsOf(b) : 0) ||
          a - b,
      )
    if (next === undefined) return null
    taken.add(next)
    result.push(next)
  }
  return result
}

/**
 * What brokers that hold nothing are given, until each holds as many replicas as the others: from whoever has most, and of those
 * partitions for which the racks stay as many. All in one request, so that whoever is interrupted finds them still empty, or served.
 */
export function movesTo(
  places: ClusterPlaces,
  empty: readonly number[],
  all: readonly number[],
): readonly ReplicaMove[] {
  const loads = new Loads(places)
  const total = places.partitions.reduce((sum, { replicas }) => sum + replicas.length, 0)
  const fair = Math.floor(total / all.length)
  const fairFirsts = Math.floor(places.partitions.length / all.length)
  const movable = places.partitions.filter(({ isMoving }) => !isMoving)
  const moved = new Map<PartitionPlace, number[]>()
  for (const id of empty) {
    for (const place of movable) {
      if (loads.of(id) >= fair) break
      if (moved.has(place) || place.replicas.includes(id)) continue
      const donor = donorOf(place, { id, loads, fair, fairFirsts, racks: places.racks })
      if (donor === null) continue
      const replicas = place.replicas.map(each => (each === donor ? id : each))
      loads.add(place.replicas, -1)
      loads.add(replicas, 1)
      moved.set(place, replicas)
    }
  }
  return Array.from(moved, ([{ topic, index }, replicas]) => ({ topic, index, replicas }))
}

interface Giving {
  readonly id: number
  readonly loads: Loads
  readonly fair: number
  readonly fairFirsts: number
  readonly racks: ClusterPlaces['racks']
}

/** Of the replicas of a partition the one of a broker that has more than is fair; null where none has. */
function donorOf({ replicas }: PartitionPlace, giving: Giving): number | null {
  const { id, loads, fair, fairFirsts, racks } = giving
  const rackOf = (each: number): string => racks.get(each) ?? `${each}`
  const racksOf = (ids: readonly number[]): number => new Set(ids.map(rackOf)).size
  const [donor] = replicas
    .filter((each, at) => {
      if (loads.of(each) <= fair) return false
      if (at === 0 && loads.firstsOf(id) >= fairFirsts) return false
      return racksOf(replicas.map(one => (one === each ? id : one))) >= racksOf(replicas)
    })
    .toSorted((a, b) => loads.of(b) - loads.of(a) || a - b)
  return donor ?? null
}
