import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { simRandom } from '../../../sim/random.ts'
import { Prng } from '../../lib/prng.ts'
import { ApiError } from './api-error.ts'
import { HttpApi } from './http-api.ts'
import type { Draft } from './objects.ts'
import { resources } from './resources.ts'
import type { HttpAnswer, HttpRequest } from './transport.ts'

type Scripted = { status: number; body?: object; retryAfterMs?: number } | 'lost' | 'refused'

const metadata = { namespace: 'a', name: 'x', uid: 'u', resourceVersion: '7' }
const stored = { apiVersion: 'v1', kind: 'ConfigMap', metadata }
const draft: Draft = { ...stored, metadata: { namespace: 'a', name: 'x' } }

/** An API whose answers are given, and what was asked of it. */
function scripted(...answers: Scripted[]) {
  const clock = new SimClock()
  const asked: HttpRequest[] = []
  const metered: string[] = []
  let isLeading = true
  const api = new HttpApi({
    sender: {
      send: async request => {
        asked.push(request)
        const answer = answers.shift()
        if (answer === undefined) throw new Error('nobody expected this request')
        if (answer === 'lost') throw new ApiError('unknown', { message: 'lost' })
        if (answer === 'refused') throw new ApiError('unreachable', { message: 'refused' })
        return answerOf(answer)
      },
    },
    clock,
    random: simRandom(new Prng(1)),
    mayWrite: () => isLeading,
    meter: (verb, code) => metered.push(`${verb} ${code}`),
    signal: new AbortController().signal,
  })
  /** Lets a minute go by for what waits in `act`. */
  const run = async <T>(act: Promise<T>): Promise<T> => {
    act.catch(() => {})
    await clock.run(60_000)
    return act
  }
  return { api, asked, metered, run, lose: () => (isLeading = false) }
}

function answerOf({
  status,
  body = stored,
  retryAfterMs = 0,
}: Exclude<Scripted, string>): HttpAnswer {
  const text = JSON.stringify(body)
  return {
    status,
    retryAfterMs: retryAfterMs === 0 ? null : retryAfterMs,
    body: {
      text: async () => text,
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(text)
      },
    },
  }
}

const status = (code: number, reason: string, message = reason) => ({
  status: code,
  body: { kind: 'Status', code, reason, message },
})
const kindOf = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => 'done',
    (error: unknown) =>
      error instanceof ApiError ? `${error.kind} ${error.code} ${error.reason}` : error,
  )

describe('what was asked of the API server', () => {
  test('is asked again where its answer is lost and twice is as good as once', async () => {
    const { api, asked, metered, run } = scripted('lost', { status: 500 }, { status: 200 })
    await run(api.apply(resources.configMaps, draft))
    expect(asked).toHaveLength(3)
    expect(metered).toEqual(['apply unknown', 'apply 500', 'apply 200'])
  })

  test('is not done twice where nobody knows whether it was done', async () => {
    for (const answer of ['lost', { status: 500 }] as const) {
      const world = scripted(answer, { status: 201 })
      const made = world.run(world.api.create(resources.configMaps, draft as never))
      expect(await kindOf(made)).toMatch(/^unknown/)
      expect(world.asked).toHaveLength(1)
    }
  })

  test('waits and is asked again where the server had no time for it, a creation too', async () => {
    const busy = { ...status(429, 'TooManyRequests'), retryAfterMs: 2000 }
    const { api, asked, run } = scripted(busy, 'refused', { status: 201 })
    await run(api.create(resources.configMaps, draft as never))
    expect(asked).toHaveLength(3)
  })

  test('is not sent by who does not lead, nor sent again', async () => {
    const before = scripted({ status: 200 })
    before.lose()
    expect(await kindOf(before.api.apply(resources.configMaps, draft))).toBe('stopped 0 ')
    expect(before.asked).toEqual([])
    expect(await kindOf(before.api.get(resources.configMaps, metadata))).toBe('done')
    const between = scripted('lost', { status: 200 })
    const write = between.api.apply(resources.configMaps, draft)
    between.lose()
    expect(await kindOf(between.run(write))).toBe('stopped 0 ')
    expect(between.asked).toHaveLength(1)
  })

  test('says by whom, with force, and which object exactly', async () => {
    const { api, asked } = scripted({ status: 200 }, { status: 200 }, { status: 200 })
    await api.applyStatus(resources.configMaps, draft)
    await api.delete(resources.configMaps, metadata)
    await api.patch(resources.configMaps, metadata, { data: { a: 'b' } })
    const [apply, remove, patch] = asked
    expect(apply?.path).toBe(
      '/api/v1/namespaces/a/configmaps/x/status?fieldManager=logcluster-operator&force=true',
    )
    expect(apply?.contentType).toBe('application/apply-patch+yaml')
    const preconditions = { uid: 'u', resourceVersion: '7' }
    expect(JSON.parse(remove!.body!)).toMatchObject({ preconditions })
    expect(JSON.parse(patch!.body!)).toEqual({ data: { a: 'b' }, metadata: preconditions })
  })

  test('that is guarded by the version alone is our mistake', async () => {
    const { api, asked } = scripted({ status: 200 })
    const guarded = { ...draft, metadata: { ...draft.metadata, resourceVersion: '7' } }
    await expect(api.apply(resources.configMaps, guarded)).rejects.toThrow('guarded by the uid too')
    expect(asked).toEqual([])
  })

  test('is a conflict where another object has the name', async () => {
    const immutable = status(422, 'Invalid', 'metadata.uid: Invalid value: field is immutable')
    const guarded = { ...draft, metadata: { ...draft.metadata, uid: 'u' } }
    const { api } = scripted(immutable)
    expect(await kindOf(api.apply(resources.configMaps, guarded))).toBe('refused 409 Conflict')
    const other = scripted(status(422, 'Invalid', 'data: too long'))
    expect(await kindOf(other.api.apply(resources.configMaps, guarded))).toBe('refused 422 Invalid')
  })

  test('is nothing where there is nothing', async () => {
    const { api } = scripted(status(404, 'NotFound'), status(404, 'NotFound'))
    expect(await api.get(resources.configMaps, metadata)).toBeNull()
    expect(await api.delete(resources.configMaps, metadata)).toBe(false)
  })

  test('of a kind that is not installed says what to do', async () => {
    const { api } = scripted({ status: 404, body: 'no JSON of a Status' as never })
    await expect(api.list(resources.configMaps, {})).rejects.toThrow(
      'the API server knows no /api/v1/configmaps: apply its CustomResourceDefinition',
    )
  })

  test('comes in pages, each object with its kind and without the book-keeping of fields', async () => {
    const item = { metadata: { ...metadata, managedFields: [{}] } }
    const page = (next: string) => ({
      status: 200,
      body: { metadata: { resourceVersion: '9', continue: next }, items: [item] },
    })
    const { api, asked } = scripted(page('more'), page(''))
    const all = await api.list(resources.configMaps, { labelSelector: 'a=b,c!=d' })
    expect(all).toEqual([stored, stored])
    expect(asked[0]?.path).toBe('/api/v1/configmaps?labelSelector=a%3Db%2Cc%21%3Dd&limit=500')
    expect(asked[1]?.path).toContain('continue=more')
  })
})
