import type { ListPage, ListScope } from './api.ts'
import type { Stored } from './objects.ts'
import type { Resource } from './resources.ts'

/** What a watch tells. */
export type WatchEvent<Object> =
  | { readonly type: 'opened' }
  | { readonly type: 'stored'; readonly object: Object }
  | { readonly type: 'deleted'; readonly object: Object }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }

export interface WatchedFrom {
  readonly resourceVersion: string
  /** After which the API server ends it. */
  readonly timeoutSeconds: number
}

/** What an informer needs of the API server. Failures are ApiErrors. */
export interface WatchApi {
  /** The page of a list that begins at `from`, the first where it is null. */
  page<Object extends Stored>(
    resource: Resource<Object>,
    scope: ListScope,
    from: string | null,
  ): Promise<ListPage<Object>>
  /** The version of now. */
  latest<Object extends Stored>(resource: Resource<Object>, scope: ListScope): Promise<string>
  /** What happens from a version on, until the server ends it. */
  watch<Object extends Stored>(
    resource: Resource<Object>,
    scope: ListScope,
    from: WatchedFrom,
  ): AsyncGenerator<WatchEvent<Object>>
}
