import { assert } from '../src/lib/assert.ts'
import type {
  GetReply,
  KubernetesObject,
  NamedObjects,
  NoReply,
  ObjectKind,
  UpdateReply,
} from '../src/kubernetes/named-objects.ts'

/** What happens to one request; `applied` and `dropped` are both answered with silence, and mean the same for a get. */
export type ApiFault =
  | 'applied'
  | 'dropped'
  | { readonly type: 'busy'; readonly retryAfterMs: number }

/** One request, as it is about to be done. */
export interface ApiRequest {
  readonly verb: 'get' | 'update'
  readonly kind: ObjectKind
  readonly name: string
}

/** The API server with its objects: what several clients share. */
export class SimKubernetes {
  /** While false, nobody gets through. */
  isReachable = true
  /** Met by the coming updates, one each, first come first. */
  readonly updateFaults: ApiFault[] = []
  /** Met by the coming gets. */
  readonly getFaults: ApiFault[] = []
  /** Called before each request that gets through; what it does to the objects comes first. */
  onRequest: (request: ApiRequest) => void = () => {}
  /** Updates that were written. */
  writeCount = 0
  readonly #objects = new Map<string, KubernetesObject>()
  #lastVersion = 0

  /** A client; after `updateCount` updates its process is dead: they are done, and nothing is heard of any more but `died`. */
  client(updateCount = Infinity, died: () => void = () => {}): NamedObjects {
    let left = updateCount
    return {
      get: async (kind, name) => {
        await Promise.resolve()
        return left > 0 ? this.#get(kind, name) : silence()
      },
      update: async (kind, object) => {
        await Promise.resolve()
        if (left <= 0) return silence()
        const reply = this.#update(kind, object)
        left--
        if (left > 0) return reply
        died()
        return silence()
      },
      close: () => {},
    }
  }

  /** As the operator posts it. */
  post(kind: ObjectKind, name: string, fields: Readonly<Record<string, unknown>>): void {
    const key = `${kind} ${name}`
    assert(!this.#objects.has(key), 'an object is posted once')
    const metadata = { name, resourceVersion: this.#nextVersion(), labels: { ours: 'yes' } }
    this.#objects.set(key, structuredClone({ ...fields, metadata }))
  }

  object(kind: ObjectKind, name: string): KubernetesObject | undefined {
    return this.#objects.get(`${kind} ${name}`)
  }

  objects(kind: ObjectKind): KubernetesObject[] {
    const own = [...this.#objects].filter(([key]) => key.startsWith(`${kind} `))
    return own.map(([, object]) => object)
  }

  /** Changes an object as others do who know nothing of the ring. */
  touch(
    kind: ObjectKind,
    name: string,
    change: (object: KubernetesObject) => Readonly<Record<string, unknown>>,
  ): void {
    const before = this.object(kind, name)
    assert(before !== undefined, 'what is touched is there')
    const after = change(structuredClone(before)) as KubernetesObject
    const metadata = { ...after.metadata, resourceVersion: this.#nextVersion() }
    this.#objects.set(`${kind} ${name}`, { ...after, metadata })
  }

  annotate(kind: ObjectKind, name: string): void {
    this.touch(kind, name, object => {
      const annotations = { touched: String(this.#lastVersion) }
      return { ...object, metadata: { ...object.metadata, annotations } }
    })
  }

  delete(kind: ObjectKind, name: string): void {
    this.#objects.delete(`${kind} ${name}`)
  }

  /** All objects, as a backup of etcd has them; versions go back with them. */
  save(): () => void {
    const [objects, version] = [new Map(this.#objects), this.#lastVersion]
    return () => {
      this.#objects.clear()
      for (const [key, object] of objects) this.#objects.set(key, object)
      this.#lastVersion = version
    }
  }

  #get(kind: ObjectKind, name: string): GetReply {
    if (!this.isReachable) return noReply
    const fault = this.getFaults.shift()
    if (fault !== undefined) return silenceOf(fault)
    this.onRequest({ verb: 'get', kind, name })
    const object = this.object(kind, name)
    return object === undefined
      ? { type: 'missing' }
      : { type: 'found', object: structuredClone(object) }
  }

  #update(kind: ObjectKind, object: KubernetesObject): UpdateReply {
    assert(object.metadata.resourceVersion !== '', 'an update says which version it replaces')
    if (!this.isReachable) return noReply
    const fault = this.updateFaults.shift()
    if (fault !== undefined && fault !== 'applied') return silenceOf(fault)
    this.onRequest({ verb: 'update', kind, name: object.metadata.name })
    const reply = this.#replace(kind, object)
    return fault === 'applied' ? noReply : reply
  }

  #replace(kind: ObjectKind, object: KubernetesObject): UpdateReply {
    const { name, resourceVersion } = object.metadata
    const before = this.object(kind, name)
    if (before === undefined) return { type: 'missing' }
    if (before.metadata.resourceVersion !== resourceVersion) return { type: 'conflict' }
    if (JSON.stringify(before) === JSON.stringify(object)) {
      return { type: 'stored', object: structuredClone(before) }
    }
    const metadata = { ...object.metadata, resourceVersion: this.#nextVersion() }
    const after = structuredClone({ ...object, metadata })
    this.#objects.set(`${kind} ${name}`, after)
    this.writeCount++
    return { type: 'stored', object: structuredClone(after) }
  }

  #nextVersion(): string {
    return String(++this.#lastVersion)
  }
}

const noReply: NoReply = {
  type: 'unavailable',
  isUnknown: true,
  reason: 'the simulated API does not answer',
  retryAfterMs: null,
}

function silenceOf(fault: ApiFault): NoReply {
  if (typeof fault === 'string') return noReply
  const { retryAfterMs } = fault
  return { type: 'unavailable', isUnknown: false, reason: '429 too many requests', retryAfterMs }
}

/** What a dead process hears. */
function silence<T>(): Promise<T> {
  return new Promise(() => {})
}
