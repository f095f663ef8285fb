import { ApiError } from '../../src/operator/kubernetes/api-error.ts'
import type { KubernetesApi, ListScope } from '../../src/operator/kubernetes/api.ts'
import type { Cache } from '../../src/operator/kubernetes/cache.ts'
import type {
  Draft,
  ExactObject,
  ObjectName,
  Stored,
} from '../../src/operator/kubernetes/objects.ts'
import type { Resource } from '../../src/operator/kubernetes/resources.ts'
import { definitions } from '../../src/operator/crd/definitions.ts'
import { apiVersion } from '../../src/operator/crd/object.ts'
import { deepMerge, without } from './merge.ts'
import { asStored } from './server-forms.ts'

/** Called before and after each write that the operator sends, with its number from 1; what it throws is what the operator gets. */
export type OnWrite = (moment: 'before' | 'after', number: number, what: string) => void

type Tree = Record<string, unknown>

/**
 * An API server in memory, as far as the operator uses one: versions, uids and generations, server-side apply by one
 * manager, conflicts, finalizers, owners. Its caches are never behind.
 */
export class MemoryApi implements KubernetesApi {
  /** Every write that was done, `create ConfigMap orders-md-00`. */
  readonly writes: string[] = []
  onWrite: OnWrite = () => {}
  /** A mutating webhook. */
  mutate: (draft: Draft) => Draft = draft => draft
  /** Kinds that the operator has no right to look at. */
  readonly forbidden = new Set<string>()
  readonly #objects = new Map<string, Stored>()
  readonly #applied = new Map<string, Tree>()
  #version = 0
  #uid = 0
  /** Writes that were sent, done or not. */
  sent = 0

  get<Object extends Stored>(resource: Resource<Object>, at: ObjectName): Promise<Object | null> {
    if (this.forbidden.has(resource.kind)) return Promise.reject(refused(403, 'Forbidden'))
    return Promise.resolve(this.find<Object>(resource.kind, at))
  }

  list<Object extends Stored>(resource: Resource<Object>, scope: ListScope): Promise<Object[]> {
    const wanted = (scope.labelSelector ?? '').split(',').filter(each => each !== '')
    const found = this.all<Object>(resource.kind).filter(
      ({ metadata }) =>
        (scope.namespace === undefined || metadata.namespace === scope.namespace) &&
        (scope.fieldSelector ?? `metadata.name=${metadata.name}`) ===
          `metadata.name=${metadata.name}` &&
        wanted.every(each => selects(each, metadata.labels ?? {})),
    )
    return Promise.resolve(found)
  }

