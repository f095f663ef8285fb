import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { zeroUuid } from '../../../../lib/uuid.ts'
import { FetchSession, nextEpoch, type SessionPartition, type Watcher } from './fetch-session.ts'
import { FetchSessionCache, type Opening } from './session-cache.ts'
import type { Looked, Outcome, Wish } from './wish.ts'

function wish(topic: string, changes: Partial<Wish> = {}): Wish {
  const limits = {
    partitionMaxBytes: 100,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
  }
  return { topicId: zeroUuid, topic, partition: 0, fetchOffset: 0, ...limits, ...changes }
}

const atEnd: Outcome = {
  error: 'NONE',
  highWatermark: 0,
  readableOffset: 0,
  logStartOffset: 0,
  range: null,
  diverging: null,
}

/** A partition that tells its news to whoever watches. */
class Told {
  readonly all = new Set<Watcher>()
  readonly watchers = this.all
}

/** A cache whose ids count from 1. */
function cacheOf(slots: number, partitionsMax = Infinity): FetchSessionCache {
  let last = 0
  const random = { bytes: () => Uint8Array.of(0, 0, 0, ++last) }
  return new FetchSessionCache({ slots, partitionsMax, random })
}

const consumer = { isPrivileged: false, usesTopicIds: false }
const follower = { isPrivileged: true, usesTopicIds: false }

function partitions(count: number): Looked[] {
  return Array.from({ length: count }, (_, at) => ({
    wish: wish(`t${at}`),
    result: atEnd,
  }))
}

/** What a request with this id and epoch and nothing else leads to. */
function goOn(
  cache: FetchSessionCache,
  sessionId: number,
  sessionEpoch: number,
  nowMs = 0,
): Opening {
  const request = { sessionId, sessionEpoch, usesTopicIds: false, wishes: [], forgotten: [] }
  return cache.open(request, nowMs)
}

const minutes = 60_000

