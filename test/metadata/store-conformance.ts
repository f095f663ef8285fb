import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chainHash, genesisHash } from '../../src/broker/metadata/chain.ts'
import type { Cursor, MetadataStore, Snapshot, StoredLog } from '../../src/broker/metadata/store.ts'
import { utf8 } from '../../src/lib/bytes.ts'

/** One log, wherever the adapter under test keeps it. */
export interface StorePlace {
  /** A store as a process that starts opens it; those before are closed where only one may be open. */
  open(): Promise<MetadataStore>
  /** A second writer beside `store`; `store` itself where a place has one writer at a time. */
  beside(store: MetadataStore): Promise<MetadataStore>
  /** The next append gets through, or not, and is answered with `unavailable`. Missing where nothing is ambiguous. */
  readonly makeAmbiguous?: (outcome: 'applied' | 'dropped') => void
}

/** Every MetadataStore does this (durability.md 1.4). */
export function testMetadataStore(
  makePlace: () => StorePlace,
  /** How many random orders of operations are tried. */
  { runCount = 60 }: { readonly runCount?: number } = {},
): void {
  testAppends(makePlace)
  testSnapshots(makePlace)
  testAmbiguity(makePlace)
  test('agrees with a list in memory, whatever is done in whatever order', async () => {
    const commands = fc.array(fc.constantFrom(...commandNames), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(commands, names => compareWithModel(makePlace(), names)),
      { numRuns: runCount },
    )
  })
}

function testAppends(makePlace: () => StorePlace): void {
  test('a new log is empty and starts at record 1', async () => {
    const store = await makePlace().open()
    expect(await store.readAll()).toEqual({
      snapshot: null,
      tail: [],
      cursor: { nextSequence: 1, lastHash: genesisHash },
    })
  })

  test('what was appended is read back in order and chained, by the next process too', async () => {
    const place = makePlace()
    const store = await place.open()
    const cursor = await appendAll(store, ['a', '', '\0\n{"b"}', 'c'.repeat(100_000)])
    const log = await store.readAll()
    expect(log.tail.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
    expect(texts(log)).toEqual(['a', '', '\0\n{"b"}', 'c'.repeat(100_000)])
    expect(log.cursor).toEqual(cursor)
    expectChain(log)
    expect(await (await place.open()).readAll()).toEqual(log)
  })

  test('an append at a place that is taken is lost and changes nothing', async () => {
    const place = makePlace()
    const store = await place.open()
    const { cursor: stale } = await store.readAll()
    await appendAll(store, ['a', 'b'])
    const before = await store.readAll()
    const other = await place.beside(store)
    expect(await other.append(stale, 1, utf8('x'))).toEqual({ kind: 'lost' })
    expect(await other.append({ ...stale, nextSequence: 2 }, 1, utf8('x'))).toEqual({
      kind: 'lost',
    })
    expect(await store.readAll()).toEqual(before)
  })

  test('of two writers at one place exactly one gets it, and the other can go on after it', async () => {
    const place = makePlace()
    const store = await place.open()
    const cursor = await appendAll(store, ['a'])
    const other = await place.beside(store)
    expect(await other.append(cursor, 2, utf8('theirs'))).toMatchObject({ kind: 'committed' })
    expect(await store.append(cursor, 1, utf8('ours'))).toEqual({ kind: 'lost' })
    const after = (await store.readAll()).cursor
    expect(await store.append(after, 3, utf8('later'))).toMatchObject({ kind: 'committed' })
    expect(texts(await other.readAll())).toEqual(['a', 'theirs', 'later'])
  })

  test('the same append again is committed, and there once', async () => {
    const store = await makePlace().open()
    const { cursor } = await store.readAll()
    const first = await store.append(cursor, 1, utf8('a'))
    expect(await store.append(cursor, 1, utf8('a'))).toEqual(first)
    expect(texts(await store.readAll())).toEqual(['a'])
  })

  test('the same bytes of another epoch are another record', async () => {
    const store = await makePlace().open()
    const { cursor } = await store.readAll()
    await store.append(cursor, 1, utf8('a'))
    expect(await store.append(cursor, 2, utf8('a'))).toEqual({ kind: 'lost' })
  })
}

function testSnapshots(makePlace: () => StorePlace): void {
  test('after a snapshot the log is that snapshot and what came later', async () => {
    const place = makePlace()
    const store = await place.open()
    const cursor = await appendAll(store, ['a', 'b'])
    const written = await store.writeSnapshot(cursor, 1, utf8('ab'))
    expect(written.kind).toBe('written')
    const { cursor: later } = await store.readAll()
    await store.append(later, 1, utf8('c'))
    const log = await (await place.open()).readAll()
    expect(log.snapshot).toMatchObject({ payload: utf8('ab'), epoch: 1 })
    expect(texts(log)).toEqual(['c'])
  })

  test('a snapshot of a past that others have left is lost', async () => {
    const place = makePlace()
    const store = await place.open()
    const cursor = await appendAll(store, ['a'])
    const other = await place.beside(store)
    await other.append(cursor, 2, utf8('b'))
    expect(await store.writeSnapshot(cursor, 1, utf8('a'))).toEqual({ kind: 'lost' })
    expect((await store.readAll()).snapshot).toBe(null)
  })

  test('more records than are kept, with snapshots, leave the state, and no old place can be written again', async () => {
    const place = makePlace()
    const store = await place.open()
    const old = [await appendAll(store, ['0'])]
    let cursor = old[0]!
    let sinceSnapshot = 0
    for (let count = 1; count < recordCount; count++) {
      cursor = await append(store, cursor, String(count))
      if (count % 100 === 0) old.push(cursor)
      if (++sinceSnapshot < store.snapshotIntervalMax) continue
      cursor = await snapshot(store, cursor, String(count))
      sinceSnapshot = 0
    }
    const log = await (await place.open()).readAll()
    const newest = Number(Buffer.from(log.snapshot!.payload).toString())
    expect(log.tail.length).toBe(recordCount - 1 - newest)
    expect(texts(log)).toEqual(Array.from(log.tail, (_, at) => String(newest + 1 + at)))
    expectChain(log)
    const reopened = await place.open()
    for (const stale of old.slice(0, -1)) {
      expect(await reopened.append(stale, 1, utf8('x'))).toEqual({ kind: 'lost' })
    }
    expect(await reopened.readAll()).toEqual(log)
  })
}

function testAmbiguity(makePlace: () => StorePlace): void {
  if (makePlace().makeAmbiguous === undefined) return
  for (const outcome of ['applied', 'dropped'] as const) {
    test(`an append whose answer is lost and that was ${outcome} is committed by repetition, once`, async () => {
      const place = makePlace()
      const store = await place.open()
      const cursor = await appendAll(store, ['a'])
      place.makeAmbiguous!(outcome)
      expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'unavailable' })
      expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'committed' })
      expect(texts(await store.readAll())).toEqual(['a', 'b'])
    })
  }

  test('an append that was dropped and overtaken meanwhile is lost', async () => {
    const place = makePlace()
    const store = await place.open()
    const cursor = await appendAll(store, ['a'])
    place.makeAmbiguous!('dropped')
    expect(await store.append(cursor, 1, utf8('b'))).toMatchObject({ kind: 'unavailable' })
    await (await place.beside(store)).append(cursor, 2, utf8('c'))
    expect(await store.append(cursor, 1, utf8('b'))).toEqual({ kind: 'lost' })
    expect(texts(await store.readAll())).toEqual(['a', 'c'])
  })
}

