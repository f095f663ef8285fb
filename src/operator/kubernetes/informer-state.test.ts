import { describe, expect, test } from 'vitest'
import { InformerState, type InformerEffect } from './informer-state.ts'
import type { Stored } from './objects.ts'

interface Thing extends Stored {
  readonly owner?: string
}

const thing = (
  name: string,
  version: number,
  more: { uid?: string; owner?: string } = {},
): Thing => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { namespace: 'a', name, uid: more.uid ?? name, resourceVersion: String(version) },
  ...(more.owner === undefined ? {} : { owner: more.owner }),
})
const page = (items: Thing[], version: number, next: string | null = null) =>
  ({ type: 'listed', page: { items, resourceVersion: String(version), next } }) as const
const newState = (): InformerState<Thing> =>
  new InformerState<Thing>(
    ({ owner }) => owner ?? null,
    () => 0,
  )

/** As one line an effect: `+name`, `-name`, `~name` for what is told. */
function brief(effects: readonly InformerEffect<Thing>[]): string[] {
  return effects.map(effect => {
    switch (effect.do) {
      case 'tell': {
        const { before, after } = effect.change
        if (before === null) return `+${after!.metadata.name}@${after!.metadata.resourceVersion}`
        if (after === null) return `-${before.metadata.name}@${before.metadata.resourceVersion}`
        return `~${after.metadata.name}@${after.metadata.resourceVersion}`
      }
      case 'list':
        return `list ${effect.from ?? 'first'}`
      case 'latest':
        return 'latest'
      case 'watch':
        return `watch ${effect.resourceVersion}`
      case 'wait':
        return `wait ${effect.delayMs}`
      case 'sync':
        return 'sync'
    }
  })
}

/** One that has listed `x`, `y` and `z` at version 10 and watches. */
function watching(): InformerState<Thing> {
  const state = newState()
  state.step({ type: 'started' })
  state.step(page([thing('x', 1), thing('y', 2), thing('z', 3)], 10))
  return state
}