describe('the cache', () => {
  test('goes on by id and epoch, and tells what does not fit', () => {
    const cache = cacheOf(2)
    const session = cache.begin(partitions(1), consumer, 0)!
    const { id } = session.traits
    expect(goOn(cache, id + 1, 1)).toEqual({
      kind: 'refused',
      error: 'FETCH_SESSION_ID_NOT_FOUND',
    })
    expect(goOn(cache, id, 2)).toEqual({ kind: 'refused', error: 'INVALID_FETCH_SESSION_EPOCH' })
    const byId = { sessionId: id, sessionEpoch: 1, usesTopicIds: true, wishes: [], forgotten: [] }
    expect(cache.open(byId, 0)).toEqual({ kind: 'refused', error: 'FETCH_SESSION_TOPIC_ID_ERROR' })
    expect(goOn(cache, id, 1)).toEqual({ kind: 'incremental', session, epoch: 2 })
    expect(goOn(cache, id, 1)).toMatchObject({ error: 'INVALID_FETCH_SESSION_EPOCH' })
    expect(goOn(cache, id, 2)).toMatchObject({ kind: 'incremental' })
  })

  test.each([
    [0, true],
    [-1, false],
  ])('epoch %d ends the session that is named', (epoch, beginsSession) => {
    const cache = cacheOf(2)
    const { id } = cache.begin(partitions(3), consumer, 0)!.traits
    expect([cache.size, cache.partitionCount]).toEqual([1, 3])
    expect(goOn(cache, id, epoch)).toEqual({ kind: 'full', beginsSession })
    expect([cache.size, cache.partitionCount, cache.evictionCount]).toEqual([0, 0, 0])
    expect(goOn(cache, id, 1)).toMatchObject({ error: 'FETCH_SESSION_ID_NOT_FOUND' })
  })

  test('a session without partitions ends with its next request', () => {
    const cache = cacheOf(2)
    const { id } = cache.begin(partitions(1), consumer, 0)!.traits
    const forgotten = [{ topicId: zeroUuid, topic: 't0', partition: 0 }]
    const request = { sessionId: id, sessionEpoch: 1, usesTopicIds: false, wishes: [], forgotten }
    expect(cache.open(request, 0)).toEqual({ kind: 'full', beginsSession: false })
    expect(cache.size).toBe(0)
  })

  test('after the last epoch comes 1', () => {
    expect([nextEpoch(1), nextEpoch(2 ** 31 - 2), nextEpoch(2 ** 31 - 1)]).toEqual([
      2,
      2 ** 31 - 1,
      1,
    ])
  })

  test('without slots there are no sessions', () => {
    expect(cacheOf(0).begin(partitions(1), consumer, 0)).toBe(null)
  })

  test('beyond so many partitions a session does not begin, and one that grows ends', () => {
    const cache = cacheOf(9, 10)
    const { id } = cache.begin(partitions(6), consumer, 0)!.traits
    expect(cache.begin(partitions(5), consumer, 0)).toBe(null)
    expect(cache.begin(partitions(4), consumer, 0)).not.toBe(null)
    const wishes = partitions(7).map(({ wish: of }) => of)
    const request = { sessionId: id, sessionEpoch: 1, usesTopicIds: false, wishes, forgotten: [] }
    expect(cache.open(request, 0)).toEqual({
      kind: 'refused',
      error: 'FETCH_SESSION_ID_NOT_FOUND',
    })
    expect([cache.size, cache.partitionCount]).toEqual([1, 4])
  })

  test('who was used least recently makes room after two minutes, and not before', () => {
    const cache = cacheOf(2)
    const one = cache.begin(partitions(1), consumer, 0)!.traits.id
    const two = cache.begin(partitions(1), consumer, 0)!.traits.id
    goOn(cache, one, 1, 1)
    expect(cache.begin(partitions(9), consumer, 2 * minutes)).toBe(null)
    expect(cache.begin(partitions(1), consumer, 2 * minutes + 1)).not.toBe(null)
    expect(goOn(cache, two, 1)).toMatchObject({ error: 'FETCH_SESSION_ID_NOT_FOUND' })
    expect(goOn(cache, one, 2)).toMatchObject({ kind: 'incremental' })
    expect([cache.size, cache.evictionCount]).toEqual([2, 1])
  })

  test('of those that are old the smallest makes room for a larger one', () => {
    const cache = cacheOf(3)
    const ids = [3, 2, 2].map(size => cache.begin(partitions(size), consumer, 0)!.traits.id)
    const nowMs = 2 * minutes + 1
    for (const id of ids.slice(0, 2)) goOn(cache, id, 1, nowMs)
    // Used within its first two minutes it is not old, however small it is.
    goOn(cache, ids[2]!, 1, nowMs - 1)
    expect(cache.begin(partitions(2), consumer, nowMs)).toBe(null)
    expect(cache.begin(partitions(3), consumer, nowMs)).not.toBe(null)
    expect(goOn(cache, ids[1]!, 2)).toMatchObject({ error: 'FETCH_SESSION_ID_NOT_FOUND' })
    expect(cache.partitionCount).toBe(3 + 2 + 3)
  })

  test('a follower goes before any consumer, and a consumer before no follower', () => {
    const cache = cacheOf(2)
    const large = cache.begin(partitions(50), consumer, 0)!.traits.id
    const first = cache.begin(partitions(1), follower, 0)!.traits.id
    const second = cache.begin(partitions(1), follower, 0)!.traits.id
    expect(goOn(cache, large, 1)).toMatchObject({ error: 'FETCH_SESSION_ID_NOT_FOUND' })
    expect(cache.begin(partitions(2), follower, 0)).toBe(null)
    for (const id of [first, second]) goOn(cache, id, 1, 2 * minutes + 1)
    expect(cache.begin(partitions(99), consumer, 2 * minutes + 1)).toBe(null)
    expect(cache.begin(partitions(2), follower, 2 * minutes + 1)).not.toBe(null)
  })
})

