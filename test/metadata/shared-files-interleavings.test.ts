import { describe, expect, test } from 'vitest'
import type { SimDisk } from '../../sim/disk.ts'
import { genesisHash } from '../../src/broker/metadata/chain.ts'
import {
  append,
  readAll,
  type SharedFolder,
  writeSnapshot,
} from '../../src/broker/metadata/files/shared/shared-log.ts'
import { look, take } from '../../src/broker/metadata/files/shared/file-lease.ts'
import type { Steps } from '../../src/broker/metadata/files/shared/steps.ts'
import {
  StoreError,
  type AppendOutcome,
  type Cursor,
  type StoredLog,
} from '../../src/broker/metadata/store.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { expectChain } from './store-conformance.ts'
import { everyMoment, instantDisk, type Moment, type Program, runAlone } from './shared-folder.ts'

/** Nothing at or below a snapshot is kept: every stale name can be made a second time. */
function folderOf(brokerId: number): SharedFolder {
  return {
    log: '/m/log',
    snapshots: '/m/snapshot',
    temporary: `${brokerId}.tmp`,
    kept: { recordCountMin: 0, ageMsMin: 0 },
  }
}

const genesis: Cursor = { nextSequence: 1, lastHash: genesisHash }

/** What a process knows of the log when it begins. */
interface Start {
  readonly cursor: Cursor
  readonly known: readonly string[]
}

/** A folder with records `texts`. */
function prepared(...texts: readonly string[]): Start & { readonly disk: SimDisk } {
  const disk = instantDisk()
  for (const folder of ['/m/log', '/m/snapshot', '/m/lease']) disk.mkdir(folder)
  for (const folder of ['/', '/m']) void disk.syncDirectory(folder)
  let cursor = genesis
  for (const text of texts) {
    const outcome = runAlone(disk, append(folderOf(9), cursor, { epoch: 1, payload: utf8(text) }))
    if (outcome.kind !== 'committed') throw new Error(outcome.kind)
    cursor = outcome.cursor
  }
  return { disk, cursor, known: texts }
}

/** Every text that the log holds; a snapshot's payload is the texts that it stands for. */
function story({ snapshot, tail }: StoredLog): string[] {
  const covered = snapshot === null ? [] : fromUtf8(snapshot.payload).split(' ')
  return [...covered, ...tail.map(({ payload }) => fromUtf8(payload))]
}

/** Appends `text` at a cursor, and tells what became of it. */
function appender(brokerId: number, cursor: Cursor, text: string): Program {
  return function* (tell) {
    tell(`${text} ${(yield* tryAppend(folderOf(brokerId), cursor, text)).kind}`)
  }
}

/** Appends each text, and after `coveredText` writes a snapshot; where somebody else was faster it reads, and goes on from there. */
function writer(start: Start, texts: readonly string[], coveredText: string): Program {
  return function* (tell) {
    const folder = folderOf(1)
    let { cursor, known } = start
    for (const text of texts) {
      let outcome = yield* tryAppend(folder, cursor, text)
      while (outcome.kind === 'lost') {
        const log = yield* readAll(folder)
        ;[cursor, known] = [log.cursor, story(log)]
        outcome = yield* tryAppend(folder, cursor, text)
      }
      tell(`${text} ${outcome.kind}`)
      if (outcome.kind !== 'committed') return
      ;[cursor, known] = [outcome.cursor, [...known, text]]
      if (text !== coveredText) continue
      yield* writeSnapshot(folder, cursor, { epoch: 1, payload: utf8(known.join(' ')), nowMs: 1 })
    }
  }
}

/** `failed`: the process would end, and nobody is told anything. */
function* tryAppend(
  folder: SharedFolder,
  cursor: Cursor,
  text: string,
): Steps<AppendOutcome | { readonly kind: 'failed' }> {
  try {
    return yield* append(folder, cursor, { epoch: 1, payload: utf8(text) })
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'failed') throw error
    return { kind: 'failed' }
  }
}

