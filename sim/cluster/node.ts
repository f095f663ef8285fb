import { Broker } from '../../src/broker/broker.ts'
import { defaultSettings, type Settings } from '../../src/broker/config/settings.ts'
import { walkRecords } from '../../src/broker/log/batch/record-walk.ts'
import { ownFailure } from '../../src/broker/server/connection-log.ts'
import { DiskError, type Env } from '../../src/env/env.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import { Prng } from '../../src/lib/prng.ts'
import { SimDisk } from '../disk.ts'
import { SimCrash } from '../disk-faults.ts'
import { inlineCompaction } from '../inline-compaction.ts'
import { readWhole } from '../../src/env/disk.ts'
import { ToldMetrics, type ReplicaView } from './told-metrics.ts'
import { SimStore, type SimStoreMedium } from '../metadata-store.ts'
import { simRandom } from '../random.ts'
import { DistantStore, type StoreWay } from './distant-store.ts'
import { noteLogger } from './note-logger.ts'
import { LifeClock, Life, type ClockDrift } from './life.ts'
import type { SimClock } from '../clock.ts'
import type { LeaseBoard } from './distant-lease.ts'
import type { Trace } from './trace.ts'
import { HostNetwork, type Wires } from './wires.ts'

/** How a broker's settings differ from the defaults. */
export type SettingChanges = Partial<Settings>

/** A broker that died is started again after this, unless the world says otherwise. */
const restartMs = 2000

/** Room for what a world writes, and not for a ballast, which would cost more than all of that. */
const diskBytes = 48 * 1024 * 1024

const clientPort = 9092
/** Where brokers listen to each other. */
export const privatePort = 9091

/** In the Secret of each machine. */
export function passwordOf(user: string): string {
  return `password of ${user}`
}

/** What a machine needs of the world that it stands in. */
export interface NodeWorld {
  readonly prng: Prng
  readonly time: SimClock
  readonly trace: Trace
  readonly wires: Wires
  readonly medium: SimStoreMedium
  readonly board: LeaseBoard
  changeEnv(node: Node, env: Env): Env
  /** Something is so that must not be. */
  fail(what: string): void
  /** The broker of this life gave up, or did not start. */
  gaveUp(node: Node, error: unknown): void
  ended(node: Node, how: End): void
}

/** How a life ended: kill -9, without power, by itself. */
export type End = 'kill' | 'power' | 'exit'

export type NodeState = 'off' | 'starting' | 'running' | 'ending'

/**
 * One machine of a world, with its disk, and the broker that runs on it: life after life, as a supervisor starts it again.
 */
export class Node {
  readonly id: number
  readonly host: string
  /** What became of the disk, without what is cached: a broker works on it while it lives. */
  disk: SimDisk
  readonly drift: ClockDrift = { rate: 1, aheadMs: 0 }
  readonly storeWay: StoreWay = { isOpen: true, lostPerMille: 0, delayMsMax: 5, atAppend: null }
  /** Milliseconds that the disk takes for what is asynchronous, at most. */
  diskDelayMsMax = 2
  /** Started again by itself. */
  isSupervised = true
  readonly #world: NodeWorld
  readonly #prng: Prng
  #settings: SettingChanges
  #life = new Life()
  #broker: Broker | null = null
  #metrics: ToldMetrics | null = null
  #bootCount = 1
  #lifeCount = 0
  #state: NodeState = 'off'

  constructor(world: NodeWorld, id: number, settings: SettingChanges) {
    this.#world = world
    this.id = id
    this.host = `broker-${id}`
    this.#settings = settings
    this.#prng = new Prng(world.prng.uint32())
    this.disk = this.newDisk()
  }

  get state(): NodeState {
    return this.#state
  }

  /** The broker of this life; null where there is none, or where it has not begun to start. */
  get broker(): Broker | null {
    return this.#broker
  }

  get life(): Life {
    return this.#life
  }

  get isRunning(): boolean {
    return this.#state === 'running' && !this.#life.isStopped
  }

  /** How often a broker was started here. */
  get lifeCount(): number {
    return this.#lifeCount
  }

  /** Whoever has lost its life already cannot lose it again. */
  get isAlive(): boolean {
    return this.#state !== 'off'
  }

  /** What its broker has open, as the broker sees it. */
  replicas(): Iterable<ReplicaView> {
    return this.#metrics?.replicas() ?? []
  }

  /** A file as it is in the page cache. */
  read(path: string): Uint8Array {
    return readWhole(this.disk, path) ?? new Uint8Array(0)
  }

  configure(settings: SettingChanges): void {
    this.#settings = { ...this.#settings, ...settings }
  }