describe('a session', () => {
  /** One that looked at all of its partitions once, which watch their sources. */
  function quiet(count: number) {
    const session = new FetchSession({ id: 1, createdMs: 0, ...consumer })
    session.begin(partitions(count))
    const sources = Array.from({ length: count }, () => new Told())
    const taken = session.take()
    for (const [at, each] of taken.entries()) each.follow(sources[at]!)
    session.tell(taken.map(each => ({ wish: each, result: atEnd })))
    return { session, sources, names: () => session.take().map(({ topic }) => topic) }
  }

  test('looks again at nothing that told no news, and at what did in its order', () => {
    const { sources, names } = quiet(1000)
    expect(names()).toEqual([])
    const say = (at: number, news: (watcher: Watcher) => void): void =>
      sources[at]!.all.forEach(news)
    say(700, watcher => watcher.grew(5))
    say(3, watcher => watcher.changed())
    say(40, watcher => watcher.startMoved())
    expect(names()).toEqual(['t3', 't40', 't700'])
    expect(names()).toEqual([])
  })

  test('stops watching what has told news already, unless somebody waits for more', () => {
    const { session, sources } = quiet(2)
    const watching = () => sources.map(({ all }) => all.size)
    for (const each of sources[0]!.all) each.grew(1)
    expect(watching()).toEqual([0, 1])
    const heard: number[] = []
    const watcher = { grew: (bytes: number) => heard.push(bytes), changed: () => {} }
    session.wait({ ...watcher, startMoved: () => {} })
    for (const bytes of [2, 3]) for (const each of sources[1]!.all) each.grew(bytes)
    expect(watching()).toEqual([0, 1])
    expect(heard).toEqual([2, 3])
    for (const each of session.take()) each.follow(sources[Number(each.topic!.slice(1))]!)
    expect(watching()).toEqual([1, 1])
  })

  test('wakes who waits when something can be read, or is wrong', () => {
    const { session, sources } = quiet(2)
    const heard: unknown[] = []
    const watcher = { grew: (bytes: number) => heard.push(bytes), changed: () => heard.push('end') }
    const stop = session.wait({ ...watcher, startMoved: () => {} })
    for (const each of sources[1]!.all) {
      each.grew(7)
      each.startMoved()
      each.changed()
    }
    session.close()
    stop()
    session.close()
    expect(heard).toEqual([7, 'end', 'end'])
    expect(sources.map(({ all }) => all.size)).toEqual([0, 0])
  })

  test('who got records is served after all others', () => {
    const { session, names } = quiet(3)
    const ask = () =>
      session.update(
        partitions(3).map(({ wish: of }) => of),
        [],
      )
    ask()
    const looked = session.take().map(each => {
      return {
        wish: each,
        result: each.topic === 't1' ? atEnd : { ...atEnd, range: { length: 1 } },
      }
    })
    expect(session.tell(looked).map(({ wish: of }) => of.topic)).toEqual(['t0', 't2'])
    ask()
    expect(names()).toEqual(['t1', 't0', 't2'])
  })

  test('looks at everything again for another connection', () => {
    const { session, names } = quiet(2)
    session.readBy(1)
    expect(names()).toEqual([])
    session.readBy(2)
    expect(names()).toEqual(['t0', 't1'])
  })

  test('what is forgotten while it is looked at does not come back', () => {
    const { session, sources, names } = quiet(2)
    for (const each of sources[0]!.all) each.grew(1)
    const taken = session.take()
    session.update([], [{ topicId: zeroUuid, topic: 't0', partition: 0 }])
    session.settle(
      taken.map(each => ({
        wish: each,
        result: { ...atEnd, highWatermark: 1, readableOffset: 1 },
      })),
    )
    expect(names()).toEqual([])
    expect([session.size, sources[0]!.all.size]).toEqual([1, 0])
  })
})

