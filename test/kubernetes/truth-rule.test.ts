import { describe, expect, test } from 'vitest'
import { type Ready, TruthRule, type Work } from './truth-rule.ts'

/** Attempts every 200 ms, each of which takes 20, of a cluster that can be told what to say and how to fare. */
class World {
  readonly rule = new TruthRule()
  nowMs = 0
  fares: Readonly<Record<Work, boolean>> = { produce: true, fetch: true }

  says(ready: Ready): this {
    this.rule.see({ type: 'ready', ready, atMs: this.nowMs })
    return this
  }

  works(produce: boolean, fetch = produce): this {
    this.fares = { produce, fetch }
    return this
  }

  for(ms: number): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 200) {
      for (const work of ['produce', 'fetch'] as const) {
        const [beganAtMs, atMs] = [this.nowMs, this.nowMs + 20]
        this.rule.see({ type: 'attempt', work, isOk: this.fares[work], beganAtMs, atMs })
      }
    }
    return this
  }

  get lies(): readonly string[] {
    return this.rule.lies.map(({ ready, fromMs, toMs }) => `${ready} ${fromMs}-${toMs}`)
  }
}

describe('a cluster that says it is ready', () => {
  test('tells the truth while it works', () => {
    expect(new World().says('True').for(60_000).lies).toEqual([])
  })

  test('lies when neither has worked for 5 s, from when both failed', () => {
    const world = new World().says('True').for(1000).works(false)
    expect(world.for(5000).lies).toEqual([])
    expect(world.for(200).lies).toEqual(['True 1000-6020'])
  })

  test('lies once, for as long as it goes on', () => {
    expect(new World().says('True').works(false).for(9000).lies).toEqual(['True 0-8820'])
  })

  test('lies anew after it has told the truth', () => {
    const world = new World().says('True').works(false).for(6000).works(true).for(1000)
    world.works(false).for(6000)
    expect(world.lies).toEqual(['True 0-5820', 'True 7000-12820'])
  })

  test('is not held to it while one of the two works', () => {
    expect(new World().says('True').works(true, false).for(60_000).lies).toEqual([])
    expect(new World().says('True').works(false, true).for(60_000).lies).toEqual([])
  })

  test('has 5 s from when it says so, however long it failed before', () => {
    const world = new World().says('False').works(false).for(30_000).says('True').for(4000)
    expect(world.lies).toEqual([])
    expect(world.works(true).for(10_000).lies).toEqual([])
  })

  test('has told the truth where it takes it back in time', () => {
    const world = new World().says('True').works(false).for(4800).says('False').for(60_000)
    expect(world.lies).toEqual([])
  })

  test('fails from the beginning of a request that got no answer', () => {
    const { rule } = new World().says('True')
    for (const work of ['produce', 'fetch'] as const) {
      rule.see({ type: 'attempt', work, isOk: false, beganAtMs: 100, atMs: 5100 })
    }
    expect(rule.lies).toEqual([{ ready: 'True', fromMs: 100, toMs: 5100 }])
  })
})

describe('a cluster that says it is not', () => {
  test.each(['False', 'Unknown'] as const)('lies when both work for 10 s: %s', ready => {
    const world = new World().says(ready).for(10_000)
    expect(world.lies).toEqual([])
    expect(world.for(200).lies).toEqual([`${ready} 20-10020`])
  })

  test('tells the truth while one of the two does not work', () => {
    expect(new World().says('False').works(true, false).for(60_000).lies).toEqual([])
  })

  test('is told anew by another word for it', () => {
    expect(new World().says('False').for(9000).says('Unknown').for(9000).lies).toEqual([])
  })

  test('has told no lie for the time that no attempt has shown', () => {
    const { rule } = new World().says('False').for(200)
    rule.see({ type: 'attempt', work: 'produce', isOk: true, beganAtMs: 200, atMs: 15_000 })
    expect(rule.lies).toEqual([])
  })
})

test('nobody lies while nobody can be asked', () => {
  const world = new World().says('True').for(1000).says(null).works(false).for(60_000)
  expect(world.lies).toEqual([])
  expect(world.says('True').for(4000).lies).toEqual([])
  expect(world.for(1200).lies).toHaveLength(1)
})

describe('the longest wait', () => {
  test('is that of one request while all goes well', () => {
    expect(new World().for(5000).rule.longestWaitMs(5000)).toBe(20)
  })

  test('lasts from the first attempt to the success, over all that failed between', () => {
    const world = new World().for(1000).works(false, true).for(3000).works(true).for(1000)
    expect(world.rule.longestWaitMs(world.nowMs)).toBe(3020)
  })

  test('goes on while nothing succeeds', () => {
    const world = new World().for(1000).works(false).for(3000)
    expect(world.rule.longestWaitMs(9000)).toBe(8000)
  })
})

describe('the gaps between writes', () => {
  test('are as long as writes are apart while all goes well, and the last is as long as nothing has come after it', () => {
    const { rule } = new World().for(2_000)
    expect(rule.writeGapsMs(2_000)).toEqual({ count: 10, p50: 200, p99: 200, max: 200 })
  })

  test('go over all attempts that failed, from one acknowledgement to the next; reads count for nothing', () => {
    const world = new World().for(1_000).works(false, true).for(3_000).works(true).for(1_000)
    expect(world.rule.writeGapsMs(world.nowMs)).toMatchObject({ count: 10, p50: 200, max: 3_200 })
  })

  test('go on while nothing is written any more', () => {
    const world = new World().for(1_000).works(false).for(3_000)
    expect(world.rule.writeGapsMs(9_000).max).toBe(8_180)
  })

  test('are told by the p99 as they are but for one in a hundred', () => {
    const world = new World().for(20_000).works(false).for(1_000).works(true).for(20_000)
    expect(world.rule.writeGapsMs(world.nowMs)).toEqual({
      count: 200,
      p50: 200,
      p99: 200,
      max: 1_200,
    })
    world.works(false).for(600).works(true).for(200).works(false).for(800).works(true).for(200)
    expect(world.rule.writeGapsMs(world.nowMs)).toMatchObject({ count: 202, p99: 800 })
  })

  test('begin with the first write', () => {
    const { rule } = new World().works(false).for(5_000)
    expect(rule.writeGapsMs(5_000)).toEqual({ count: 0, p50: 0, p99: 0, max: 0 })
  })
})
