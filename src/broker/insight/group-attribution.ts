import type { GroupViews } from '../coordinator/group-views.ts'

/** Who fetches: as much as a fetch tells. */
export interface Fetcher {
  readonly clientId: string | null
  readonly host: string
  readonly topic: string
  readonly partition: number
}

/**
 * For which group somebody fetches. A fetch does not say; it counts for a group when exactly one group has that
 * partition assigned to a member with the same client id and host, and for none ('') otherwise: never guessed.
 */
export class GroupAttribution {
  readonly #views: GroupViews
  #revision = -1
  /** null where two groups could be meant. */
  #groups = new Map<string, string | null>()

  constructor(views: GroupViews) {
    this.#views = views
  }

  groupOf({ clientId, host, topic, partition }: Fetcher): string {
    if (this.#revision !== this.#views.revision) this.#refresh()
    return this.#groups.get(keyOf(clientId ?? '', host, topic, partition)) ?? ''
  }

  #refresh(): void {
    this.#revision = this.#views.revision
    this.#groups = new Map()
    for (const { groupId, clientId, clientHost, topics } of this.#views.assignments()) {
      const host = clientHost.replace(/^\//, '')
      for (const { topic, partitions } of topics) {
        for (const partition of partitions) {
          const key = keyOf(clientId, host, topic, partition)
          const known = this.#groups.get(key)
          this.#groups.set(key, known === undefined || known === groupId ? groupId : null)
        }
      }
    }
  }
}

function keyOf(clientId: string, host: string, topic: string, partition: number): string {
  return `${clientId}\u0000${host}\u0000${topic}\u0000${partition}`
}
