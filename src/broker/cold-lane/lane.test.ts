import { describe, expect, test } from 'vitest'
import { Prng } from '../../lib/prng.ts'
import { ColdLane, presenceMs } from './lane.ts'

const mebibyte = 1024 * 1024
const deviceBytesPerMs = 100_000
const settledMs = 2000

interface SimulatedReader {
  readonly share: string
  readonly jobBytes: number
  /** From the end of a job to the next: the consumer's own time. */
  readonly thinkMs?: number
}

interface Running {
  readonly connection: number
  leftBytes: number
}

interface Seen {
  readonly bytes: number
  /** Longest time from asking to starting, once all had been served. */
  readonly waitMsMax: number
}

/**
 * Readers who ask again when they were served, at a disk that gives each job at it as much as any other; what each
 * had after `durationMs`. Bytes are counted as they come.
 */
function simulate(
  readers: readonly SimulatedReader[],
  { jobsMax, durationMs }: { readonly jobsMax: number; readonly durationMs: number },
): Seen[] {
  const lane = new ColdLane(jobsMax)
  const seen = readers.map(() => ({ bytes: 0, waitMsMax: 0 }))
  const askedMs = readers.map(() => 0)
  let running: Running[] = []
  let asking = readers.map((_, connection) => ({ connection, atMs: connection / 1000 }))
  for (let nowMs = 0; nowMs < durationMs; nowMs++) {
    for (const { connection } of asking.filter(({ atMs }) => atMs <= nowMs)) {
      const { share, jobBytes } = readers[connection]!
      lane.wait({ connection, share, bytes: jobBytes }, nowMs)
      askedMs[connection] = nowMs
    }
    asking = asking.filter(({ atMs }) => atMs > nowMs)
    for (const connection of lane.start(nowMs)) {
      running.push({ connection, leftBytes: readers[connection]!.jobBytes })
      const one = seen[connection]!
      // At the beginning nobody was given anything, and all come at once.
      if (nowMs < settledMs) continue
      one.waitMsMax = Math.max(one.waitMsMax, nowMs - askedMs[connection]!)
    }
    if (running.length !== lane.running || running.length > jobsMax) throw new Error('too many')
    const each = deviceBytesPerMs / running.length
    for (const job of running) {
      const bytes = Math.min(each, job.leftBytes)
      job.leftBytes -= bytes
      seen[job.connection]!.bytes += bytes
      if (job.leftBytes > 0) continue
      lane.end(job.connection, readers[job.connection]!.jobBytes, nowMs)
      asking.push({
        connection: job.connection,
        atMs: nowMs + (readers[job.connection]!.thinkMs ?? 1),
      })
    }
    running = running.filter(({ leftBytes }) => leftBytes > 0)
  }
  return seen
}

const many = (count: number, reader: SimulatedReader) => Array.from({ length: count }, () => reader)

/** What each share had, of all that there was. */
function partsOf(
  readers: readonly SimulatedReader[],
  seen: readonly Seen[],
): Record<string, number> {
  const sum = seen.reduce((bytes, one) => bytes + one.bytes, 0)
  const parts: Record<string, number> = {}
  for (const [at, { share }] of readers.entries()) {
    parts[share] = (parts[share] ?? 0) + seen[at]!.bytes / sum
  }
  return parts
}

