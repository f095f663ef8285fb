import { sleep, type Clock } from '../../env/clock.ts'
import type { Random } from '../../env/random.ts'
import { assert } from '../../lib/assert.ts'
import {
  fieldManager,
  type KubernetesApi,
  type ListPage,
  type ListScope,
  type Propagation,
} from './api.ts'
import { ApiError, isNotFound } from './api-error.ts'
import type { Draft, DraftOf, ExactObject, ObjectName, Stored } from './objects.ts'
import { chanceOf } from './pause.ts'
import { collectionPath, objectPath, type Resource } from './resources.ts'
import { retryAfterMs } from './retry.ts'
import { connectionError, type HttpAnswer, type HttpRequest, type HttpSender } from './transport.ts'
import { WatchLines } from './watch-lines.ts'
import type { WatchApi, WatchedFrom, WatchEvent } from './watch-api.ts'

/** Kubernetes' words for what is asked, as in roles and audit logs; `apply` is a `patch` there. */
type Verb = 'get' | 'list' | 'latest' | 'watch' | 'create' | 'apply' | 'update' | 'patch' | 'delete'

/** One request that has ended. `code`: the HTTP status, or the kind of failure where none came. */
type ApiMeter = (verb: Verb, code: string, seconds: number) => void

export interface HttpApiOptions {
  readonly sender: HttpSender
  readonly clock: Clock
  readonly random: Random
  /** Asked right before each write is sent, and before it is sent again. */
  readonly mayWrite: () => boolean
  readonly meter: ApiMeter
  /** Ends what is under way. */
  readonly signal: AbortSignal
}

interface Call extends HttpRequest {
  readonly verb: Verb
  readonly isRepeatable: boolean
}

const pageSize = 500
/** Bookmarks come about once a minute: a watch that is silent for half as long again is dead. */
const watchSilenceMs = 90_000

/** The API server over HTTP. */
export class HttpApi implements KubernetesApi, WatchApi {
  readonly #options: HttpApiOptions

  constructor(options: HttpApiOptions) {
    this.#options = options
  }

