import { gzipSync } from 'node:zlib'
import { encodeBatch, type BatchInput } from '../../src/broker/log/batch/batch.ts'
import { encodeRecords, type RecordInput } from '../../src/broker/log/batch/records.ts'
import type { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import type { Log } from '../../src/broker/log/log.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import { Prng } from '../../src/lib/prng.ts'
import type { Disk } from '../../src/env/disk.ts'
import { SimClock } from '../../sim/clock.ts'
import { changed } from '../../sim/changed.ts'
import { SimDisk } from '../../sim/disk.ts'
import { logConfig, logId, openDirectory, simWorld, type LogWorld } from '../helpers/logs.ts'
import { drive, quietly } from '../helpers/drive.ts'
import { KeyedHistory } from './cleaned-log.ts'

export interface CleanerPointsOptions {
  /** Crash points to visit. */
  readonly count: number
  readonly seed: number
  /** To be planted: proves that this test would find it. */
  readonly bug?: CleanerBugName
  /** Stop at the first violation. */
  readonly bail?: boolean
}

export interface CleanerPointsResult {
  readonly crashPoints: number
  readonly recoveries: number
  /** Cleanings before the crashes, of all recordings. */
  readonly cleanings: number
  /** Points at which a new segment had its name, and was not in its place yet. */
  readonly swapPoints: number
  readonly violations: readonly string[]
}

/** Disks that lie about what a cleaning relies on. */
const bugs = {
  /** A new segment takes its place before it is on the device. */
  'cleaned-not-synced': disk => lyingFile(disk, /\.cleaned$/, { sync: async () => {} }),
  /** A start does not see what the cleaner had begun. */
  'swap-not-finished': disk =>
    changed(disk, { list: path => disk.list(path).filter(name => !name.endsWith('.swap')) }),
  /** A flush answers before anything is on the device: what makes others superfluous may be lost. */
  'flush-not-done': disk => lyingFile(disk, /\.log$/, { sync: async () => {} }),
} as const satisfies Record<string, (disk: Disk) => Disk>

export type CleanerBugName = keyof typeof bugs
export const cleanerBugNames = Object.keys(bugs) as readonly CleanerBugName[]

function lyingFile(disk: Disk, paths: RegExp, lies: Partial<ReturnType<Disk['open']>>): Disk {
  return changed(disk, {
    open: (path, mode) => {
      const file = disk.open(path, mode)
      return paths.test(path) ? changed(file, lies) : file
    },
  })
}

interface Point {
  readonly at: number
  readonly disk: SimDisk
  readonly answeredEnd: number
  readonly durableEnd: number
}

interface Recording {
  readonly points: readonly Point[]
  readonly history: KeyedHistory
  readonly config: LogConfig
  readonly cleanings: number
}

/** Crashes recorded cleanings at every disk operation, and checks what is left by the history of what was appended. */
export async function runCleanerPoints(
  options: CleanerPointsOptions,
): Promise<CleanerPointsResult> {
  const { count, seed, bug, bail = false } = options
  const violations: string[] = []
  let [crashPoints, recoveries, cleanings, swapPoints] = [0, 0, 0, 0]
  const isOver = () => crashPoints >= count || (bail && violations.length > 0)
  for (let run = 0; !isOver(); run++) {
    const recording = await new Recorder(seed * 100_000 + run, bug ?? null).run()
    cleanings += recording.cleanings
    for (const point of recording.points) {
      if (isOver()) break
      crashPoints++
      if (isSwapping(point.disk)) swapPoints++
      const prng = new Prng(seed * 7919 + crashPoints)
      const crashes = [
        ['process', point.disk.clone().crashProcess(), point.answeredEnd],
        ['machine', point.disk.clone().crashMachine(prng), point.durableEnd],
        ['machine', point.disk.clone().crashMachine(prng), point.durableEnd],
      ] as const
      for (const [kind, disk, kept] of crashes) {
        recoveries++
        const found = await afterCrash({ recording, point, disk, kept, kind, prng, bug })
        violations.push(
          ...found.map(problem => `run ${run}, operation ${point.at}, ${kind}: ${problem}`),
        )
      }
    }
  }
  return { crashPoints, recoveries, cleanings, swapPoints, violations }
}

function isSwapping(disk: SimDisk): boolean {
  return disk
    .list('/data')
    .filter(name => disk.stat(`/data/${name}`)?.isDirectory)
    .some(name => disk.list(`/data/${name}`).some(file => file.endsWith('.swap')))
}

interface Crash {
  readonly recording: Recording
  readonly point: Point
  readonly disk: SimDisk
  readonly kept: number
  readonly kind: 'process' | 'machine'
  readonly prng: Prng
  readonly bug: CleanerBugName | undefined
}

async function afterCrash(crash: Crash): Promise<string[]> {
  const { recording, point, kept, kind, prng } = crash
  try {
    const { world, directory, log } = await reopen(crash, crash.disk)
    if (log.offline !== null) return [`out of service: ${log.offline}`]
    const problems = await recording.history.problemsOf(log, point.at)
    if (log.endOffset < kept) problems.push(`ends at ${log.endOffset}, ${kept} was promised`)
    if (problems.length === 0 && prng.chance(1, 3)) {
      // It is cleaned on, and crashes once more.
      await drive(world.clock, log.whenDurable(log.endOffset))
      await world.clock.run(prng.pick([20, 400]))
      const again = await reopen(crash, world.disk.clone().crashMachine(prng))
      const found = await recording.history.problemsOf(again.log, point.at)
      if (again.log.endOffset !== log.endOffset) found.push(`ends at ${again.log.endOffset}`)
      problems.push(...found.map(problem => `after a second ${kind}: ${problem}`))
      await drive(again.world.clock, again.directory.close())
    }
    await drive(world.clock, directory.close())
    return problems
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  }
}

async function reopen({ recording, point, kind, bug }: Crash, disk: SimDisk) {
  const sim = simWorld(disk, point.at)
  const world = { ...sim, env: { ...sim.env, disk: bug === undefined ? disk : bugs[bug](disk) } }
  const bootId = kind === 'machine' ? 'boot-2' : 'boot-1'
  const directory = await drive(world.clock, openDirectory(world, { bootId, settings }))
  const log = await drive(world.clock, directory.openLog(logId(), recording.config))
  return { world, directory, log }
}

const settings = { logCleanerBackoffMs: 15, logCleanerIoBufferSize: 0 }

/** A random life of one compacted log. The same seed gives the same. */
class Recorder {
  readonly #prng: Prng
  readonly #clock = new SimClock()
  readonly #world: LogWorld
  readonly #disk: SimDisk
  readonly #history = new KeyedHistory()
  readonly #points: Point[] = []
  readonly #config: LogConfig
  readonly #sequences = new Map<number, number>()
  #directory: LogDirectory | null = null
  #log: Log | null = null
  #answeredEnd = 0
  #cleanings = 0
  #isRecording = true

  constructor(seed: number, bug: CleanerBugName | null) {
    const prng = (this.#prng = new Prng(seed))
    this.#disk = new SimDisk({
      later: act =>
        this.#isRecording ? this.#clock.after(prng.below(6), act) : queueMicrotask(act),
      now: () => this.#clock.now(),
    })
    const { env } = simWorld(this.#disk, seed)
    const disk = bug === null ? this.#disk : bugs[bug](this.#disk)
    this.#world = {
      env: { ...env, disk, clock: this.#clock },
      clock: this.#clock,
      disk: this.#disk,
    }
    this.#config = logConfig({
      cleanupPolicy: prng.pick(['compact', 'compact,delete']),
      retentionMs: -1,
      segmentBytes: 300 + prng.below(900),
      indexIntervalBytes: prng.pick([1, 150, 600]),
      minCleanableDirtyRatio: prng.pick([0, 0.3]),
      deleteRetentionMs: prng.pick([0, 40, 1_000_000]),
      flushPolicy: prng.pick(['interval', 'ack', 'os']),
      flushMs: prng.pick([10, 60]),
      fileDeleteDelayMs: prng.pick([0, 30]),
    })
  }

  async run(): Promise<Recording> {
    await this.#open()
    this.#record()
    const stepCount = 15 + this.#prng.below(25)
    for (let step = 0; step < stepCount; step++) await this.#step()
    while (this.#answeredEnd < this.#history.endOffset) await this.#clock.run(10)
    this.#cleanings += this.#directory!.cleanerNumbers().runs
    this.#isRecording = false
    this.#disk.onOperation(null)
    const [points, history, config] = [this.#points, this.#history, this.#config]
    return { points, history, config, cleanings: this.#cleanings }
  }

  #record(): void {
    this.#disk.onOperation(({ index }) => {
      this.#points.push({
        at: index,
        disk: this.#disk.clone(),
        answeredEnd: this.#answeredEnd,
        durableEnd: this.#log?.durableOffset ?? 0,
      })
    })
  }

  async #open(): Promise<void> {
    const options = { bootId: 'boot-1', settings }
    this.#directory = await drive(this.#clock, openDirectory(this.#world, options))
    this.#log = await drive(this.#clock, this.#directory.openLog(logId(), this.#config))
  }

  async #step(): Promise<void> {
    const prng = this.#prng
    switch (prng.below(12)) {
      case 0:
      case 1:
      case 2:
        return this.#clock.run(prng.pick([10, 60, 200]))
      case 3:
        if (!prng.chance(1, 3)) return this.#append()
        this.#cleanings += this.#directory!.cleanerNumbers().runs
        await drive(this.#clock, this.#directory!.close())
        return this.#open()
      case 4:
        quietly(this.#log!.applyRetention(this.#clock.now()))
        return this.#clock.run(prng.below(20))
      case 5:
        // Another policy and back: what was begun ends, what was done stays.
        this.#log!.configure({ ...this.#config, cleanupPolicy: prng.pick(['delete', 'compact']) })
        await this.#append()
        return this.#log!.configure(this.#config)
      default:
        return this.#append()
    }
  }

  async #append(): Promise<void> {
    const prng = this.#prng
    for (let count = 1 + prng.below(4); count > 0; count--) this.#appendOne()
    this.#clock.runSoon()
    await this.#clock.run(prng.below(8))
  }

  #appendOne(): void {
    const prng = this.#prng
    const records: RecordInput[] = Array.from({ length: 1 + prng.below(4) }, () => ({
      key: `k${prng.below(6)}`,
      value: prng.chance(1, 5) ? null : `${prng.uint32()}`.repeat(1 + prng.below(4)),
      timestampDelta: prng.below(50),
    }))
    const input: Omit<BatchInput, 'records'> = {
      baseTimestamp: this.#clock.now(),
      ...(prng.chance(1, 2) ? this.#producer(records.length) : {}),
    }
    const bytes = encodeBatch({ ...input, records: this.#packed(records) })
    this.#history.note(records, input, this.#disk.operationCount)
    const { length } = records
    this.#log!.append(bytes, { leaderEpoch: 0, origin: 'coordinator' }, result => {
      if (!result.ok) throw new Error(result.message)
      this.#answeredEnd = Math.max(this.#answeredEnd, result.baseOffset + length)
    })
  }

  #producer(count: number): Partial<BatchInput> {
    const producerId = 100 + this.#prng.below(3)
    const baseSequence = this.#sequences.get(producerId) ?? 0
    this.#sequences.set(producerId, baseSequence + count)
    return { producerId, producerEpoch: 0, baseSequence }
  }

  #packed(records: readonly RecordInput[]): BatchInput['records'] {
    if (!this.#prng.chance(1, 4)) return records
    return { codec: 1, bytes: gzipSync(encodeRecords(records)), count: records.length }
  }
}
