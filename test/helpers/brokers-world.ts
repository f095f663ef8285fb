import { leaseDurationMs } from '../../src/broker/metadata/lease-times.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { SimStore, SimStoreMedium } from '../../sim/metadata-store.ts'
import { simRandom } from '../../sim/random.ts'
import { Cluster, type ClusterOptions, type StandAlone } from '../../src/broker/cluster/cluster.ts'
import type { PeerService } from '../../src/broker/cluster/peer-service.ts'
import { brokersHandlers } from '../../src/broker/handlers/brokers-handlers.ts'
import type { Handler } from '../../src/broker/handlers/handler.ts'
import { MetadataCopy } from '../../src/broker/metadata/copy/metadata-copy.ts'
import { chainHash } from '../../src/broker/metadata/chain.ts'
import { type Lease, type StoredRecord, StoreUnavailable } from '../../src/broker/metadata/store.ts'
import type { Address } from '../../src/env/env.ts'
import { assert } from '../../src/lib/assert.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { directoryOf } from '../metadata/brokers.ts'
import { type Link, type LinkFault, type OnItsWay, WorldPeers } from './brokers-links.ts'

/** What a snapshot is noted by, where the store notes it in the log. */
export const noteOfSnapshot = utf8('a snapshot')

/** Several brokers' parts in one cluster: over one store, one clock, and links that break as a test says. */
export class BrokersWorld {
  readonly clock = new SimClock()
  readonly medium = new SimStoreMedium()
  readonly nodes = new Map<number, Node>()
  /** `from>to`: nothing passes, and nobody is told. */
  readonly cuts = new Set<string>()
  /** `from>to`: connections are refused, as where nobody listens. */
  readonly rejections = new Set<string>()
  /** How often the lease is refused for no reason that counts. */
  refusals = 0
  /** Somebody deleted the lease, and nobody makes it again. */
  isLeaseMissing = false
  /** Appends wait for it. */
  gate: Promise<void> | null = null
  /** Who gets the lease, and no answer to a read. */
  readonly readCuts = new Set<number>()
  /** Who cannot reach the store. */
  readonly storeCuts = new Set<number>()
  readonly snapshotIntervalMax: number
  readonly notesSnapshots: boolean
  lease: { holder: number; renewedAtMs: number } | null = null
  /** Asked at each request. */
  fault: (asked: OnItsWay) => LinkFault = () => 'pass'
  /** Asked at each answer: gives it back, or another one. */
  answered: (answer: OnItsWay) => unknown = ({ value }) => value
  renew = (id: number): boolean => {
    if (this.isLeaseMissing) return true
    if (this.lease?.holder !== id) return false
    this.lease.renewedAtMs = this.clock.monotonic()
    return true
  }
  #lives = 0

  constructor({ snapshotIntervalMax = 1_000, notesSnapshots = false } = {}) {
    this.snapshotIntervalMax = snapshotIntervalMax
    this.notesSnapshots = notesSnapshots
  }

  node(id: number): Node {
    let node = this.nodes.get(id)
    if (node === undefined) this.nodes.set(id, (node = new Node(this, id)))
    return node
  }

  nextSeed(): number {
    return ++this.#lives
  }

  /** Starts brokers 0 to `count` - 1, one after the other. */
  async startAll(count = 3): Promise<Cluster[]> {
    const clusters: Cluster[] = []
    for (let id = 0; id < count; id++) clusters.push(await this.start(id))
    return clusters
  }

  async start(id: number, options: Partial<ClusterOptions> = {}): Promise<Cluster> {
    const starting = this.node(id).start(options)
    await this.until(() => this.node(id).cluster !== null)
    return starting
  }

  /** Time goes on until `isSo`; fails after a minute of it. */
  async until(isSo: () => boolean, withinMs = 60_000): Promise<void> {
    const untilMs = this.clock.monotonic() + withinMs
    await this.clock.settle()
    while (!isSo()) {
      if (this.clock.monotonic() >= untilMs) {
        throw new Error(`it did not come about within ${withinMs} ms: ${this.describe()}`)
      }
      await this.clock.run(50)
    }
  }

