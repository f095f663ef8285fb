import type { ClusterPlaces, PartitionPlace } from '../brokers/brokers.ts'

/** Who holds the partition once its reassignment is at its end. */
export function finalReplicas({ replicas, removing = [] }: PartitionPlace): readonly number[] {
  return removing.length === 0 ? replicas : replicas.filter(id => !removing.includes(id))
}

/** Loads of brokers as they will be once everything is where it was asked to be. */
export class Loads {
  readonly #replicas = new Map<number, number>()
  readonly #firsts = new Map<number, number>()

  constructor({ partitions }: Pick<ClusterPlaces, 'partitions'>) {
    for (const place of partitions) this.add(finalReplicas(place), 1)
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

/** Brokers among which somebody is chosen. */
export interface Choice {
  /** Those that may get replicas. */
  readonly staying: readonly number[]
  readonly loads: Loads
  readonly racks: ClusterPlaces['racks']
}

/**
 * Who gets the next replica of a partition that `taken` have: one in a rack that has none of it, where there is one, and of those
 * whoever has least; undefined where all have it. For the first place who is preferred as leader least often goes before.
 */
export function nextReplica(
  { staying, loads, racks }: Choice,
  taken: ReadonlySet<number>,
  isFirst: boolean,
): number | undefined {
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
        (isFirst ? loads.firstsOf(a) - loads.firstsOf(b) : 0) ||
        a - b,
    )
  return next
}

/** With another first one, where that makes the counts of preferred leaders more alike. */
export function ledEvenly(replicas: number[], { loads, staying }: Choice): number[] {
  const [first] = replicas
  const [least] = replicas
    .filter(id => staying.includes(id))
    .toSorted((a, b) => loads.firstsOf(a) - loads.firstsOf(b) || a - b)
  if (least === undefined || loads.firstsOf(least) + 1 >= loads.firstsOf(first!)) return replicas
  return [least, ...replicas.filter(id => id !== least)]
}
