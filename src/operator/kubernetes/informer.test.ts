import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { simRandom } from '../../../sim/random.ts'
import { sleep } from '../../env/clock.ts'
import { Prng } from '../../lib/prng.ts'
import type { ListPage } from './api.ts'
import { ApiError } from './api-error.ts'
import { Informer } from './informer.ts'
import type { Change } from './informer-state.ts'
import type { Stored } from './objects.ts'
import { namespaced } from './resources.ts'
import type { WatchApi, WatchEvent, WatchedFrom } from './watch-api.ts'

const things = namespaced<Stored>('v1', 'Thing', 'things')
const thing = (name: string, version: number): Stored => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { namespace: 'a', name, uid: name, resourceVersion: String(version) },
})

/** `its time` passes until right before the watch's own time limit. */
type Watched = readonly (WatchEvent<Stored> | ApiError | 'its time')[]

/** What lists and watches bring, in order; then silence. */
class Scripted {
  readonly clock = new SimClock()
  readonly asked: string[] = []
  readonly #pages: (ListPage<Stored> | ApiError)[]
  readonly #watches: Watched[]

  constructor(pages: (ListPage<Stored> | ApiError)[], watches: Watched[]) {
    this.#pages = pages
    this.#watches = watches
  }

  page = async (): Promise<ListPage<Stored>> => {
    this.asked.push('list')
    const page = this.#pages.shift()!
    if (page instanceof ApiError) throw page
    return page
  }

  latest = async (): Promise<string> => {
    this.asked.push('latest')
    return '20'
  }

  async *watch(_: unknown, __: unknown, from: WatchedFrom): AsyncGenerator<WatchEvent<Stored>> {
    this.asked.push(`watch ${from.resourceVersion}`)
    expect(from.timeoutSeconds).toBeGreaterThanOrEqual(300)
    expect(from.timeoutSeconds).toBeLessThanOrEqual(600)
    const events = this.#watches.shift()
    if (events === undefined) await new Promise(() => {})
    for (const event of events!) {
      if (event instanceof ApiError) throw event
      if (event === 'its time') await sleep(this.clock, from.timeoutSeconds * 1000 - 300)
      else yield event
    }
  }
}

function informer(api: Scripted, onChange: (change: Change<Stored>) => void = () => {}) {
  const { clock } = api
  const failures: string[] = []
  const followed = new Informer({
    api: api as unknown as WatchApi,
    clock,
    random: simRandom(new Prng(7)),
    resource: things,
    scope: {},
    indexOf: () => null,
    onChange,
    onFailure: reason => failures.push(reason),
    signal: new AbortController().signal,
  })
  return { clock, failures, followed, ended: followed.run() }
}

const page: ListPage<Stored> = { items: [thing('x', 1)], resourceVersion: '10', next: null }
const failure = new ApiError('unreachable', { message: 'nobody there' })
const expired = new ApiError('refused', { code: 410, reason: 'Expired', message: 'too old' })

describe('an informer', () => {
  test('waits for an API server that is down, says so, and never gives up', async () => {
    const api = new Scripted([...Array.from({ length: 9 }, () => failure), page], [])
    const { clock, failures, followed } = informer(api)
    await clock.run(1)
    expect(followed.isSynced).toBe(false)
    await clock.run(200_000)
    expect(failures).toHaveLength(9)
    expect(followed.isSynced).toBe(true)
    await followed.synced
  })

  test('lists anew when its watch is cut, and when its version is too old', async () => {
    const seen: string[] = []
    const api = new Scripted(
      [
        page,
        { ...page, items: [thing('x', 1), thing('y', 11)], resourceVersion: '11' },
        { ...page, items: [thing('x', 30)], resourceVersion: '30' },
      ],
      [
        [{ type: 'opened' }, { type: 'stored', object: thing('y', 11) }, failure],
        [{ type: 'opened' }, { type: 'bookmark', resourceVersion: '20' }, expired],
      ],
    )
    const { clock } = informer(api, ({ before, after }) =>
      seen.push(`${before?.metadata.name ?? ''}>${after?.metadata.name ?? ''}`),
    )
    await clock.run(60_000)
    expect(api.asked).toEqual(['list', 'watch 10', 'list', 'watch 11', 'list', 'watch 30'])
    expect(seen).toEqual(['>x', '>y', 'y>', 'x>x'])
  })

  test('watches on from the last event when the time of a watch is over', async () => {
    const stored = { type: 'stored', object: thing('y', 11) } as const
    const api = new Scripted([page], [[{ type: 'opened' }, stored, 'its time']])
    const { clock } = informer(api)
    await clock.run(700_000)
    expect(api.asked).toEqual(['list', 'watch 10', 'latest', 'watch 11'])
  })

  test('ends with what a handler throws: nothing of it is swallowed', async () => {
    const api = new Scripted([page], [])
    const { ended } = informer(api, () => {
      throw new TypeError('a mistake of ours')
    })
    await expect(ended).rejects.toThrow('a mistake of ours')
  })

  test('ends with a mistake of ours in the way to the API server', async () => {
    const api = new Scripted([], [])
    const { ended } = informer(api)
    await expect(ended).rejects.toThrow(TypeError)
  })
})
