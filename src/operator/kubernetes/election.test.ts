import { describe, expect, test } from 'vitest'
import { Prng } from '../../lib/prng.ts'
import { Election, type ElectionEffect, type LeaseClaim, type LeaseRecord } from './election.ts'

/** The one Lease that candidates see, as an API server keeps it. */
class Store {
  record: LeaseRecord | null = null
  #version = 0

  write({ holder, durationSeconds, transitions, resourceVersion }: LeaseClaim): LeaseRecord | null {
    if ((this.record?.resourceVersion ?? null) !== resourceVersion) return null
    const version = String(++this.#version)
    this.record = { holder, durationSeconds, transitions, resourceVersion: version }
    return this.record
  }
}

const words = (effects: readonly ElectionEffect[]): string[] => effects.map(it => it.do)

/** Performs what the election asks for, at one moment, until it waits or has lost. */
function turn(election: Election, store: Store, nowMs: number): string[] {
  let effects = election.step({ type: 'tick' }, nowMs)
  const done = words(effects)
  for (;;) {
    const effect = effects.find(it => it.do === 'read' || it.do === 'write')
    if (effect === undefined) return done
    if (effect.do === 'read') effects = election.step({ type: 'read', record: store.record }, nowMs)
    else {
      const record = store.write(effect.claim)
      effects = election.step(
        record === null ? { type: 'conflict' } : { type: 'wrote', record, sentAtMs: nowMs },
        nowMs,
      )
    }
    done.push(...words(effects))
  }
}

describe('an election', () => {
  test('makes the Lease where there is none, and leads', () => {
    const store = new Store()
    const a = new Election('a')
    expect(turn(a, store, 0)).toEqual(['read', 'write', 'lead', 'wait'])
    expect(store.record).toMatchObject({ holder: 'a', durationSeconds: 15, transitions: 0 })
    expect(a.mayAct(9999)).toBe(true)
    expect(a.mayAct(10_000)).toBe(false)
  })

  test('follows a holder only when it has seen no change for as long as the Lease says', () => {
    const store = new Store()
    turn(new Election('a'), store, 0)
    const b = new Election('b')
    // Its clock has nothing to do with the holder's: what counts is when it saw the record first.
    expect(turn(b, store, 1_000_000)).toEqual(['read', 'wait'])
    expect(turn(b, store, 1_014_999)).toEqual(['read', 'wait'])
    store.write({ ...store.record!, isNew: false })
    expect(turn(b, store, 1_015_000)).toEqual(['read', 'wait'])
    expect(turn(b, store, 1_029_999)).toEqual(['read', 'wait'])
    expect(turn(b, store, 1_030_000)).toEqual(['read', 'write', 'lead', 'wait'])
    expect(store.record).toMatchObject({ holder: 'b', transitions: 1 })
  })

  test('takes a Lease that was given up at once', () => {
    const store = new Store()
    const a = new Election('a')
    turn(a, store, 0)
    store.write(a.release()!)
    expect(a.mayAct(1)).toBe(false)
    const b = new Election('b')
    expect(turn(b, store, 0)).toEqual(['read', 'write', 'lead', 'wait'])
    expect(b.release()).not.toBeNull()
    expect(new Election('c').release()).toBeNull()
  })

  test('ends where it could not renew in time, whatever it learns after that', () => {
    const store = new Store()
    const a = new Election('a')
    turn(a, store, 0)
    expect(words(a.step({ type: 'failed' }, 9000))).toEqual(['wait'])
    expect(words(a.step({ type: 'failed' }, 10_000))).toEqual(['lose'])
    expect(a.step({ type: 'tick' }, 10_001)).toEqual([])
    expect(a.isLost).toBe(true)
  })

  test('counts from when the renewal was sent, not from when its answer came', () => {
    const store = new Store()
    const a = new Election('a')
    turn(a, store, 0)
    const [write] = a.step({ type: 'tick' }, 2000)
    const record = store.write((write as { claim: LeaseClaim }).claim)!
    expect(words(a.step({ type: 'wrote', record, sentAtMs: 2000 }, 11_000))).toEqual(['wait'])
    expect(a.mayAct(11_999)).toBe(true)
    expect(a.mayAct(12_000)).toBe(false)
  })

  test('an answer that comes after the time has run out is a loss, and no lead where it had none', () => {
    const store = new Store()
    const a = new Election('a')
    turn(a, store, 0)
    const [write] = a.step({ type: 'tick' }, 2000)
    const record = store.write((write as { claim: LeaseClaim }).claim)!
    expect(words(a.step({ type: 'wrote', record, sentAtMs: 2000 }, 32_000))).toEqual(['lose'])
    const b = new Election('b')
    const late = { ...record, holder: 'b' }
    expect(words(b.step({ type: 'wrote', record: late, sentAtMs: 0 }, 30_000))).toEqual(['read'])
    expect(b.mayAct(30_000)).toBe(false)
  })

  test('looks again when somebody else has written, and ends where that is another holder', () => {
    const store = new Store()
    const a = new Election('a')
    turn(a, store, 0)
    // A label that a person sets changes the version and nothing else.
    store.record = { ...store.record!, resourceVersion: 'foreign' }
    expect(turn(a, store, 2000)).toEqual(['write', 'read', 'write', 'wait'])
    store.record = { ...store.record!, resourceVersion: 'foreign', holder: 'b' }
    expect(turn(a, store, 4000)).toEqual(['write', 'read', 'lose'])
  })

  test('has at most one at a time who may act, whatever is lost, late or stopped', () => {
    for (let seed = 1; seed <= 100; seed++) oneLeader(seed)
  })
})

interface Candidate {
  election: Election
  /** Stopped until then, as by SIGSTOP: its timers and answers wait. */
  frozenUntilMs: number
  nextAtMs: number
  /** A claim on its way, and when it arrives. */
  flying: { claim: LeaseClaim; sentAtMs: number; arrivesAtMs: number; isAnswerLost: boolean } | null
}

/** Three candidates with clocks of their own over one store; requests take their time, and answers get lost. */
function oneLeader(seed: number): void {
  const prng = new Prng(seed)
  const store = new Store()
  const fresh = (name: string): Candidate => ({
    election: new Election(`${name}-${seed}`),
    frozenUntilMs: 0,
    nextAtMs: prng.below(3000),
    flying: null,
  })
  const candidates = ['a', 'b', 'c'].map(fresh)
  let ledCount = 0
  for (let nowMs = 0; nowMs < 200_000; nowMs += 100) {
    for (const [at, candidate] of candidates.entries()) {
      const { flying, election } = candidate
      let stored: LeaseRecord | null | undefined
      if (flying !== null && flying.arrivesAtMs <= nowMs) {
        stored = store.write(flying.claim)
        if (flying.isAnswerLost) stored = undefined
      }
      if (nowMs < candidate.frozenUntilMs) {
        if (stored !== undefined && flying !== null) candidate.flying = null
        continue
      }
      if (prng.chance(1, 400)) candidate.frozenUntilMs = nowMs + prng.below(30_000)
      if (flying !== null && flying.arrivesAtMs <= nowMs) {
        candidate.flying = null
        if (stored === undefined) election.step({ type: 'failed' }, nowMs)
        else if (stored === null) election.step({ type: 'conflict' }, nowMs)
        else election.step({ type: 'wrote', record: stored, sentAtMs: flying.sentAtMs }, nowMs)
      }
      if (election.isLost) candidates[at] = fresh(`${at}-${nowMs}`)
      else if (nowMs >= candidate.nextAtMs && candidate.flying === null) {
        candidate.nextAtMs = nowMs + 2000
        let effects = election.step({ type: 'tick' }, nowMs)
        if (effects.some(it => it.do === 'read') && !prng.chance(1, 10)) {
          effects = election.step({ type: 'read', record: store.record }, nowMs)
        }
        const write = effects.find(it => it.do === 'write')
        if (write !== undefined) {
          const arrivesAtMs = nowMs + 100 + prng.below(prng.chance(1, 5) ? 12_000 : 300)
          const isAnswerLost = prng.chance(1, 10)
          candidate.flying = { claim: write.claim, sentAtMs: nowMs, arrivesAtMs, isAnswerLost }
        }
      }
    }
    const acting = candidates.filter(({ election }) => election.mayAct(nowMs)).length
    expect(acting, `seed ${seed} at ${nowMs} ms`).toBeLessThanOrEqual(1)
    ledCount += acting
  }
  expect(ledCount, `seed ${seed}: somebody led`).toBeGreaterThan(0)
}
