import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually } from '../helpers/eventually.ts'
import { Prng } from '../../src/lib/prng.ts'
import { LoopDisk } from './loop-disk.ts'

export interface PowerLossOptions {
  readonly cycles: number
  readonly seed: number
  /** The driver says "durable" when it is only written: to see whether the checker notices. */
  readonly liesAboutFlush?: boolean
  readonly progress?: (text: string) => void
}

export interface PowerLossResult {
  readonly seed: number
  readonly cycles: number
  readonly fileSystem: string
  /** Offsets that were said to be durable when the power went, over all logs and cycles. */
  readonly durableRecords: number
  /** Offsets found after it beyond those. */
  readonly survivedRecords: number
  readonly durationMs: number
  readonly violations: readonly string[]
}

/** What the driver is told. */
export interface PowerOrder {
  readonly mountPoint: string
  readonly bootId: string
  readonly planSeed: number
  readonly seed: number
  readonly logs: number
  readonly liesAboutFlush: boolean
}

/** What the driver tells, a line each. */
export type PowerReport =
  | {
      readonly kind: 'recovered'
      readonly startClass: string
      readonly ends: readonly number[]
      readonly problems: readonly string[]
    }
  | { readonly kind: 'durable'; readonly log: number; readonly offset: number }
  | { readonly kind: 'broken'; readonly problem: string }

const root = join(import.meta.dirname, '../..')
const logs = 4
/** A new file system, and a new plan, after so many cycles. */
const cyclesOfPlan = 25
/** Of all logs together, when the power goes for the last time in a plan. */
export const durableRecordsMin = 1000

/** Why there can be no power loss here; null where there can. */
export async function whyNoPowerLoss(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'not root'
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-power-'))
  try {
    await using disk = await LoopDisk.make(folder)
    await disk.cutPower(2)
    await disk.unmount()
    return null
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1)!
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * The power is cut under the storage engine, on a loop-mounted ext4: SIGKILL, XFS_IOC_GOINGDOWN, unmount, mount,
 * another boot id (durability.md 5.2). What is recovered must be a byte-identical beginning of what was written,
 * hold everything that was said to be durable, answer look-ups as a scan does, and know its producers.
 */
export async function runPowerLoss(options: PowerLossOptions): Promise<PowerLossResult> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-power-'))
  const test = new PowerLoss(options, folder)
  try {
    return await test.run()
  } finally {
    await test.clear()
    rmSync(folder, { recursive: true, force: true })
  }
}

class PowerLoss {
  readonly #options: PowerLossOptions
  readonly #folder: string
  readonly #random: Prng
  readonly #violations: string[] = []
  readonly #startedMs = Date.now()
  #disk: LoopDisk | null = null
  #planSeed = 0
  #driver: Driver | null = null
  #next: Driver | null = null
  /** By log: what must be there after the next cut. */
  #durable: number[] = []
  #durableRecords = 0
  #survivedRecords = 0

  constructor(options: PowerLossOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    this.#random = new Prng(options.seed)
  }

  async run(): Promise<PowerLossResult> {
    const { cycles, seed, progress } = this.#options
    for (let cycle = 0; cycle < cycles; cycle++) {
      if (cycle % cyclesOfPlan === 0) await this.#begin()
      await this.#recover(cycle)
      const isLast = cycle % cyclesOfPlan === cyclesOfPlan - 1 || cycle === cycles - 1
      await this.#cut(isLast)
      if (isLast) await this.#end(cycle)
      if (cycle % 10 === 9) progress?.(`${cycle + 1} power cuts`)
    }
    return {
      seed,
      cycles,
      fileSystem: 'ext4',
      durableRecords: this.#durableRecords,
      survivedRecords: this.#survivedRecords,
      durationMs: Date.now() - this.#startedMs,
      violations: this.#violations,
    }
  }

  async clear(): Promise<void> {
    await this.#driver?.kill()
    await this.#next?.kill()
    await this.#disk?.[Symbol.asyncDispose]()
  }