  async get<Object extends Stored>(
    resource: Resource<Object>,
    at: ObjectName,
  ): Promise<Object | null> {
    try {
      return await this.#object(resource, {
        verb: 'get',
        method: 'GET',
        isRepeatable: true,
        path: objectPath(resource, at),
      })
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }

  async list<Object extends Stored>(
    resource: Resource<Object>,
    scope: ListScope,
  ): Promise<Object[]> {
    const items: Object[] = []
    for (let from: string | null = null; ;) {
      const page: ListPage<Object> = await this.page(resource, scope, from)
      items.push(...page.items)
      if (page.next === null) return items
      from = page.next
    }
  }

  async page<Object extends Stored>(
    resource: Resource<Object>,
    scope: ListScope,
    from: string | null,
  ): Promise<ListPage<Object>> {
    const query = { limit: String(pageSize), ...(from === null ? {} : { continue: from }) }
    const path = `${collectionPath(resource, scope.namespace)}?${queryOf(scope, query)}`
    const text = await this.#call({ verb: 'list', method: 'GET', isRepeatable: true, path })
    const { metadata, items } = JSON.parse(text) as {
      metadata: { resourceVersion: string; continue?: string }
      items: Object[] | null
    }
    return {
      items: (items ?? []).map(item => typed(resource, item)),
      resourceVersion: metadata.resourceVersion,
      next: metadata.continue === undefined || metadata.continue === '' ? null : metadata.continue,
    }
  }

  async latest<Object extends Stored>(
    resource: Resource<Object>,
    scope: ListScope,
  ): Promise<string> {
    const path = `${collectionPath(resource, scope.namespace)}?${queryOf(scope, { limit: '1' })}`
    const text = await this.#call({ verb: 'latest', method: 'GET', isRepeatable: true, path })
    return (JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion
  }

  async *watch<Object extends Stored>(
    resource: Resource<Object>,
    scope: ListScope,
    { resourceVersion, timeoutSeconds }: WatchedFrom,
  ): AsyncGenerator<WatchEvent<Object>> {
    const query = queryOf(scope, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(timeoutSeconds),
    })
    const path = `${collectionPath(resource, scope.namespace)}?${query}`
    const { body } = await this.#metered('watch', {
      method: 'GET',
      path,
      silenceMsMax: watchSilenceMs,
    })
    yield { type: 'opened' }
    const lines = new WatchLines()
    try {
      for await (const chunk of body) {
        for (const line of lines.push(chunk)) yield eventOf(resource, line)
      }
    } catch (error) {
      throw connectionError(error, 'the other end of a watch')
    }
  }

  create<Object extends Stored>(
    resource: Resource<Object>,
    draft: DraftOf<Object>,
  ): Promise<Object> {
    return this.#object(resource, {
      verb: 'create',
      method: 'POST',
      isRepeatable: false,
      path: `${collectionPath(resource, draft.metadata.namespace)}?fieldManager=${fieldManager}`,
      ...json(draft),
    })
  }

  apply<Object extends Stored>(resource: Resource<Object>, draft: Draft): Promise<Object> {
    return this.#apply(resource, draft, '')
  }

  applyStatus<Object extends Stored>(resource: Resource<Object>, draft: Draft): Promise<Object> {
    return this.#apply(resource, draft, '/status')
  }

  replace<Object extends Stored>(resource: Resource<Object>, stored: Object): Promise<Object> {
    return this.#object(resource, {
      verb: 'update',
      method: 'PUT',
      isRepeatable: false,
      path: `${objectPath(resource, stored.metadata)}?fieldManager=${fieldManager}`,
      ...json(stored),
    })
  }

  patch<Object extends Stored>(
    resource: Resource<Object>,
    exactly: ExactObject,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Object> {
    const { uid, resourceVersion } = exactly
    const metadata = { ...(fields['metadata'] as object | undefined), uid, resourceVersion }
    return this.#object(resource, {
      verb: 'patch',
      method: 'PATCH',
      isRepeatable: false,
      path: `${objectPath(resource, exactly)}?fieldManager=${fieldManager}`,
      ...json({ ...fields, metadata }, 'application/merge-patch+json'),
    })
  }

  async delete<Object extends Stored>(
    resource: Resource<Object>,
    exactly: ExactObject,
    propagation: Propagation = 'Background',
  ): Promise<boolean> {
    const { uid, resourceVersion } = exactly
    try {
      await this.#call({
        verb: 'delete',
        method: 'DELETE',
        isRepeatable: true,
        path: objectPath(resource, exactly),
        ...json({
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: propagation,
          preconditions: { uid, resourceVersion },
        }),
      })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  async #apply<Object extends Stored>(
    resource: Resource<Object>,
    draft: Draft,
    subresource: string,
  ): Promise<Object> {
    const { uid, resourceVersion } = draft.metadata
    assert(
      resourceVersion === undefined || uid !== undefined,
      'an apply that is guarded by a resourceVersion is guarded by the uid too',
    )
    const path = objectPath(resource, draft.metadata) + subresource
    try {
      return await this.#object(resource, {
        verb: 'apply',
        method: 'PATCH',
        isRepeatable: true,
        path: `${path}?fieldManager=${fieldManager}&force=true`,
        ...json(draft, 'application/apply-patch+yaml'),
      })
    } catch (error) {
      throw uid === undefined ? error : asConflict(error)
    }
  }

  async #object<Object extends Stored>(resource: Resource<Object>, call: Call): Promise<Object> {
    return typed(resource, JSON.parse(await this.#call(call)) as Object)
  }

  /** Sends until there is an answer to keep: its body, or the ApiError that is the caller's. */
  async #call({ verb, isRepeatable, ...request }: Call): Promise<string> {
    const { clock, random, signal } = this.#options
    const startedMs = clock.monotonic()
    for (let number = 1; ; number++) {
      try {
        const { body } = await this.#metered(verb, request)
        return await body.text()
      } catch (error) {
        const failure = connectionError(error, 'the other end of the connection')
        const attempt = { number, isRepeatable, agoMs: clock.monotonic() - startedMs }
        const delayMs = signal.aborted ? null : retryAfterMs(failure, attempt, chanceOf(random))
        if (delayMs === null) throw failure
        await sleep(clock, delayMs)
      }
    }
  }

  async #metered(verb: Verb, request: HttpRequest): Promise<HttpAnswer> {
    const { sender, clock, meter, mayWrite, signal } = this.#options
    if (request.method !== 'GET' && !mayWrite()) {
      const message = 'the write was not sent: this process does not lead any more'
      throw new ApiError('stopped', { message })
    }
    const startedMs = clock.monotonic()
    const ended = (code: string): void => meter(verb, code, (clock.monotonic() - startedMs) / 1000)
    try {
      const answer = await sender.send(request, signal)
      ended(String(answer.status))
      if (answer.status < 300) return answer
      throw await refusalOf(answer, request.path)
    } catch (error) {
      const failure = connectionError(error, 'the other end of the connection')
      if (failure.code === 0) ended(failure.kind)
      throw failure
    }
  }
}

