/** A partition of a topic, as groups name it. */
export interface GroupPartition {
  readonly topic: string
  readonly partition: number
}

/** What the members of one group were told, and what must never be of it (durability.md 5.1). */
export class GroupHistory {
  readonly name: string
  readonly #fail: (what: string) => void
  /** By partition, the greatest that was acknowledged. */
  readonly #committed = new Map<string, number>()
  /** By generation and partition, the member. */
  readonly #owners = new Map<string, string>()
  #newestGeneration = -1
  commitCount = 0

  constructor(name: string, fail: (what: string) => void) {
    this.name = name
    this.#fail = fail
  }

  /** The newest generation whose assignment a member has got: it is durable. */
  get newestGeneration(): number {
    return this.#newestGeneration
  }

  /** What a look at the committed offset, that begins now, may not be below; -1 where anything goes. */
  committed(at: GroupPartition): number {
    return this.#committed.get(keyOf(at)) ?? -1
  }

  assigned(generation: number, member: string, partitions: readonly GroupPartition[]): void {
    this.#newestGeneration = Math.max(this.#newestGeneration, generation)
    for (const at of partitions) {
      const key = `${generation} ${keyOf(at)}`
      const other = this.#owners.get(key) ?? member
      if (other !== member) {
        this.#fail(
          `I13: ${keyOf(at)} has ${member} and ${other} in generation ${generation} of ${this.name}`,
        )
      }
      this.#owners.set(key, member)
    }
  }

  /** `newestBefore`: the newest generation when the commit was sent. */
  acked(
    at: GroupPartition,
    offset: number,
    by: { generation: number; newestBefore: number },
  ): void {
    if (by.generation < by.newestBefore) {
      this.#fail(
        `I14: ${this.name} took a commit of generation ${by.generation} after one of ${by.newestBefore} was there`,
      )
    }
    this.commitCount++
    this.#committed.set(keyOf(at), Math.max(offset, this.committed(at)))
  }

  /** `atLeast`: what `committed` said before it was asked. */
  found(at: GroupPartition, offset: number, atLeast: number): void {
    if (offset < atLeast) {
      this.#fail(`I12: ${this.name} went back from ${atLeast} to ${offset} in ${keyOf(at)}`)
    }
  }
}

function keyOf({ topic, partition }: GroupPartition): string {
  return `${topic}-${partition}`
}