/** A partition as a session sees it: it may be told anything, and tells that there is something to be told. */
class Model extends Told {
  highWatermark = 0
  logStartOffset = 0
  isBroken = false

  look(offset: number, bytesMax: number): Outcome {
    if (this.isBroken) return { ...atEnd, error: 'STORAGE', highWatermark: -1, logStartOffset: -1 }
    const length = Math.min(this.highWatermark - offset, bytesMax)
    const { highWatermark, logStartOffset } = this
    return {
      ...atEnd,
      highWatermark,
      readableOffset: highWatermark,
      logStartOffset,
      range: length > 0 ? { length } : null,
    }
  }
}

/** What Kafka answers: it looks at every partition each time, and compares with what it told. */
class Everything {
  readonly #told = new Map<string, readonly [number, number]>()
  readonly #offsets = new Map<string, number>()
  #order: string[]
  readonly #models: ReadonlyMap<string, Model>

  constructor(models: ReadonlyMap<string, Model>) {
    this.#models = models
    this.#order = [...models.keys()]
    for (const name of this.#order) this.#told.set(name, [0, 0])
  }

  ask(name: string, offset: number): void {
    this.#offsets.set(name, offset)
  }

  answer(bytesMax: number): string[] {
    let left = bytesMax
    const said: string[] = []
    for (const name of this.#order.slice()) {
      const result = this.#models.get(name)!.look(this.#offsets.get(name) ?? 0, left)
      const { error, highWatermark, logStartOffset, range } = result
      left -= range?.length ?? 0
      const [toldEnd, toldStart] = this.#told.get(name)!
      const isNews =
        error !== 'NONE' ||
        range !== null ||
        highWatermark !== toldEnd ||
        logStartOffset !== toldStart
      if (!isNews) continue
      said.push(`${name} ${JSON.stringify(result)}`)
      this.#told.set(name, [highWatermark, logStartOffset])
      if (range === null) continue
      this.#order = [...this.#order.filter(other => other !== name), name]
    }
    return said
  }
}

test('answers as if it looked at every partition each time', () => {
  const names = ['a', 'b', 'c', 'd']
  const step = fc.record({
    of: fc.constantFrom(...names),
    does: fc.constantFrom('grow', 'cut', 'break', 'mend', 'read', 'reread', 'poll', 'wait'),
    by: fc.integer({ min: 1, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const models = new Map(names.map(name => [name, new Model()]))
      const everything = new Everything(models)
      const session = new FetchSession({ id: 1, createdMs: 0, ...consumer })
      session.begin(names.map(name => ({ wish: wish(name), result: atEnd })))
      const look = (bytesMax: number): Looked<SessionPartition>[] => {
        let left = bytesMax
        return session.take().map(each => {
          const model = models.get(each.topic!)!
          each.follow(model)
          const result = model.look(each.fetchOffset, left)
          left -= result.range?.length ?? 0
          return { wish: each, result }
        })
      }
      for (const { of, does, by } of steps) {
        const model = models.get(of)!
        const offset = does === 'read' ? model.highWatermark : 0
        switch (does) {
          case 'grow':
            model.highWatermark += by
            for (const watcher of model.all) watcher.grew(by)
            break
          case 'cut':
            model.logStartOffset = model.highWatermark
            for (const watcher of model.all) watcher.startMoved()
            break
          case 'break':
          case 'mend':
            model.isBroken = does === 'break'
            for (const watcher of model.all) watcher.changed()
            break
          case 'read':
          case 'reread':
            everything.ask(of, offset)
            session.update([wish(of, { fetchOffset: offset })], [])
            break
          case 'wait':
            session.settle(look(by))
            break
          case 'poll': {
            const said = session.tell(look(by))
            const told = said.map(
              ({ wish: { topic }, result }) => `${topic} ${JSON.stringify(result)}`,
            )
            expect(told).toEqual(everything.answer(by))
          }
        }
      }
    }),
    { numRuns: 2000 },
  )
})