describe('the cold lane', () => {
  for (const jobsMax of [1, 2, 4, 8]) {
    test(`of ${jobsMax} jobs gives a group of one reader half of what there is beside a group of fifty`, () => {
      const readers = [
        ...many(50, { share: 'crowd', jobBytes: 2 * mebibyte }),
        { share: 'one', jobBytes: mebibyte },
      ]
      const seen = simulate(readers, { jobsMax, durationMs: 20_000 })
      const parts = partsOf(readers, seen)
      // It has to fetch its answers, and asks for the next when it has one.
      expect(parts['one']).toBeGreaterThan(0.44)
      expect(parts['one']).toBeLessThan(0.56)
      const crowd = seen.slice(0, 50).map(({ bytes }) => bytes)
      expect(Math.min(...crowd)).toBeGreaterThan(0.5 * Math.max(...crowd))
    })
  }

  test('gives each of many groups as much, whatever their readers are', () => {
    const readers = [
      ...many(20, { share: 'a', jobBytes: 2 * mebibyte }),
      ...many(5, { share: 'b', jobBytes: mebibyte }),
      ...many(9, { share: 'c', jobBytes: 2 * mebibyte }),
      ...many(3, { share: 'd', jobBytes: 0.5 * mebibyte }),
    ]
    const parts = partsOf(readers, simulate(readers, { jobsMax: 4, durationMs: 20_000 }))
    for (const share of ['a', 'b', 'c', 'd']) {
      expect(parts[share]).toBeGreaterThan(0.22)
      expect(parts[share]).toBeLessThan(0.28)
    }
  })

  test('does not let a reader of small fetches wait for the large ones of its group', () => {
    const readers = [
      ...many(20, { share: 'g', jobBytes: 2 * mebibyte }),
      { share: 'g', jobBytes: 16 * 1024, thinkMs: 5 },
    ]
    const seen = simulate(readers, { jobsMax: 4, durationMs: 20_000 })
    const small = seen.at(-1)!
    // Four jobs of 2 MiB share the disk: one of them ends within 84 ms.
    expect(small.waitMsMax).toBeLessThanOrEqual(84)
    expect(small.bytes / (16 * 1024)).toBeGreaterThan(20_000 / 100)
  })

  test('gives all of the disk to who is alone there', () => {
    const readers = many(10, { share: 'g', jobBytes: 2 * mebibyte })
    const seen = simulate(readers, { jobsMax: 4, durationMs: 10_000 })
    const bytes = seen.reduce((sum, one) => sum + one.bytes, 0)
    expect(bytes / deviceBytesPerMs).toBeGreaterThan(0.99 * 10_000)
  })

  test('owes nothing to who asks for little: a group is not held to the pace of a slow one', () => {
    const readers = [
      ...many(10, { share: 'busy', jobBytes: 2 * mebibyte }),
      { share: 'slow', jobBytes: 64 * 1024, thinkMs: 100 },
    ]
    const parts = partsOf(readers, simulate(readers, { jobsMax: 4, durationMs: 20_000 }))
    expect(parts['busy']).toBeGreaterThan(0.9)
  })

  /** A lane of one job at a time, for connections of which each is a group. */
  function turnstile() {
    const lane = new ColdLane(1)
    const wait = (connection: number, nowMs: number): void => {
      lane.wait({ connection, share: `group ${connection}`, bytes: mebibyte }, nowMs)
    }
    /** Whose turn it is; it has `bytes` at once. */
    const turn = (nowMs: number, bytes = mebibyte): number => {
      const [connection] = lane.start(nowMs)
      lane.end(connection!, bytes, nowMs)
      return connection!
    }
    /** Turns of connection 2 of `count`, where both ask all the time. */
    const turnsOfSecond = (count: number, nowMs: number): number => {
      for (const connection of [1, 2]) wait(connection, nowMs)
      let turns = 0
      for (let at = 0; at < count; at++) {
        const connection = turn(nowMs)
        if (connection === 2) turns++
        wait(connection, nowMs)
      }
      return turns
    }
    return { wait, turn, turnsOfSecond }
  }

  test('owes little to who asked for little: when he asks for more, the others go on', () => {
    const { wait, turn, turnsOfSecond } = turnstile()
    for (let nowMs = 0; nowMs < 1000; nowMs++) {
      wait(1, nowMs)
      turn(nowMs)
      if (nowMs % 100 > 0) continue
      wait(2, nowMs)
      turn(nowMs, 1000)
    }
    // Four turns of a MiB, and then every other one.
    expect(turnsOfSecond(20, 1000)).toBe(12)
  })

  test('owes nothing to who was away', () => {
    const { wait, turn, turnsOfSecond } = turnstile()
    wait(2, 0)
    turn(0, 1000)
    for (let nowMs = 0; nowMs <= presenceMs; nowMs++) {
      wait(1, nowMs)
      turn(nowMs)
    }
    expect(turnsOfSecond(20, presenceMs)).toBe(10)
  })

  test('never has more jobs than it may, and loses none, whoever closes when', () => {
    const prng = new Prng(9)
    for (let round = 0; round < 30; round++) {
      const jobsMax = 1 + prng.below(6)
      const lane = new ColdLane(jobsMax)
      const waiting = new Set<number>()
      const running = new Set<number>()
      let opened = 0
      const open: number[] = []
      const start = (nowMs: number): void => {
        for (const connection of lane.start(nowMs)) {
          expect(waiting.delete(connection)).toBe(true)
          running.add(connection)
        }
        expect(lane.running).toBe(running.size)
        expect(running.size).toBeLessThanOrEqual(jobsMax)
        // Nobody waits for a disk that has nothing to do.
        if (waiting.size > 0) expect(running.size).toBeGreaterThan(0)
      }
      for (let nowMs = 0; nowMs < 2000; nowMs += prng.below(40)) {
        const connection = prng.below(3) === 0 ? ++opened : open[prng.below(open.length)]
        if (connection === undefined) continue
        if (connection === opened && !open.includes(connection)) open.push(connection)
        if (prng.below(10) === 0) {
          lane.leave(connection, nowMs)
          waiting.delete(connection)
          running.delete(connection)
          open.splice(open.indexOf(connection), 1)
        } else if (running.has(connection)) {
          lane.end(connection, prng.below(2 * mebibyte), nowMs)
          running.delete(connection)
        } else if (!waiting.has(connection)) {
          const share = `group ${prng.below(3) === 0 ? prng.below(100) : connection % 3}`
          lane.wait({ connection, share, bytes: 2 * mebibyte }, nowMs)
          waiting.add(connection)
        }
        start(nowMs)
      }
      for (let nowMs = 2000; waiting.size > 0; nowMs++) {
        for (const connection of running) lane.end(connection, mebibyte, nowMs)
        running.clear()
        start(nowMs)
      }
    }
  })
})
