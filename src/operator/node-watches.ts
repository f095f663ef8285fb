import type { Clock } from '../env/clock.ts'
import { sleep } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import { isForbidden } from './kubernetes/api-error.ts'
import type { KubernetesApi } from './kubernetes/api.ts'
import { Informer } from './kubernetes/informer.ts'
import type { Node } from './kubernetes/objects.ts'
import { resources } from './kubernetes/resources.ts'
import type { WatchApi } from './kubernetes/watch-api.ts'

/** Nodes as watches told of them, of those that somebody asks for. */
export interface Nodes {
  /**
   * Of these, what is known: what `cluster` follows from now on, and nothing else. A node that was never asked for before comes a moment
   * later, and then, as with each change of it, it is that cluster's turn.
   */
  follow(cluster: string, names: ReadonlySet<string>): ReadonlyMap<string, Node>
}

interface NodeWatchesOptions {
  readonly api: KubernetesApi & WatchApi
  readonly clock: Clock
  readonly random: Random
  /** It is that LogCluster's turn, `namespace/name`. */
  readonly tell: (cluster: string) => void
  readonly onFailure: (reason: string) => void
  readonly fatal: (error: unknown) => void
  readonly signal: AbortSignal
}

interface Watched {
  readonly informer: Informer<Node>
  readonly end: AbortController
  readonly clusters: Set<string>
}

/** Who may not look at nodes now may after the next upgrade of the chart. */
const forbiddenPauseMs = 300_000

/**
 * What an informer asks of one node, by `get` and `watch` alone: so the operator needs no right to list nodes. The watch begins with
 * the node as it is, since a resource version that is as old as its last change may be forgotten.
 */
function ofOne(api: KubernetesApi & WatchApi, name: string): WatchApi {
  return {
    page: async resource => {
      const found = await api.get(resource, { name })
      return { items: found === null ? [] : [found], resourceVersion: anyVersion, next: null }
    },
    latest: () => Promise.resolve(anyVersion),
    watch: (resource, scope, from) => api.watch(resource, scope, from),
  }
}

/** "What there is, and every change from there on." */
const anyVersion = '0'

/** A watch for each node that carries a broker, by its name: a cluster of thousands of nodes is never listed. */
export class NodeWatches implements Nodes {
  readonly #options: NodeWatchesOptions
  readonly #watched = new Map<string, Watched>()

  constructor(options: NodeWatchesOptions) {
    this.#options = options
  }

  follow(cluster: string, names: ReadonlySet<string>): ReadonlyMap<string, Node> {
    for (const [name, watched] of this.#watched) {
      if (!names.has(name) && watched.clusters.delete(cluster)) this.#endUnused(name, watched)
    }
    const found = new Map<string, Node>()
    for (const name of names) {
      const { informer, clusters } = this.#watched.get(name) ?? this.#begin(name)
      clusters.add(cluster)
      const node = informer.get({ name })
      if (node !== undefined) found.set(name, node)
    }
    return found
  }

  #begin(name: string): Watched {
    const { api, clock, random, onFailure, tell, fatal, signal } = this.#options
    const end = new AbortController()
    const clusters = new Set<string>()
    const informer = new Informer<Node>({
      api: ofOne(api, name),
      clock,
      random,
      resource: resources.nodes,
      scope: { fieldSelector: `metadata.name=${name}` },
      indexOf: () => null,
      onChange: () => {
        for (const cluster of clusters) tell(cluster)
      },
      onFailure,
      signal: AbortSignal.any([signal, end.signal]),
    })
    const watched = { informer, end, clusters }
    this.#watched.set(name, watched)
    this.#run(name, watched).catch(fatal)
    return watched
  }

  /** An install without rights on nodes asks now and then, and is told of no cordon. */
  async #run(name: string, { informer, end }: Watched): Promise<void> {
    const { clock, signal } = this.#options
    while (!end.signal.aborted && !signal.aborted) {
      if (await this.#mayLook(name)) return informer.run()
      await sleep(clock, forbiddenPauseMs)
    }
  }

  async #mayLook(name: string): Promise<boolean> {
    const { api } = this.#options
    try {
      await api.get(resources.nodes, { name })
      return true
    } catch (error) {
      // What passes is the informer's to try again.
      return !isForbidden(error)
    }
  }

  #endUnused(name: string, { clusters, end }: Watched): void {
    if (clusters.size > 0) return
    this.#watched.delete(name)
    end.abort()
  }
}