  /** Starts a broker, if none is there. */
  start(): void {
    if (this.#state !== 'off') return
    const world = this.#world
    this.#state = 'starting'
    this.#lifeCount++
    world.wires.setDown(this.host, false)
    const life = (this.#life = new Life(error => this.#failed(error)))
    world.trace.note(`${this.host} starts, life ${this.#lifeCount}`)
    this.#mountSecrets()
    const broker = (this.#broker = this.#makeBroker(life))
    broker.start().then(
      () => {
        if (this.#life !== life || life.isDead) return
        this.#state = 'running'
        world.trace.note(`${this.host} runs`)
      },
      (error: unknown) => {
        if (this.#life !== life || life.isDead) return
        world.trace.note(`${this.host} could not start: ${String(error)}`)
        world.gaveUp(this, error)
        this.#end('kill')
      },
    )
  }

  /** SIGTERM: in order, however long it takes. */
  stop(): void {
    if (this.#state !== 'running') return this.kill()
    const life = this.#life
    this.#state = 'ending'
    this.#world.trace.note(`${this.host} stops in order`)
    this.#broker!.stop().then(
      () => this.#stopped(life),
      (error: unknown) => {
        this.#world.trace.note(`${this.host} stopped badly: ${String(error)}`)
        this.#stopped(life)
      },
    )
  }

  /** kill -9: what was written is in the page cache. */
  kill(): void {
    this.#end('kill')
  }

  /** The machine loses its power; `emptied`: and comes back with nothing. */
  powerOff(): void {
    this.#end('power')
  }

  /** SIGSTOP and SIGCONT. */
  pause(): void {
    if (this.#state === 'off') return
    this.#world.trace.note(`${this.host} is paused`)
    this.#life.stop()
  }

  resume(): void {
    if (!this.#life.isStopped) return
    this.#world.trace.note(`${this.host} goes on`)
    this.#life.resume()
  }

  /** One with nothing on it, for this machine. */
  newDisk(): SimDisk {
    return new SimDisk({
      later: act => this.#later(act),
      now: () => this.#world.time.now(),
      totalBytes: diskBytes,
    })
  }

  /** Only between two lives. */
  replaceDisk(disk: SimDisk): void {
    this.disk = disk
  }

  /** To be called after each event: a crash that the disk was told to have takes its process with it. */
  noteCrash(): void {
    if (this.#state !== 'off' && this.disk.isCrashed) this.#end('kill')
  }

  /** As a Secret is mounted: it comes with the machine, not with the disk. */
  #mountSecrets(): void {
    const { disk } = this
    if (disk.stat('/data') === null) disk.mkdir('/data')
    if (disk.stat('/secrets') === null) disk.mkdir('/secrets')
    for (const user of ['broker', 'operator']) {
      const path = `/secrets/${user}`
      if (disk.stat(path) !== null) disk.unlink(path)
      const file = disk.open(path, 'create')
      file.write(0, [utf8(`${passwordOf(user)}\n`)])
      file.close()
    }
  }

  #stopped(life: Life): void {
    if (this.#life !== life || life.isDead) return
    this.#world.trace.note(`${this.host} has stopped`)
    this.#end('exit')
  }

  #end(how: End): void {
    if (this.#state === 'off') return
    const { wires, trace, time } = this.#world
    trace.note(`${this.host} ends: ${how}`)
    const life = this.#life
    if (how === 'power') wires.machineDied(life)
    else wires.lifeEnded(life)
    life.die()
    this.#state = 'off'
    this.#broker = null
    this.#metrics = null
    if (how === 'kill') this.disk = this.disk.crashProcess(this.#prng)
    if (how === 'exit') this.disk = this.disk.clone()
    if (how === 'power') {
      this.#bootCount++
      this.disk = this.disk.crashMachine(this.#prng)
      wires.setDown(this.host, true)
    }
    this.#world.ended(this, how)
    time.after(restartMs, () => {
      if (this.isSupervised) this.start()
    })
  }

  #failed(error: unknown): void {
    this.#world.fail(`${this.host} threw out of an event: ${errorText(error)}`)
    this.#end('kill')
  }

  #fatal(life: Life, error: unknown): void {
    if (life.isDead || error instanceof SimCrash) return
    this.#world.trace.note(`${this.host} cannot go on: ${String(error)}`)
    this.#world.gaveUp(this, error)
    // The process ends when this turn is over, not in the middle of a call.
    this.#world.time.soon(() => {
      if (this.#life === life && !life.isDead) this.#end('kill')
    })
  }

  /** A disk operation ends. */
  #later(act: () => void): void {
    const life = this.#life
    const delayMs = (this.#prng.below(1024) / 1024) * this.diskDelayMsMax
    this.#world.time.after(delayMs, () => life.deliver(act))
  }

  #makeBroker(life: Life): Broker {
    const world = this.#world
    const { time, wires, medium, board } = world
    const prng = new Prng(this.#prng.uint32())
    const env = world.changeEnv(this, {
      clock: new LifeClock(time, life, this.drift),
      random: simRandom(prng),
      disk: this.disk,
      network: new HostNetwork(wires, this.host, life),
      crc32c,
      walkRecords,
    })
    const settings = defaultSettings({
      nodeId: this.id,
      listeners: `PLAINTEXT://0.0.0.0:${clientPort}`,
      advertisedListeners: `PLAINTEXT://${this.host}:${clientPort}`,
      privateListener: `${this.host}:${privatePort}`,
      privateCredentialsDir: '/secrets',
      logDirs: '/data',
      httpAddress: '',
      ...this.#settings,
    })
    const own = { brokerId: this.id, prng: new Prng(this.#prng.uint32()) }
    const place = { time, life, board, ...own }
    const metrics = (this.#metrics = new ToldMetrics())
    return new Broker({
      env,
      configuration: { settings, given: new Map() },
      logger: noteLogger(text => {
        if (life.isDead) return
        world.trace.note(`${this.host}: ${text}`)
        // A process that dies in a write throws out of whatever it was about to do.
        const isOwn = text.startsWith(`error ${ownFailure}`) && !this.disk.isCrashed
        if (isOwn) world.fail(`I22: ${this.host}: ${text}`)
      }),
      metrics,
      bootId: `boot ${this.#bootCount}`,
      workingDirectory: '/',
      version: '0.0.0-sim',
      hostName: this.host,
      openStore: () =>
        Promise.resolve(new DistantStore(new SimStore(medium, 32, this.id), place, this.storeWay)),
      compactionLane: inlineCompaction,
      fatal: error => this.#fatal(life, error),
    })
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Whether a broker may refuse to start for this: its disk failed, as it was told to. */
export function isOfDisk(error: unknown): boolean {
  return error instanceof DiskError || (error instanceof Error && error.name === 'DirectoryError')
}
