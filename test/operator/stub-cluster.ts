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
  /** What each broker, as a leader, tells of replicas that are not in sync. */
  readonly catchingUp = new Map<number, BrokerStatus['catchingUp']>()
  /** Each election, `p-ID>leader`. */
  readonly elections: string[] = []
  /** Who holds what beside that, where a test cares. */
  places: PartitionPlace[] | null = null
  /** What is on its way does not arrive. */
  isCopySlow = false
  readonly #up = new Set<number>()
  /** Partitions that are on their way, and how they were before. */
  readonly #settled = new Map<PartitionPlace, PartitionPlace>()
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
    this.places = (this.places ?? []).map(place => {
      if (place.topic !== topic || place.index !== index) return place
      const settled = this.#settled.get(place) ?? place
      this.#settled.delete(place)
      if (replicas === null) return settled
      const removing = place.replicas.filter(id => !replicas.includes(id))
      const on = { ...place, replicas: [...replicas, ...removing], isMoving: true, removing }
      this.#settled.set(on, settled)
      return on
    })
  }

  /** What is on its way arrives. */
  #arrive(): void {
    if (this.isCopySlow) return
    this.#settled.clear()
    this.places =
      this.places?.map(({ removing = [], ...place }) => ({
        ...place,
        replicas: place.replicas.filter(id => !removing.includes(id)),
        isMoving: false,
      })) ?? null
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