  async #begin(): Promise<void> {
    this.#planSeed = this.#random.below(1_000_000)
    this.#disk = await LoopDisk.make(this.#folder)
    this.#durable = Array.from({ length: logs }, () => 0)
  }

  /** Looks at what the last cut left, and gives the file system back. */
  async #end(cycle: number): Promise<void> {
    await this.#recover(cycle + 1)
    await this.#driver!.kill()
    await this.#disk!.unmount()
    await this.#disk![Symbol.asyncDispose]()
    this.#disk = null
  }

  /** At a random moment; the last of a plan when there is something to lose, however slow the machine is. */
  async #cut(isLast: boolean): Promise<void> {
    await sleep(20 + this.#random.below(130))
    const driver = this.#driver!
    if (isLast) {
      await eventually(
        'durable',
        () => driver.durableRecords,
        count => count > durableRecordsMin,
      )
    }
    await driver.kill()
    this.#noteDurable(this.#driver!)
    await this.#disk!.cutPower(this.#random.chance(2, 3) ? 2 : 1)
    await this.#disk!.unmount()
    await this.#disk!.mount()
  }

  /** Starts the driver on what is left; it compares that with the plan, and goes on. */
  async #recover(cycle: number): Promise<void> {
    this.#driver = this.#next ?? new Driver()
    this.#next = new Driver()
    this.#driver.order({
      mountPoint: this.#disk!.mountPoint,
      bootId: `boot-${cycle}`,
      planSeed: this.#planSeed,
      seed: this.#random.uint32(),
      logs,
      liesAboutFlush: this.#options.liesAboutFlush ?? false,
    })
    const { ends, problems, startClass } = await this.#driver.recovered
    this.#violations.push(...problems.map(problem => `cycle ${cycle}: ${problem}`))
    ends.forEach((end, log) => {
      const durable = this.#durable[log]!
      this.#durableRecords += durable
      this.#survivedRecords += Math.max(0, end - durable)
      if (end >= durable) return
      this.#violations.push(`cycle ${cycle}: log ${log} ends at ${end}, ${durable} was durable`)
    })
    const expected = this.#durable.some(offset => offset > 0) ? ['C', 'C-acked'] : ['C', 'D', 'A']
    if (!expected.includes(startClass)) {
      this.#violations.push(`cycle ${cycle}: start class ${startClass} after a power cut`)
    }
  }

  #noteDurable({ reports }: Driver): void {
    for (const report of reports) {
      if (report.kind === 'broken') this.#violations.push(report.problem)
      if (report.kind !== 'durable') continue
      this.#durable[report.log] = Math.max(this.#durable[report.log]!, report.offset)
    }
  }
}

/** A driver process. It is loaded before its order comes. */
class Driver {
  readonly reports: PowerReport[] = []
  readonly recovered: Promise<PowerReport & { kind: 'recovered' }>
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  #said = ''

  constructor() {
    const script = join(root, 'test/crash/power-driver.ts')
    this.#process = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'pipe'] })
    const recovered = deferred<PowerReport & { kind: 'recovered' }>()
    this.recovered = recovered.promise
    this.recovered.catch(() => {})
    let line = ''
    this.#process.stdout!.on('data', (chunk: Buffer) => {
      const lines = (line + chunk.toString()).split('\n')
      line = lines.pop()!
      for (const text of lines) {
        const report = JSON.parse(text) as PowerReport
        this.reports.push(report)
        if (report.kind === 'recovered') recovered.resolve(report)
      }
    })
    this.#process.stdin!.on('error', () => {})
    this.#process.stderr!.on('data', (chunk: Buffer) => (this.#said += chunk.toString()))
    this.#ended = new Promise(resolve => {
      this.#process.on('close', () => {
        recovered.reject(new Error(`the driver ended by itself\n${this.#said.slice(-4000)}`))
        resolve()
      })
    })
  }

  /** What all logs together were said to hold for good. */
  get durableRecords(): number {
    const offsets = new Map<number, number>()
    for (const report of this.reports) {
      if (report.kind === 'durable') offsets.set(report.log, report.offset)
    }
    return [...offsets.values()].reduce((sum, offset) => sum + offset, 0)
  }

  order(order: PowerOrder): void {
    this.#process.stdin!.end(JSON.stringify(order))
  }

  /** At once; what it said until then is in `reports`. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }
}
