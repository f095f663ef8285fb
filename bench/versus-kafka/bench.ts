import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type RivalCluster, startKafkas, startLogClusters } from './cluster.ts'
import type { Ending } from './ending.ts'
import { compileLoad, LoadRun, type Told } from './load.ts'
import type { Measures, Round } from './results.ts'
import { processorSeconds } from '../process-cost.ts'
import { type Rival, type Start, startKafka, startLogCluster } from './rival.ts'

export type Side = 'ours' | 'theirs'

/** What the load did, and the broker's processor time meanwhile, in seconds. */
export type Loaded = Told & { readonly processor: number }

const clusterStarts = { ours: startLogClusters, theirs: startKafkas }
const starts = { ours: startLogCluster, theirs: startKafka }

/** What every scenario has: a folder that is gone in the end, the load, and both brokers to start. */
export class Bench {
  /** On the disk that is measured. */
  readonly folder: string
  readonly ending: Ending
  /** Of bytes, records and seconds: below 1 where someone only tries whether it runs. */
  readonly scale: number
  readonly #load: string

  constructor(ending: Ending, scale: number) {
    this.ending = ending
    this.scale = scale
    const folder = mkdtempSync(join(tmpdir(), 'logcluster-bench-'))
    this.folder = folder
    ending.mustUndo(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    this.#load = compileLoad(folder)
  }

  /** `count`, scaled, and a whole number from 1 on. */
  scaled(count: number): number {
    return Math.max(1, Math.round(count * this.scale))
  }

  /** Waits, scaled. */
  async rest(seconds: number): Promise<void> {
    await setTimeout(seconds * 1000 * this.scale)
  }

  /** Runs `load.c` to its end. */
  async load(rival: Rival, ...command: readonly (string | number)[]): Promise<Loaded> {
    const before = processorSeconds(rival.pid)
    const told = await this.loading(rival.address, ...command).done
    return { ...told, processor: processorSeconds(rival.pid) - before }
  }

  /** Starts `load.c`. */
  loading(address: string, ...command: readonly (string | number)[]): LoadRun {
    return new LoadRun(this.#load, address, command, this.loadLog)
  }

  /** What the client of the last load said of itself. */
  get loadLog(): string {
    return join(this.folder, 'load.log')
  }

  start(side: Side, start: Partial<Start> = {}): Promise<Rival> {
    return starts[side]({ parent: this.folder, ...start })
  }

  /** A broker for as long as `use` takes. */
  async withOne<Result>(side: Side, use: (rival: Rival) => Promise<Result>): Promise<Result> {
    const rival = await this.start(side)
    try {
      return await use(rival)
    } finally {
      await rival.stop()
    }
  }

  /** Three brokers of a side for as long as `use` takes. */
  async withCluster<Result>(
    side: Side,
    use: (cluster: RivalCluster) => Promise<Result>,
  ): Promise<Result> {
    const cluster = await clusterStarts[side](this.folder)
    try {
      return await use(cluster)
    } finally {
      await cluster.stop()
    }
  }

  /** Both clusters for as long as `use` takes: both run all the time, one has work. */
  async withBothClusters<Result>(
    use: (clusters: Record<Side, RivalCluster>) => Promise<Result>,
  ): Promise<Result> {
    return await this.withCluster('ours', ours =>
      this.withCluster('theirs', theirs => use({ ours, theirs })),
    )
  }

  /** Both brokers for as long as `use` takes: both run all the time, one has work. */
  async withBoth<Result>(use: (rivals: Record<Side, Rival>) => Promise<Result>): Promise<Result> {
    return await this.withOne('ours', ours =>
      this.withOne('theirs', theirs => use({ ours, theirs })),
    )
  }
}

/** First one, then the other, and the other way round in the next round: what wanders on the machine meets both. */
export async function takeTurns<Result>(
  round: number,
  turn: (side: Side) => Promise<Result>,
): Promise<Record<Side, Result>> {
  if (round % 2 === 0) return { ours: await turn('ours'), theirs: await turn('theirs') }
  const theirs = await turn('theirs')
  return { ours: await turn('ours'), theirs }
}

/**
 * Asks `measure` of both in each round. `warmUp` rounds come before the first that counts: JVM and V8 compile, files and clients
 * come into memory.
 */
export async function inRounds(
  rounds: number,
  measure: (side: Side, round: number) => Promise<Measures>,
  { warmUp = 0 } = {},
): Promise<Round[]> {
  const found: Round[] = []
  for (let round = 1 - warmUp; round <= rounds; round++) {
    const both = await takeTurns(round, side => measure(side, round))
    tell(round, both)
    if (round > 0) found.push(both)
  }
  return found
}

/** What is seen of a run while it goes on. */
export function tell(round: number, { ours, theirs }: Round): void {
  const short = (measures: Measures) =>
    JSON.stringify(measures, (_, value) =>
      typeof value === 'number' ? Number(value.toPrecision(4)) : (value as unknown),
    )
  console.error(`  round ${round}\n    LogCluster   ${short(ours)}`)
  if (theirs !== null) console.error(`    Apache Kafka ${short(theirs)}`)
}
