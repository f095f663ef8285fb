import type {
  BrokerStatus,
  PartitionPlace,
  ReplicaMove,
} from '../../src/operator/brokers/brokers.ts'

type Told = BrokerStatus['brokers'][number]

/**
 * The metadata of a cluster in memory, as far as the operator is told of it: one partition for each broker that prefers it, `p-ID`,
 * with all brokers as replicas, and of three two needed.
 */
export class StubCluster {
  controllerId = -1
  /** Brokers that are not in sync although they run. */
  readonly behind = new Set<number>()
  /** What each broker tells of partitions that are not copied. */
  uncopiedCount = 0
  /** Each election, `p-ID>leader`. */
  readonly elections: string[] = []
  /** Who holds what beside that, where a test cares. */
  places: PartitionPlace[] | null = null
  readonly #up = new Set<number>()
  readonly #arriving: PartitionPlace[] = []
  readonly #known = new Set<number>()
  readonly #drained = new Set<number>()
  /** Leader by the broker that the partition prefers; -1: none. */
  readonly #leaders = new Map<number, number>()

  get drained(): readonly number[] {
    return [...this.#drained]
  }

  /** Those that run now; others have no part in anything. */
  run(ids: ReadonlySet<number>): void {
    this.#arrive()
    for (const id of ids) this.#known.add(id)
    this.#up.clear()
    for (const id of ids) this.#up.add(id)
    this.#elect()
  }

  drain(id: number, isWanted: boolean): void {
    if (isWanted) this.#drained.add(id)
    else this.#drained.delete(id)
    if (!isWanted && this.#inSync().includes(id)) this.#lead(id, id)
    this.#elect()
  }

  /** Replicas that a broker has. */
  held(id: number): number {
    return this.places?.filter(({ replicas }) => replicas.includes(id)).length ?? 3
  }

  /** Both are replicas until everything is copied. */
  move({ topic, index, replicas }: ReplicaMove): void {
    const after = { topic, index, replicas, isMoving: false }
    this.#arriving.push(after)
    this.places = (this.places ?? []).map(place =>
      place.topic === topic && place.index === index
        ? { ...place, replicas: [...new Set([...replicas, ...place.replicas])], isMoving: true }
        : place,
    )
  }

  /** What is on its way arrives. */
  #arrive(): void {
    const arrived = this.#arriving.splice(0)
    this.places =
      this.places?.map(
        place =>
          arrived.find(({ topic, index }) => topic === place.topic && index === place.index) ??
          place,
      ) ?? null
  }

  /** Why a broker is not forgotten; null where it is. */
  forget(id: number): string | null {
    if (this.#up.has(id)) return `Broker ${id} runs. Stop it first.`
    if (this.places?.some(({ replicas }) => replicas.includes(id)))
      return `Broker ${id} holds some.`
    this.#known.delete(id)
    this.#leaders.delete(id)
    return null
  }

  leads(id: number): number {
    return [...this.#leaders.values()].filter(leader => leader === id).length
  }

  told(): Told[] {
    const inSync = this.#inSync()
    const needed = Math.max(1, Math.min(this.#known.size - 1, 2))
    const names = [...this.#leaders.keys()].map(id => `p-${id}`)
    const all = { count: names.length, names }
    const none = { count: 0, names: [] }
    return [...this.#known].map(brokerId => {
      const isIn = inSync.includes(brokerId)
      const left = inSync.length - 1
      const isCurable = this.#known.size - 1 >= needed
      const isRisky = isIn && left < needed && isCurable && left < this.#known.size - 1
      return {
        brokerId,
        isFenced: !this.#up.has(brokerId),
        isDrained: this.#drained.has(brokerId),
        leads: this.leads(brokerId),
        behind: isIn ? none : all,
        underMin: isRisky && left > 0 ? all : none,
        offline: isRisky && left === 0 ? all : none,
        unavoidableCount: 0,
      }
    })
  }

  #inSync(): number[] {
    return [...this.#up].filter(id => !this.behind.has(id))
  }

  #elect(): void {
    const inSync = this.#inSync()
    const willing = inSync.filter(id => !this.#drained.has(id))
    const able = willing.length > 0 ? willing : inSync
    for (const id of this.#known) {
      const leader = this.#leaders.get(id) ?? -1
      if (!able.includes(leader)) this.#lead(id, able.includes(id) ? id : (able[0] ?? -1))
    }
  }

  #lead(partition: number, leader: number): void {
    if (this.#leaders.get(partition) === leader) return
    this.#leaders.set(partition, leader)
    this.elections.push(`p-${partition}>${leader}`)
  }
}