  cut(...ids: number[]): void {
    for (const id of ids) {
      for (const other of this.nodes.keys()) {
        if (other === id) continue
        this.cuts.add(`${id}>${other}`).add(`${other}>${id}`)
      }
    }
  }

  /** A firewall that rejects comes between two brokers. */
  reject(one: number, other: number): void {
    this.rejections.add(`${one}>${other}`).add(`${other}>${one}`)
    for (const id of [one, other]) for (const link of this.node(id).links) link.reset()
  }

  heal(): void {
    this.cuts.clear()
    this.rejections.clear()
    this.storeCuts.clear()
  }

  /** Who holds the office, by the brokers that live. */
  officers(): number[] {
    return [...this.nodes.values()]
      .filter(({ cluster }) => (cluster?.office ?? null) !== null)
      .map(({ id }) => id)
  }

  describe(): string {
    const nodes = [...this.nodes.values()].map(({ id, cluster, failures }) => ({
      id,
      office: (cluster?.office ?? null) !== null,
      controller: cluster?.controllerId,
      sequence: cluster?.image.sequence,
      alone: cluster?.standsAlone,
      failures: failures.map(({ message }) => message),
    }))
    return JSON.stringify({ lease: this.lease, end: this.medium.cursor().nextSequence - 1, nodes })
  }
}

/** One machine: its disk outlives the process. */
export class Node {
  readonly id: number
  readonly failures: Error[] = []
  readonly told: (StandAlone | null)[] = []
  readonly warnings: string[] = []
  readonly links = new Set<Link>()
  disk = new SimDisk()
  cluster: Cluster | null = null
  service: PeerService | null = null
  handlers = new Map<number, Handler>()
  /** Its port is taken: a process is there, and answers. */
  isUp = false
  /** Counts its processes. */
  life = 0
  readonly #world: BrokersWorld

  constructor(world: BrokersWorld, id: number) {
    this.#world = world
    this.id = id
    this.disk.mkdir('/data')
  }

  get address(): Address {
    return { host: `broker-${this.id}`, port: 9_000 + this.id }
  }

  async start(options: Partial<ClusterOptions>): Promise<Cluster> {
    const world = this.#world
    const life = ++this.life
    this.isUp = true
    this.handlers = new Map(
      brokersHandlers(
        () => this.service,
        () => undefined,
      ).map(handler => [handler.api.key, handler]),
    )
    const cluster = await Cluster.start({
      env: { clock: world.clock, random: simRandom(new Prng(world.nextSeed())) },
      store: new LeasedStore(world, this.id),
      copy: MetadataCopy.open(this.disk, '/data/metadata.copy'),
      brokerId: this.id,
      isSoleBroker: false,
      listeners: [],
      peer: this.address,
      peers: new WorldPeers(world, this),
      defaults: { partitionCount: 1, replicationFactor: 1 },
      facts: async ({ peerService }) => {
        this.service = peerService
        return { directoryId: directoryOf(this.id), startClass: 'A', damaged: [] }
      },
      onStandAlone: reason => this.told.push(reason),
      warn: message => this.warnings.push(message),
      ...options,
    })
    if (life !== this.life) return cluster
    this.service = cluster.peerService
    this.cluster = cluster
    cluster.onFailure(error => {
      // A dead process meets a disk that is not its own any more.
      if (life === this.life) this.failures.push(error)
    })
    cluster.setReady()
    return cluster
  }

  /** The process is gone from one moment to the next: connections are reset, and new ones refused. */
  kill(): void {
    this.isUp = false
    this.life++
    this.disk = this.disk.crashProcess()
    const dead = this.cluster
    this.cluster = null
    this.service = null
    for (const link of this.links) link.reset()
    // Nothing of it goes on: its timers would.
    this.#world.storeCuts.add(this.id)
    void dead?.stop().catch(() => {})
  }