describe('an informer', () => {
  test('lists page by page, tells when all are there, and watches from that version', () => {
    const state = newState()
    expect(brief(state.step({ type: 'started' }))).toEqual(['list first'])
    expect(brief(state.step(page([thing('x', 1)], 10, 'more')))).toEqual(['list more'])
    expect([...state.all()]).toEqual([])
    expect(brief(state.step(page([thing('y', 2)], 10)))).toEqual([
      '+x@1',
      '+y@2',
      'sync',
      'watch 10',
    ])
    expect(state.size).toBe(2)
  })

  test('tells what the watch tells, once', () => {
    const state = watching()
    expect(brief(state.step({ type: 'stored', object: thing('x', 11) }))).toEqual(['~x@11'])
    expect(brief(state.step({ type: 'stored', object: thing('x', 11) }))).toEqual([])
    expect(brief(state.step({ type: 'stored', object: thing('w', 12) }))).toEqual(['+w@12'])
    expect(brief(state.step({ type: 'deleted', object: thing('y', 13) }))).toEqual(['-y@13'])
    expect(brief(state.step({ type: 'deleted', object: thing('y', 13) }))).toEqual([])
    expect(state.get({ namespace: 'a', name: 'y' })).toBeUndefined()
  })

  test('goes on where the last event or bookmark was when its watch ends', () => {
    const state = watching()
    state.step({ type: 'stored', object: thing('x', 11) })
    expect(brief(state.step({ type: 'ended' }))).toEqual(['latest'])
    expect(brief(state.step({ type: 'latest', resourceVersion: '11' }))).toEqual(['watch 11'])
    state.step({ type: 'bookmark', resourceVersion: '99' })
    expect(brief(state.step({ type: 'ended' }))).toEqual(['latest'])
    expect(brief(state.step({ type: 'latest', resourceVersion: '100' }))).toEqual(['watch 99'])
  })

  test('lists anew where its watch ended and the API server has not come so far: its etcd was restored', () => {
    const state = watching()
    state.step({ type: 'bookmark', resourceVersion: '100' })
    expect(brief(state.step({ type: 'ended' }))).toEqual(['latest'])
    expect(brief(state.step({ type: 'latest', resourceVersion: '99' }))).toEqual(['list first'])
    expect(brief(state.step(page([thing('x', 1)], 99)))).toEqual(['-y@2', '-z@3', 'watch 99'])
  })

  test('lists anew where its watch was cut: an etcd that was restored may have passed its version again', () => {
    const state = watching()
    expect(brief(state.step({ type: 'cut', livedMs: 60_000 }))).toEqual(['list first'])
    expect(brief(state.step(page([thing('x', 7)], 12)))).toEqual([
      '-y@2',
      '-z@3',
      '~x@7',
      'watch 12',
    ])
  })

  test('lists anew when its version is gone, and tells differences only', () => {
    const state = watching()
    expect(brief(state.step({ type: 'failed', isExpired: true }))).toEqual(['list first'])
    const again = page([thing('x', 1), thing('y', 20), thing('w', 21)], 30)
    expect(brief(state.step(again))).toEqual(['-z@3', '~y@20', '+w@21', 'watch 30'])
  })

  test('keeps what it knows while it cannot list, and waits longer each time', () => {
    const state = watching()
    state.step({ type: 'failed', isExpired: true })
    expect(brief(state.step({ type: 'failed', isExpired: false }))).toEqual(['wait 800'])
    expect(brief(state.step({ type: 'woke' }))).toEqual(['list first'])
    expect(brief(state.step({ type: 'failed', isExpired: false }))).toEqual(['wait 1600'])
    expect(state.size).toBe(3)
    for (let failures = 0; failures < 20; failures++)
      state.step({ type: 'failed', isExpired: false })
    expect(brief(state.step({ type: 'failed', isExpired: false }))).toEqual(['wait 15000'])
  })

  test('forgets the pages of a list that broke off', () => {
    const state = newState()
    state.step({ type: 'started' })
    state.step(page([thing('gone', 1)], 10, 'more'))
    state.step({ type: 'failed', isExpired: true })
    expect(brief(state.step({ type: 'woke' }))).toEqual(['list first'])
    expect(brief(state.step(page([thing('x', 2)], 20)))).toEqual(['+x@2', 'sync', 'watch 20'])
  })

  test('does not hurry where watches end as they begin, or versions are always gone', () => {
    const state = watching()
    expect(brief(state.step({ type: 'cut', livedMs: 3 }))).toEqual(['wait 400'])
    expect(brief(state.step({ type: 'woke' }))).toEqual(['list first'])
    expect(brief(state.step(page([thing('x', 1)], 10)))).toEqual(['-y@2', '-z@3', 'watch 10'])
    expect(brief(state.step({ type: 'failed', isExpired: true }))).toEqual(['wait 800'])
    expect(brief(state.step({ type: 'woke' }))).toEqual(['list first'])
    state.step(page([], 50))
    expect(brief(state.step({ type: 'failed', isExpired: true }))).toEqual(['wait 1600'])
    state.step({ type: 'woke' })
    state.step(page([], 60))
    state.step({ type: 'ended' })
    expect(brief(state.step({ type: 'failed', isExpired: true }))).toEqual(['list first'])
  })

  test('lists anew after a pause where the API server was away: it may have gone back in time', () => {
    const state = watching()
    expect(brief(state.step({ type: 'failed', isExpired: false }))).toEqual(['wait 400'])
    expect(brief(state.step({ type: 'woke' }))).toEqual(['list first'])
    expect(brief(state.step(page([thing('x', 1)], 9)))).toEqual(['-y@2', '-z@3', 'watch 9'])
  })

  test('lists anew where not even bookmarks came: the version may be none of this API server’s', () => {
    expect(brief(watching().step({ type: 'silent' }))).toEqual(['list first'])
  })

  test('takes another object of the same name for another: the old one went', () => {
    const state = watching()
    const other = thing('x', 40, { uid: 'other' })
    expect(brief(state.step({ type: 'stored', object: other }))).toEqual(['-x@1', '+x@40'])
  })

  test('finds objects by the word of its index, also when the word changes', () => {
    const state = newState()
    state.step({ type: 'started' })
    state.step(page([thing('x', 1, { owner: 'o' }), thing('y', 2, { owner: 'o' })], 10))
    expect(state.indexed('o')).toHaveLength(2)
    state.step({ type: 'stored', object: thing('x', 11, { owner: 'p' }) })
    expect(state.indexed('o').map(it => it.metadata.name)).toEqual(['y'])
    expect(state.indexed('p').map(it => it.metadata.name)).toEqual(['x'])
    state.step({ type: 'deleted', object: thing('x', 12) })
    expect(state.indexed('p')).toEqual([])
  })
})