  create<Object extends Stored>(resource: Resource<Object>, draft: Draft): Promise<Object> {
    return this.#write(`create ${resource.kind} ${draft.metadata.name}`, () => {
      if (this.find(resource.kind, draft.metadata) !== null) throw refused(409, 'AlreadyExists')
      return this.put(draft) as Object
    })
  }

  apply<Object extends Stored>(resource: Resource<Object>, draft: Draft): Promise<Object> {
    return this.#write(`apply ${resource.kind} ${draft.metadata.name}`, () => {
      const live = this.find(resource.kind, draft.metadata)
      this.#check(live, draft.metadata)
      const key = keyOf(draft)
      const before = this.#applied.get(key) ?? {}
      this.#applied.set(key, structuredClone(draft) as unknown as Tree)
      if (live === null) return this.put(draft) as Object
      const rest = without(live as unknown as Tree, before, draft as unknown as Tree)
      return this.put(deepMerge(rest, draft as unknown as Tree) as unknown as Draft) as Object
    })
  }

  applyStatus<Object extends Stored>(resource: Resource<Object>, draft: Draft): Promise<Object> {
    return this.#write(`apply status ${resource.kind} ${draft.metadata.name}`, () => {
      const live = this.find(resource.kind, draft.metadata)
      if (live === null) throw refused(404, 'NotFound')
      this.#check(live, draft.metadata)
      const { status } = draft as unknown as { status: unknown }
      const definition = definitions.find(each => each.kind === resource.kind)
      // As the API server, which takes a status as a whole or not at all.
      if (definition?.status.safeParse(status).success === false) throw refused(422, 'Invalid')
      return this.put({ ...live, status } as unknown as Draft) as Object
    })
  }

  replace<Object extends Stored>(resource: Resource<Object>, stored: Object): Promise<Object> {
    return this.#write(`replace ${resource.kind} ${stored.metadata.name}`, () => {
      const live = this.find(resource.kind, stored.metadata)
      if (live === null) throw refused(404, 'NotFound')
      this.#check(live, stored.metadata)
      return this.put(stored) as Object
    })
  }

  patch<Object extends Stored>(
    resource: Resource<Object>,
    exactly: ExactObject,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Object> {
    return this.#write(`patch ${resource.kind} ${exactly.name}`, () => {
      const live = this.find(resource.kind, exactly)
      if (live === null) throw refused(404, 'NotFound')
      this.#check(live, exactly)
      return this.put(deepMerge(live as unknown as Tree, fields) as unknown as Draft) as Object
    })
  }

  delete<Object extends Stored>(
    resource: Resource<Object>,
    exactly: ExactObject,
  ): Promise<boolean> {
    return this.#write(`delete ${resource.kind} ${exactly.name}`, () => {
      const live = this.find(resource.kind, exactly)
      if (live === null) return false
      this.#check(live, exactly)
      this.remove(resource.kind, exactly)
      return true
    })
  }

  /** The object as others see it. */
  find<Object extends Stored>(kind: string, { namespace, name }: ObjectName): Object | null {
    const found = this.#objects.get(`${kind} ${namespace ?? ''} ${name}`)
    return found === undefined ? null : (found as Object)
  }

  all<Object extends Stored>(kind: string): Object[] {
    return [...this.#objects.values()].filter(object => object.kind === kind) as Object[]
  }

  /** All that there is, in an order that no chance has a part in. */
  everything(): Stored[] {
    const all = [...this.#objects].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return all.map(([, object]) => object)
  }

  /** Objects as `everything` gave them, with what the operator applied of them. */
  load(objects: readonly Stored[]): void {
    for (const object of objects) {
      this.#objects.set(keyOf(object), frozen(structuredClone(object)))
      if (object.metadata.annotations?.['logcluster.dev/applied'] !== undefined) {
        this.#applied.set(keyOf(object), structuredClone(object) as unknown as Tree)
      }
      this.#version = Math.max(this.#version, Number(object.metadata.resourceVersion))
      this.#uid = Math.max(this.#uid, Number.parseInt(object.metadata.uid.slice(-12), 16))
    }
  }

  /** Somebody else writes: a user, a controller, kubelet. What is the same as before is no write. */
  put(given: Draft): Stored {
    const draft = this.mutate(given.apiVersion === apiVersion ? given : (asStored(given) as Draft))
    const key = keyOf(draft)
    const live = this.#objects.get(key)
    const spec = JSON.stringify(specOf(draft))
    const isChanged = live === undefined || JSON.stringify(specOf(live)) !== spec
    const generation = (live?.metadata.generation ?? 0) + (isChanged ? 1 : 0)
    const stored = {
      // The schema of our own kinds gives them a status from the first.
      ...(draft.apiVersion === apiVersion ? { status: {} } : {}),
      ...structuredClone(draft),
      metadata: {
        ...structuredClone(draft.metadata),
        uid: live?.metadata.uid ?? uidOf(++this.#uid),
        generation,
        creationTimestamp:
          live?.metadata.creationTimestamp ?? draft.metadata.creationTimestamp ?? epoch,
        resourceVersion: live?.metadata.resourceVersion ?? '',
      },
    } as Stored
    if (live !== undefined && JSON.stringify(live) === JSON.stringify(stored)) return live
    const next = frozen({
      ...stored,
      metadata: { ...stored.metadata, resourceVersion: String(++this.#version) },
    } as Stored)
    this.#objects.set(key, next)
    this.#finalize(next)
    return next
  }

  /** As a DELETE: what has finalizers stays, marked. */
  remove(kind: string, at: ObjectName): void {
    const live = this.find(kind, at)
    if (live === null) return
    if ((live.metadata.finalizers ?? []).length === 0) return this.#drop(live)
    this.put({ ...live, metadata: { ...live.metadata, deletionTimestamp: epoch } })
  }

  /** A cache that a watch which is never behind would fill. */
  cache<Object extends Stored>(kind: string, indexOf = ofCluster): Cache<Object> {
    return {
      get: at => this.find<Object>(kind, at) ?? undefined,
      all: () => this.all<Object>(kind),
      indexed: word => this.all<Object>(kind).filter(object => indexOf(object) === word),
    }
  }

  #finalize(object: Stored): void {
    const { deletionTimestamp, finalizers = [] } = object.metadata
    if (deletionTimestamp !== undefined && finalizers.length === 0) this.#drop(object)
  }

  #drop(object: Stored): void {
    this.#objects.delete(keyOf(object))
    this.#applied.delete(keyOf(object))
    const owned = Array.from(this.#objects.values())
    for (const each of owned) {
      const owners = each.metadata.ownerReferences ?? []
      if (owners.some(({ uid }) => uid === object.metadata.uid))
        this.remove(each.kind, each.metadata)
    }
  }

  #check(live: Stored | null, wanted: { uid?: string; resourceVersion?: string }): void {
    const isOther =
      (wanted.uid !== undefined && wanted.uid !== live?.metadata.uid) ||
      (wanted.resourceVersion !== undefined &&
        wanted.resourceVersion !== live?.metadata.resourceVersion)
    if (isOther) throw refused(409, 'Conflict')
  }

  /** An act of the operator on somebody else than Kubernetes, which is counted with its writes. */
  async act<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
    const number = ++this.sent
    this.onWrite('before', number, what)
    const result = await act()
    this.onWrite('after', number, what)
    return result
  }

  #write<Result>(what: string, act: () => Result): Promise<Result> {
    return this.act(what, () => {
      const result = act()
      this.writes.push(what)
      return Promise.resolve(result)
    })
  }
}

const epoch = '2026-01-01T00:00:00Z'

/** Whoever is given an object has it as it was, without a copy of his own. */
function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) frozen(part)
  }
  return value
}

function keyOf({ kind, metadata: { namespace, name } }: Draft): string {
  return `${kind} ${namespace ?? ''} ${name}`
}

function specOf(object: Draft): unknown {
  const { metadata: _, status: __, ...rest } = object as unknown as Tree
  return rest
}

function uidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

function ofCluster({ kind, metadata: { namespace, name, labels } }: Stored): string {
  const cluster = kind === 'LogCluster' ? name : labels?.['logcluster.dev/cluster']
  return `${namespace}/${cluster}`
}

function selects(term: string, labels: Readonly<Record<string, string>>): boolean {
  const [key, value] = term.split(/!?=/) as [string, string]
  return term.includes('!=') ? labels[key] !== value : labels[key] === value
}

function refused(code: number, reason: string): ApiError {
  return new ApiError('refused', { code, reason, message: `${reason} (${code})` })
}
