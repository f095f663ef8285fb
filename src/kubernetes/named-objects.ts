/**
 * The front door of the room: all that a broker asks of the Kubernetes API, `get` and `update` of objects that it knows by name, in one namespace
 * (durability.md 1.1). No list, no watch, no create, no patch, no delete: its Role allows none of them. Twins: the API
 * over HTTPS (`https-objects.ts`) and the simulator's.
 *
 * Nothing here throws because of the world: whatever comes is one of the replies.
 */
export interface NamedObjects {
  /** What is stored now: a quorum read. Never from a cache, so never an older state than one seen before. */
  get(kind: ObjectKind, name: string): Promise<GetReply>
  /**
   * Replaces the object if it is still the one that `object.metadata.resourceVersion` names. A PUT whose content is equal
   * to what is stored is answered with `stored` and the version that was there.
   */
  update(kind: ObjectKind, object: KubernetesObject): Promise<UpdateReply>
  /** Ends connections. Not used after. */
  close(): void
}

export type ObjectKind = 'ConfigMap' | 'Lease'

export interface KubernetesObject {
  readonly metadata: ObjectMetadata
  readonly [field: string]: unknown
}

interface ObjectMetadata {
  readonly name: string
  /** Opaque: compared for equality only. */
  readonly resourceVersion: string
  readonly [field: string]: unknown
}

export type GetReply =
  | { readonly type: 'found'; readonly object: KubernetesObject }
  | { readonly type: 'missing' }
  | NoReply

export type UpdateReply =
  | { readonly type: 'stored'; readonly object: KubernetesObject }
  /** 409: another version is stored. This request wrote nothing. */
  | { readonly type: 'conflict' }
  | { readonly type: 'missing' }
  /** 413, 422: the server will not take such an object, however often it is sent. This request wrote nothing. */
  | { readonly type: 'invalid'; readonly reason: string }
  | NoReply

/** The API did not do what was asked, or did not say so. To be asked again. */
export interface NoReply {
  readonly type: 'unavailable'
  /** True: an update may have been applied all the same, or may be later. False: it was certainly not. */
  readonly isUnknown: boolean
  /** What happened, for people: "PUT https://... : 503 etcdserver: leader changed". */
  readonly reason: string
  /** Milliseconds that the server asked for before the next request (`Retry-After`); null where it did not. */
  readonly retryAfterMs: number | null
}

/** What the API answers where `status` is not 200. */
export interface ErrorAnswer {
  readonly status: number
  /** For people: what was asked, and what the API said. */
  readonly reason: string
  readonly retryAfterMs: number | null
}

/** Of a GET that was not answered with 200. */
export function getReplyOf(answer: ErrorAnswer): Exclude<GetReply, { type: 'found' }> {
  if (answer.status === 404) return { type: 'missing' }
  return noReply(answer)
}

/** Of a PUT that was not answered with 200. */
export function updateReplyOf(answer: ErrorAnswer): Exclude<UpdateReply, { type: 'stored' }> {
  const { status, reason } = answer
  if (status === 409) return { type: 'conflict' }
  if (status === 404) return { type: 'missing' }
  if (status === 413 || status === 422) return { type: 'invalid', reason }
  return noReply(answer)
}

/** A server that answers in the four hundreds did not do it; one that answers 5xx may have (a time-out of etcd is 500). */
function noReply({ status, reason, retryAfterMs }: ErrorAnswer): NoReply {
  return { type: 'unavailable', isUnknown: status >= 500, reason, retryAfterMs }
}
