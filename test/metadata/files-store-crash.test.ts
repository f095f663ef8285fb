import { describe, expect, test } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import { FilesStore } from '../../src/broker/metadata/files/files-store.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { expectChain } from './store-conformance.ts'

const path = '/data/metadata'
const subsetsPerPoint = 4

/** The disk as it was before one operation, and how many records had been acknowledged by then. */
interface CrashPoint {
  readonly what: string
  readonly disk: SimDisk
  readonly acknowledged: number
}

/** Opens twice, appends 14 records and writes three snapshots: with every disk operation as a crash point. */
async function crashPoints(): Promise<CrashPoint[]> {
  const points: CrashPoint[] = []
  const disk = new SimDisk()
  let acknowledged = 0
  disk.onOperation(({ index, name, path: at }) =>
    points.push({ what: `${index}: ${name} ${at}`, disk: disk.clone(), acknowledged }),
  )
  for (const count of [6, 8]) {
    const store = await FilesStore.open({ disk, path, snapshotIntervalMax: 4 })
    let { cursor } = await store.readAll()
    for (let done = 0; done < count; done++) {
      const outcome = await store.append(cursor, 1, utf8(String(acknowledged + 1)))
      if (outcome.kind !== 'committed') throw new Error(outcome.kind)
      cursor = outcome.cursor
      acknowledged++
      if (acknowledged % 4 === 0) await store.writeSnapshot(cursor, 1, utf8(String(acknowledged)))
    }
    await store.close()
  }
  points.push({ what: 'the end', disk: disk.clone(), acknowledged })
  return points
}

/** Every acknowledged record is there, at most the one that was under way besides, and the log can be continued. */
async function check({ acknowledged }: CrashPoint, disk: SimDisk): Promise<void> {
  const store = await FilesStore.open({ disk, path, snapshotIntervalMax: 4 })
  const log = await store.readAll()
  expectChain(log)
  const covered = Number(fromUtf8(log.snapshot?.payload ?? utf8('0')))
  expect(log.snapshot?.sequence ?? 0).toBe(covered)
  const texts = log.tail.map(({ payload }) => fromUtf8(payload))
  expect(texts).toEqual(texts.map((_, at) => String(covered + 1 + at)))
  const found = covered + texts.length
  expect([acknowledged, acknowledged + 1]).toContain(found)
  const outcome = await store.append(log.cursor, 2, utf8('next'))
  expect(outcome).toMatchObject({ kind: 'committed' })
}

describe('a crash at any disk operation of the files store', () => {
  test('of the process keeps every acknowledged record', async () => {
    const points = await crashPoints()
    expect(points.length).toBeGreaterThan(100)
    for (const point of points) await check(point, point.disk.crashProcess())
  })

  test('of the machine keeps every acknowledged record', async () => {
    for (const [at, point] of (await crashPoints()).entries()) {
      for (let subset = 0; subset < subsetsPerPoint; subset++) {
        const disk = point.disk.crashMachine(new Prng(at * subsetsPerPoint + subset))
        await check(point, disk).catch((error: unknown) => {
          throw new Error(`after a crash before ${point.what}, subset ${subset}`, { cause: error })
        })
      }
    }
  })
})