/** The log reads, is one story, and has what was told to be in it and nothing that was told not to be. */
function check(disk: SimDisk, { told, schedule }: Moment): string[] {
  const where = `after ${schedule.join('')}: ${told.join(', ')}`
  const log = runAlone(disk, readAll(folderOf(8)))
  expectChain(log)
  const texts = story(log)
  expect(new Set(texts).size, where).toBe(texts.length)
  for (const line of told) {
    const [text, outcome] = line.split(' ') as [string, string]
    if (outcome === 'committed') expect(texts, where).toContain(text)
    if (outcome === 'lost' && text !== 'snapshot') expect(texts, where).not.toContain(text)
  }
  return texts
}

/** Checks at every moment, so that any of the processes may have died there; and whatever a machine that died then leaves. */
function checkAll(
  start: SimDisk,
  programs: readonly Program[],
): { moments: number; ends: Set<string> } {
  const ends = new Set<string>()
  let moments = 0
  for (const moment of everyMoment(start, programs)) {
    moments++
    const texts = check(moment.disk.clone(), moment)
    check(moment.disk.clone().crashMachine(new Prng(moments)), moment)
    if (moment.isOver) ends.add([...moment.told.toSorted(), '=', ...texts].join(' '))
  }
  return { moments, ends }
}

describe('all orders of the steps of stores that share a folder, with the death of a process or of the machine at each (I10)', () => {
  test('of two appends at one place exactly one is committed', () => {
    const { disk, cursor } = prepared('a')
    const { moments, ends } = checkAll(disk, [appender(0, cursor, 'x'), appender(1, cursor, 'y')])
    expect(moments).toBeGreaterThan(30)
    expect([...ends].toSorted()).toEqual(['x committed y lost = a x', 'x lost y committed = a y'])
  })

  test('of three appends at the first place exactly one is committed', () => {
    const { disk } = prepared()
    const { ends } = checkAll(
      disk,
      ['x', 'y', 'z'].map((text, at) => appender(at, genesis, text)),
    )
    expect(ends.size).toBe(3)
  })

  test('a writer that slept while its place was taken, covered by snapshots and trimmed does not bring the name back', () => {
    const { disk, ...start } = prepared('a')
    const programs = [appender(0, start.cursor, 'x'), writer(start, ['b', 'c'], 'c')]
    const { moments, ends } = checkAll(disk, programs)
    expect(moments).toBeGreaterThan(500)
    const fates = new Set([...ends].map(end => /x (\w+)/.exec(end)![1]))
    expect(fates).toContain('lost')
    expect(fates).toContain('committed')
  })

  test('whoever reads while others append, write snapshots and trim sees one moment of the log', () => {
    const { disk, ...start } = prepared('a')
    const reader: Program = function* (tell) {
      tell(`${story(yield* readAll(folderOf(0))).join('+')} read`)
    }
    const { ends } = checkAll(disk, [reader, writer(start, ['b', 'c'], 'b')])
    const reads = [...ends].map(end => /(\S+) read/.exec(end)![1])
    expect(new Set(reads)).toEqual(new Set(['a', 'a+b', 'a+b+c']))
  })

  test('two that write snapshots and trim do each other no harm', () => {
    const { disk, ...start } = prepared('a')
    const snapshotter: Program = function* () {
      const { cursor, known } = start
      const payload = utf8(known.join(' '))
      yield* writeSnapshot(folderOf(0), cursor, { epoch: 1, payload, nowMs: 1 })
    }
    checkAll(disk, [snapshotter, writer(start, ['b'], 'b')])
  })

  test('of two that take the lease at one counter exactly one gets it', () => {
    const { disk } = prepared()
    const taker = (brokerId: number, again: number): Program =>
      function* (tell) {
        const { counter } = yield* look('/m/lease')
        for (let step = 1; step <= again; step++) {
          const place = { path: '/m/lease', temporary: `/m/lease/lease.${brokerId}.tmp` }
          const holder = { brokerId, incarnationId: `of-${brokerId}` }
          const isTaken = yield* take(place, counter + step, holder)
          if (isTaken) tell(`counter-${counter + step} by-${brokerId}`)
        }
      }
    for (const moment of everyMoment(disk, [taker(0, 1), taker(1, 3)])) {
      const counters = moment.told.map(line => line.split(' ')[0])
      expect(new Set(counters).size, moment.told.join(', ')).toBe(counters.length)
    }
  })
})
