import type { Draft, DraftOf, ExactObject, ObjectName, Stored } from './objects.ts'
import type { Resource } from './resources.ts'

/** Who the API server remembers as the writer of a field (server-side apply). One for all that the operator applies. */
export const fieldManager = 'logcluster-operator'

/** Which objects of a kind are listed. */
export interface ListScope {
  /** All namespaces where left out. */
  readonly namespace?: string
  /** `app=x,component!=y`. */
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** What becomes of the objects that the deleted one owns; `Background` where left out. */
export type Propagation = 'Background' | 'Foreground' | 'Orphan'

/** One page of a list, from a single moment of the API server's history. */
export interface ListPage<Object> {
  readonly items: readonly Object[]
  readonly resourceVersion: string
  /** Where the next page begins; null with the last. */
  readonly next: string | null
}

/**
 * The front door of the room: what the API server does for the operator. Every failure is an ApiError, whose message can be shown.
 *
 * It retries what cannot happen twice (reads, applies, deletes of an exact object, and whatever the server refused
 * unread with 429); of anything else a lost answer is an error of kind `unknown`: the write may have happened, and the
 * caller looks again before it decides anew.
 */
export interface KubernetesApi {
  /** The object as it is now, past every cache; null where there is none. */
  get<Object extends Stored>(resource: Resource<Object>, at: ObjectName): Promise<Object | null>
  /** All objects of the scope, in as many pages as it takes. */
  list<Object extends Stored>(resource: Resource<Object>, scope: ListScope): Promise<Object[]>
  /** POST. Refused with `AlreadyExists` where the name is taken. */
  create<Object extends Stored>(resource: Resource<Object>, draft: DraftOf<Object>): Promise<Object>
  /**
   * Server-side apply with force: the fields of `draft` are ours and have these values, those that it had before and
   * has no more go. Without a uid it makes the object where there is none. With `metadata.uid` it is refused with
   * `Conflict` where that object is gone, or another has its name; with `resourceVersion` too where it has changed.
   * `resourceVersion` alone is no guard, since the API server then makes an object that is gone: it is an error of ours.
   */
  apply<Object extends Stored>(resource: Resource<Object>, draft: Draft): Promise<Object>
  /** As `apply`, of the status alone. Refused with `NotFound` where the object is gone. */
  applyStatus<Object extends Stored>(resource: Resource<Object>, draft: Draft): Promise<Object>
  /** PUT: compare and set by `metadata.resourceVersion`, refused with `Conflict` where the object has changed. */
  replace<Object extends Stored>(resource: Resource<Object>, stored: Object): Promise<Object>
  /** JSON merge patch of fields that are not ours to apply, guarded by uid and resourceVersion. */
  patch<Object extends Stored>(
    resource: Resource<Object>,
    exactly: ExactObject,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Object>
  /**
   * Asks for the deletion of this object and no other of its name. False where it was gone; `Conflict` where it is
   * another by now.
   */
  delete<Object extends Stored>(
    resource: Resource<Object>,
    exactly: ExactObject,
    propagation?: Propagation,
  ): Promise<boolean>
}