function json(
  value: unknown,
  contentType = 'application/json',
): Pick<HttpRequest, 'body' | 'contentType'> & object {
  return { body: JSON.stringify(value), contentType }
}

function queryOf(
  { labelSelector, fieldSelector }: ListScope,
  more: Record<string, string>,
): string {
  return new URLSearchParams({
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...more,
  }).toString()
}

/** Items of lists do not say their kind, and nobody reads `managedFields`, which are half of an object. */
function typed<Object extends Stored>(resource: Resource<Object>, object: Object): Object {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, apiVersion: resource.apiVersion, kind: resource.kind, metadata }
}

/** Where another object has the name, the API server takes the uid for a field that is to be changed. */
function asConflict(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.code !== 422) return error
  if (!error.message.includes('metadata.uid')) return error
  return new ApiError('refused', { code: 409, reason: 'Conflict', message: error.message })
}

async function refusalOf(
  { status, retryAfterMs: delayMs, body }: HttpAnswer,
  path: string,
): Promise<ApiError> {
  const refusal = statusError(await body.text(), status, delayMs)
  // Of an object that is not there it says so in a Status; of a path that it does not know it says nothing of use.
  if (refusal.code !== 404 || refusal.reason !== '') return refusal
  const message = `the API server knows no ${path.replace(/[?].*/, '')}: apply its CustomResourceDefinition`
  return new ApiError('refused', { code: 404, message })
}

function statusError(text: string, code: number, delayMs: number | null): ApiError {
  const { message, reason, details } = statusOf(text)
  const seconds = details?.retryAfterSeconds
  // A server that fails may have done what it was asked.
  return new ApiError(code >= 500 ? 'unknown' : 'refused', {
    code,
    reason: reason ?? '',
    message: message ?? `the API server answered ${code}`,
    retryAfterMs: delayMs ?? (seconds === undefined ? null : seconds * 1000),
  })
}

interface Status {
  readonly message?: string
  readonly reason?: string
  readonly code?: number
  readonly details?: { readonly retryAfterSeconds?: number }
}

function statusOf(text: string): Status {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return { message: text.trim().slice(0, 500) }
  }
}

/** @throws ApiError where the watch tells that it failed */
function eventOf<Object extends Stored>(
  resource: Resource<Object>,
  line: string,
): WatchEvent<Object> {
  const { type, object } = JSON.parse(line) as { type: string; object: Object }
  if (type === 'ERROR') {
    const status = object as unknown as Status
    throw statusError(JSON.stringify(status), status.code ?? 500, null)
  }
  if (type === 'BOOKMARK') {
    return { type: 'bookmark', resourceVersion: object.metadata.resourceVersion }
  }
  return { type: type === 'DELETED' ? 'deleted' : 'stored', object: typed(resource, object) }
}
