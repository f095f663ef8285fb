import type { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import { logDirectoryName } from '../../src/broker/log/log-id.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { Prng } from '../../src/lib/prng.ts'
import type { SimDisk } from '../../sim/disk.ts'
import { append, batchOf, openDirectory, simWorld, type LogWorld } from '../helpers/logs.ts'
import { drive } from '../helpers/drive.ts'
import { plantedEnv, plantedRecovery, type PlantedBugName } from './planted-bugs.ts'
import { problemsOf, producerProblems, scan } from './recovered-log.ts'
import { recordWorkload, type CrashPoint, type LogPromise } from './recorded-workload.ts'

export interface CrashPointsOptions {
  /** Crash points to visit; each is one disk operation, crashed in at least four ways. */
  readonly count: number
  readonly seed: number
  /** Unsynced subsets of a machine crash, for each point. */
  readonly subsetCount?: number
  /** To be planted: proves that this test would find it. */
  readonly bug?: PlantedBugName
  /** Stop at the first violation. */
  readonly bail?: boolean
}

/** Plain data, to be kept as JSON. */
export interface CrashPointsResult {
  readonly seed: number
  readonly workloads: number
  readonly crashPoints: number
  /** Those at which a thread was writing. */
  readonly duringThreadWrites: number
  readonly processCrashes: number
  readonly machineCrashes: number
  /** Recoveries that were themselves crashed, and recovered. */
  readonly recoveryCrashes: number
  /** Recovered logs that went on, were flushed, and crashed again. */
  readonly secondCrashes: number
  readonly recoveredBatches: number
  readonly violations: readonly CrashViolation[]
}

interface CrashViolation {
  readonly workloadSeed: number
  /** The disk operation that the crash came before; none where there was no crash. */
  readonly operation: string
  readonly crash: string
  readonly problem: string
}

/** Crashes recorded workloads at every disk operation and checks what recovery makes of it (issue 3, "Done when"). */
export async function runCrashPoints(options: CrashPointsOptions): Promise<CrashPointsResult> {
  const run = new CrashRun(options)
  return run.run()
}

function differentProducers(log: Log, before: Log): string[] {
  if (log.producers.equals(before.producers)) return []
  const [now, then] = [log, before].map(({ producers }) => JSON.stringify([...knownOf(producers)]))
  return [`${log.name} [${log.startOffset}, ${log.endOffset}) knows ${now}, not ${then}`]
}

function* knownOf(producers: Log['producers']): Iterable<unknown> {
  for (const { producerId, epoch, batches } of producers.states()) {
    yield [producerId, epoch, batches.map(({ baseOffset }) => baseOffset)]
  }
}

/** For batches that were appended after the recording. */
const anything = { explains: () => true } as unknown as LogPromise['history']

/** A read that had to make an index anew gives the right answer, and recovery had left a wrong index. */
const doubted = /^Rebuilt an index/

type CrashKind = 'process' | 'torn process' | 'machine'

class CrashRun {
  readonly #options: CrashPointsOptions
  readonly #bug: PlantedBugName | null
  readonly #violations: CrashViolation[] = []
  #workloads = 0
  #points = 0
  #duringThreadWrites = 0
  #processCrashes = 0
  #machineCrashes = 0
  #recoveryCrashes = 0
  #secondCrashes = 0
  #batches = 0

  constructor(options: CrashPointsOptions) {
    this.#options = options
    this.#bug = options.bug ?? null
  }

  async run(): Promise<CrashPointsResult> {
    const { count, seed } = this.#options
    for (; this.#points < count && !this.#isOver(); this.#workloads++) {
      const workload = await recordWorkload(seed * 100_000 + this.#workloads, this.#bug)
      const workloadSeed = workload.seed
      for (const problem of workload.problems) {
        this.#violations.push({ workloadSeed, operation: 'none', crash: 'none', problem })
      }
      for (const point of workload.points) {
        if (this.#points >= count || this.#isOver()) break
        await this.#visit(workloadSeed, point)
        this.#points++
        if (point.disk.underWayCount > 0) this.#duringThreadWrites++
      }
    }
    return {
      seed,
      workloads: this.#workloads,
      crashPoints: this.#points,
      duringThreadWrites: this.#duringThreadWrites,
      processCrashes: this.#processCrashes,
      machineCrashes: this.#machineCrashes,
      recoveryCrashes: this.#recoveryCrashes,
      secondCrashes: this.#secondCrashes,
      recoveredBatches: this.#batches,
      violations: this.#violations,
    }
  }

  #isOver(): boolean {
    return this.#options.bail === true && this.#violations.length > 0
  }

  async #visit(workloadSeed: number, point: CrashPoint): Promise<void> {
    const prng = new Prng(workloadSeed * 1000 + point.at)
    const visit = (crash: CrashKind, disk: SimDisk) =>
      this.#recover(workloadSeed, point, { crash, disk, prng })
    await visit('process', point.disk.clone().crashProcess(prng))
    if (point.writeBytes > 0) {
      const torn = point.disk.clone()
      torn.tear(point.operation, prng.below(point.writeBytes + 1))
      await visit('torn process', torn.crashProcess(prng))
    }
    for (let subset = 0; subset < (this.#options.subsetCount ?? 3); subset++) {
      const machine = point.disk.clone()
      if (point.writeBytes > 0 && prng.chance(1, 2)) machine.tear(point.operation, point.writeBytes)
      await visit('machine', machine.crashMachine(prng))
    }
  }

  async #recover(
    workloadSeed: number,
    point: CrashPoint,
    {
      crash,
      disk,
      prng,
    }: { readonly crash: CrashKind; readonly disk: SimDisk; readonly prng: Prng },
  ): Promise<void> {
    if (crash === 'machine') this.#machineCrashes++
    else this.#processCrashes++
    const { name, path, index } = point.operation
    const report = (problem: string) =>
      this.#violations.push({
        workloadSeed,
        operation: `${index}: ${name} ${path}`,
        crash,
        problem,
      })
    try {
      const crashed = prng.chance(1, 8)
        ? await this.#crashRecovery(disk, point, { crash, prng })
        : disk
      for (const problem of await this.#check(crashed, point, { crash, prng })) report(problem)
    } catch (error) {
      report(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }

  /** Recovers up to some operation, and crashes there again, in the same way. */
  async #crashRecovery(
    disk: SimDisk,
    point: CrashPoint,
    { crash, prng }: { readonly crash: CrashKind; readonly prng: Prng },
  ): Promise<SimDisk> {
    const copies: SimDisk[] = []
    const first = disk.clone()
    first.onOperation(() => copies.push(first.clone()))
    const { world, directory } = await this.#open(first, point, crash)
    await drive(world.clock, directory.close())
    if (copies.length === 0) return disk
    this.#recoveryCrashes++
    const copy = prng.pick(copies)
    return crash === 'machine' ? copy.crashMachine(prng) : copy.crashProcess()
  }

  async #open(
    disk: SimDisk,
    point: CrashPoint,
    crash: CrashKind,
  ): Promise<{ world: LogWorld; directory: LogDirectory; logs: Log[]; doubts: string[] }> {
    const { env, ...rest } = simWorld(disk, point.at)
    const world = { ...rest, env: plantedEnv(this.#bug, env) }
    const doubts: string[] = []
    const directory = await drive(
      world.clock,
      openDirectory(world, {
        bootId: crash === 'machine' ? 'boot-2' : 'boot-1',
        recover: plantedRecovery(this.#bug),
        hooks: {
          warn: (message, fields) => {
            if (doubted.test(message)) doubts.push(`${message}: ${JSON.stringify(fields)}`)
          },
        },
        settings: { growthStepBytes: point.at % 2 === 0 ? 1 : 1_000_000 },
      }),
    )
    const logs: Log[] = []
    for (const { history } of point.logs) {
      logs.push(await drive(world.clock, directory.openLog(history.id, history.config)))
    }
    return { world, directory, logs, doubts }
  }

  async #check(
    disk: SimDisk,
    point: CrashPoint,
    { crash, prng }: { readonly crash: CrashKind; readonly prng: Prng },
  ): Promise<string[]> {
    const { world, directory, logs, doubts } = await this.#open(disk, point, crash)
    const problems: string[] = []
    const isProcess = crash !== 'machine'
    if (
      isProcess &&
      point.isAtWork &&
      directory.startClass !== 'B' &&
      directory.startClass !== 'A'
    ) {
      problems.push(
        `start class ${directory.startClass} (${directory.startReason}) after a crash of the process`,
      )
    }
    for (const [index, log] of logs.entries()) {
      problems.push(
        ...(await this.#checkLog(world, log, {
          promise: point.logs[index]!,
          crash,
          prng,
          at: point.at,
        })),
      )
    }
    problems.push(...doubts)
    if (problems.length === 0 && prng.chance(1, 6)) {
      problems.push(...(await this.#crashAgain({ world, logs }, point, { crash, prng })))
    }
    await drive(world.clock, directory.close())
    return problems
  }

  /** What went on after a recovery is flushed and crashes too: nothing of the first life may come back in it. */
  async #crashAgain(
    { world, logs }: { readonly world: LogWorld; readonly logs: readonly Log[] },
    point: CrashPoint,
    { crash, prng }: { readonly crash: CrashKind; readonly prng: Prng },
  ): Promise<string[]> {
    this.#secondCrashes++
    for (const log of logs) await drive(world.clock, log.whenDurable(log.endOffset))
    await world.clock.run(prng.pick([10, 3000]))
    const copy = world.disk.clone()
    const again = prng.chance(1, 2)
      ? await this.#open(copy.crashProcess(), point, crash)
      : await this.#open(copy.crashMachine(prng), point, crash)
    const problems: string[] = []
    for (const [index, log] of again.logs.entries()) {
      const before = logs[index]!
      const folder = `/data/${logDirectoryName(log.id)}`
      if (log.offline !== null) return [`out of service after a second crash: ${log.offline}`]
      const laid = scan(again.world.disk, folder)
      problems.push(...(await problemsOf(log, laid, { history: anything, prng, at: 0 })))
      if (log.endOffset !== before.endOffset) problems.push(`ends at ${log.endOffset}`)
      problems.push(...differentProducers(log, before))
    }
    await drive(again.world.clock, again.directory.close())
    return problems.map(problem => `after a second crash: ${problem}`)
  }

  async #checkLog(
    world: LogWorld,
    log: Log,
    context: {
      readonly promise: LogPromise
      readonly crash: CrashKind
      readonly prng: Prng
      readonly at: number
    },
  ): Promise<string[]> {
    const { crash, prng, at } = context
    const { history, answeredEnd, durableEnd, startOffset } = context.promise
    if (log.offline !== null) return [`out of service: ${log.offline}`]
    const kept = crash === 'machine' ? durableEnd : answeredEnd
    const problems: string[] = []
    if (log.endOffset < kept) problems.push(`ends at ${log.endOffset}, but ${kept} was promised`)
    if (log.startOffset < startOffset)
      problems.push(`starts at ${log.startOffset}, ${startOffset} was shown`)
    const folder = `/data/${logDirectoryName(log.id)}`
    const laid = scan(world.disk, folder)
    this.#batches += laid.length
    problems.push(...(await problemsOf(log, laid, { history, prng, at })))
    problems.push(...producerProblems(log, laid, history))
    if (problems.length === 0) problems.push(...(await this.#goOn(world, log, { folder, prng })))
    return problems
  }

  /** The log must go on where it stands: what is appended now is found, and so is everything before. */
  async #goOn(
    world: LogWorld,
    log: Log,
    { folder, prng }: { readonly folder: string; readonly prng: Prng },
  ): Promise<string[]> {
    const before = log.endOffset
    for (let at = 0; at < 3; at++) {
      const batch = batchOf(1 + prng.below(4), { valueBytes: 1 + prng.below(400) })
      const result = await append(world, log, batch, { leaderEpoch: log.latestEpoch + 1 })
      if (!result.ok) return [`an append after recovery was refused: ${result.message}`]
    }
    const laid = scan(world.disk, folder)
    const problems = await problemsOf(log, laid, { history: anything, prng, at: 0 })
    return problems.map(problem => `after ${log.endOffset - before} more records: ${problem}`)
  }
}
