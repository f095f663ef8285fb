import type { GroupViews } from '../coordinator/group-views.ts'

/** Who fetches: as much as a fetch tells. */
export interface Fetcher {
  readonly clientId: string | null
  readonly host: string
  readonly topic: string
  readonly partition: number
}

type AssignmentViews = Pick<GroupViews, 'revision' | 'assignments'>

/** The group that a client reads a partition for; null where two could be meant. */
type ByPartition = Map<number, string | null>

/**
 * For which group somebody fetches. A fetch does not say; it counts for a group when exactly one group has that
 * partition assigned to a member with the same client id and host, and for none ('') otherwise: never guessed.
 */
export class GroupAttribution {
  readonly #views: AssignmentViews
  #refreshed = -1
  /** By client id, host and topic: whoever asks has the names, and makes no key of them. */
  #groups = new Map<string, Map<string, Map<string, ByPartition>>>()

  constructor(views: AssignmentViews) {
    this.#views = views
  }

  /** While it stays, so does every answer of `groupOf`. */
  get revision(): number {
    return this.#views.revision
  }

  groupOf({ clientId, host, topic, partition }: Fetcher): string {
    if (this.#refreshed !== this.#views.revision) this.#refresh()
    return (
      this.#groups
        .get(clientId ?? '')
        ?.get(host)
        ?.get(topic)
        ?.get(partition) ?? ''
    )
  }

  #refresh(): void {
    this.#refreshed = this.#views.revision
    this.#groups = new Map()
    for (const { groupId, clientId, clientHost, topics } of this.#views.assignments()) {
      const ofClient = entryOf(this.#groups, clientId)
      const ofHost = entryOf(ofClient, clientHost.replace(/^\//, ''))
      for (const { topic, partitions } of topics) {
        const groups: ByPartition = entryOf(ofHost, topic)
        for (const partition of partitions) {
          const known = groups.get(partition)
          groups.set(partition, known === undefined || known === groupId ? groupId : null)
        }
      }
    }
  }
}

/** What `map` has at `key`: a map, made now where there was none. */
function entryOf<Key, K, V>(map: Map<Key, Map<K, V>>, key: Key): Map<K, V> {
  let entry = map.get(key)
  if (entry === undefined) map.set(key, (entry = new Map<K, V>()))
  return entry
}