  async stop(): Promise<void> {
    const { cluster } = this
    await cluster?.shutDown()
    this.isUp = false
    this.cluster = null
    this.service = null
    for (const link of this.links) link.reset()
    await cluster?.stop()
  }
}

/** A store whose lease runs out, and that a cut keeps a broker from. */
class LeasedStore extends SimStore {
  readonly #world: BrokersWorld
  readonly #id: number
  readonly #life: number
  #isAppending = false

  constructor(world: BrokersWorld, id: number) {
    super(world.medium, world.snapshotIntervalMax, id)
    this.#world = world
    this.#id = id
    this.#life = world.node(id).life
    world.storeCuts.delete(id)
  }

  get #isCut(): boolean {
    const { life } = this.#world.node(this.#id)
    return (
      this.#life !== life || this.#world.storeCuts.has(this.#id) || !this.#world.medium.isReachable
    )
  }

  override readAll(): ReturnType<SimStore['readAll']> {
    assert(!this.#isAppending, 'the store does one operation at a time')
    const isCut = this.#isCut || this.#world.readCuts.has(this.#id)
    if (isCut) return Promise.reject(new StoreUnavailable('cut off'))
    return super.readAll()
  }

  override async append(...given: Parameters<SimStore['append']>): ReturnType<SimStore['append']> {
    assert(!this.#isAppending, 'the store does one operation at a time')
    this.#isAppending = true
    await this.#world.gate
    this.#isAppending = false
    if (this.#isCut) return { kind: 'unavailable' }
    return super.append(...given)
  }

  override async writeSnapshot(
    ...given: Parameters<SimStore['writeSnapshot']>
  ): ReturnType<SimStore['writeSnapshot']> {
    if (this.#isCut) return { kind: 'unavailable' }
    const outcome = await super.writeSnapshot(...given)
    if (outcome.kind !== 'written' || !this.#world.notesSnapshots) return outcome
    const note = this.#note(...given)
    return { kind: 'written', cursor: this.#world.medium.cursor(), note }
  }

  /** As the store in Kubernetes does it: by a record that changes nothing, and up to which the snapshot counts. */
  #note(...[cursor, epoch, payload]: Parameters<SimStore['writeSnapshot']>): StoredRecord {
    const { medium } = this.#world
    const note = { sequence: cursor.nextSequence, epoch, payload: noteOfSnapshot }
    const hash = chainHash({ ...note, previousHash: cursor.lastHash })
    const record = { ...note, hash }
    medium.records.push(record)
    medium.snapshot = { sequence: note.sequence, epoch, hash, payload: payload.slice() }
    return record
  }

  override readonly lease: Lease = {
    observe: async () => {
      this.#check()
      const { lease, clock, isLeaseMissing } = this.#world
      if (isLeaseMissing) return { isHeld: false, isMine: false, holder: null, isMissing: true }
      const isHeld = lease !== null && clock.monotonic() - lease.renewedAtMs < leaseDurationMs
      const holder = lease === null ? null : { brokerId: lease.holder }
      return { isHeld, isMine: isHeld && lease.holder === this.#id, holder }
    },
    acquire: async ({ force }) => {
      const { isHeld, isMine } = await this.lease.observe()
      if (isHeld && !isMine && !force) return false
      if (this.#world.refusals > 0) {
        this.#world.refusals--
        return false
      }
      this.#world.lease = { holder: this.#id, renewedAtMs: this.#world.clock.monotonic() }
      return true
    },
    renew: async () => {
      this.#check()
      return this.#world.renew(this.#id)
    },
    release: async () => {
      if (this.#isCut) return
      if (this.#world.lease?.holder === this.#id) this.#world.lease = null
    },
  }

  #check(): void {
    if (this.#isCut) throw new StoreUnavailable('cut off')
  }
}