/** More than the 1,024 that the files store keeps, and than the slots of any ring. */
const recordCount = 1_300

const commandNames = ['append', 'append', 'appendStale', 'repeat', 'snapshot', 'reopen'] as const

/** Lives beside the store: all records ever committed, and how many of them the snapshot covers. */
async function compareWithModel(
  place: StorePlace,
  commands: readonly (typeof commandNames)[number][],
): Promise<void> {
  let store = await place.open()
  const model: string[] = []
  const cursors: Cursor[] = [(await store.readAll()).cursor]
  let snapshotText: string | null = null
  let covered = 0
  for (const [at, command] of commands.entries()) {
    const cursor = cursors.at(-1)!
    if (command === 'append') {
      cursors.push(await append(store, cursor, `record ${at}`))
      model.push(`record ${at}`)
    } else if (command === 'appendStale' && cursors.length > 1) {
      const stale = cursors[at % (cursors.length - 1)]!
      expect(await store.append(stale, 1, utf8(`stale ${at}`))).toEqual({ kind: 'lost' })
    } else if (command === 'repeat' && cursors.length > 1 && covered < model.length) {
      const again = await store.append(cursors.at(-2)!, 1, utf8(model.at(-1)!))
      expect(again).toEqual({ kind: 'committed', cursor })
    } else if (command === 'snapshot' && model.length > covered) {
      snapshotText = `state ${model.length}`
      covered = model.length
      cursors[cursors.length - 1] = await snapshot(store, cursor, snapshotText)
    } else if (command === 'reopen') {
      store = await place.open()
    }
    const log = await store.readAll()
    expect(texts(log)).toEqual(model.slice(covered))
    expect(log.snapshot === null ? null : Buffer.from(log.snapshot.payload).toString()).toBe(
      snapshotText,
    )
    expect(log.cursor).toEqual(cursors.at(-1))
    expectChain(log)
  }
}

async function appendAll(store: MetadataStore, payloads: readonly string[]): Promise<Cursor> {
  let { cursor } = await store.readAll()
  for (const payload of payloads) cursor = await append(store, cursor, payload)
  return cursor
}

async function append(store: MetadataStore, cursor: Cursor, payload: string): Promise<Cursor> {
  const outcome = await store.append(cursor, 1, utf8(payload))
  if (outcome.kind !== 'committed') throw new Error(`append: ${outcome.kind}`)
  return outcome.cursor
}

async function snapshot(store: MetadataStore, cursor: Cursor, payload: string): Promise<Cursor> {
  const outcome = await store.writeSnapshot(cursor, 1, utf8(payload))
  if (outcome.kind !== 'written') throw new Error(`writeSnapshot: ${outcome.kind}`)
  return outcome.cursor
}

function texts(log: StoredLog): string[] {
  return log.tail.map(({ payload }) => Buffer.from(payload).toString())
}

/** Sequences without a gap; each hash made of the one before. */
export function expectChain({ snapshot: start, tail, cursor }: StoredLog): void {
  let last: Pick<Snapshot, 'sequence' | 'hash'> = start ?? { sequence: 0, hash: genesisHash }
  for (const record of tail) {
    expect(record.sequence).toBe(last.sequence + 1)
    expect(record.hash).toBe(chainHash({ ...record, previousHash: last.hash }))
    last = record
  }
  expect(cursor).toEqual({ nextSequence: last.sequence + 1, lastHash: last.hash })
}
