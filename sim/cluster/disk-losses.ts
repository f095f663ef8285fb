import { fromUtf8 } from '../../src/lib/bytes.ts'
import type { Prng } from '../../src/lib/prng.ts'
import type { SimDisk } from '../disk.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

/** What somebody does who replaced a disk: he says so, and waits until the cluster has noted it. */
export type Retire = (directoryId: string) => Promise<void>

/** A disk that is to fail does so within this, or keeps well. */
const failsWithinMs = 3000

/** A copy of a disk that is to come back is older than this. */
const olderMs = 10_000

const failing = ['write', 'sync', 'writeBack'] as const

/**
 * Disks that fail, go, and come back as they were earlier: one machine's at a time. A disk that is gone, or that failed, is
 * replaced by an empty one, and its directory is retired before the broker starts again, as the documents ask for.
 */
export class DiskLosses {
  readonly #world: World
  readonly #prng: Prng
  readonly #retire: Retire
  /** Whose data are being lost: nobody else may lose his meanwhile. */
  readonly #losing = new Set<Node>()
  readonly #copies = new Map<Node, { readonly disk: SimDisk; readonly atMs: number }>()

  constructor(world: World, retire: Retire) {
    this.#world = world
    this.#prng = world.prng
    this.#retire = retire
    world.onEnd(node => {
      if (hasFailed(node)) this.#replace(node)
    })
  }

  get isLosing(): boolean {
    return this.#losing.size > 0
  }

  /** The machine loses its power, and its disk (class D). */
  empty(node: Node): void {
    node.isSupervised = false
    node.powerOff()
    this.#replace(node)
  }

  /** The next write or flush of a segment fails with EIO, and the broker gives its directory up. */
  fail(node: Node): void {
    this.#losing.add(node)
    const { disk } = node
    disk.failNext({ operation: this.#prng.pick(failing), pathPattern: /\.log$/, code: 'EIO' })
    this.#world.time.after(failsWithinMs, () => {
      disk.forgetFaults()
      // A broker that was told of an error ends, and its disk is replaced then.
      if (!hasFailed(node)) this.#losing.delete(node)
    })
  }

  /** A copy of the disk is made; the next time it takes the place of the disk (class C). */
  restore(node: Node): void {
    const { time, trace } = this.#world
    const copy = this.#copies.get(node)
    if (copy === undefined) {
      trace.note(`the disk of ${node.host} is copied`)
      const disk = node.disk.clone().crashMachine(this.#prng)
      this.#copies.set(node, { disk, atMs: time.monotonic() })
      return
    }
    if (time.monotonic() - copy.atMs < olderMs) return
    trace.note(`the disk of ${node.host} is put back as it was`)
    this.#copies.delete(node)
    node.powerOff()
    node.replaceDisk(copy.disk)
  }

  #replace(node: Node): void {
    this.#losing.add(node)
    this.#world.trace.note(`the disk of ${node.host} is replaced`)
    const id = directoryIdOf(node)
    this.#copies.delete(node)
    node.isSupervised = false
    node.replaceDisk(node.newDisk())
    const goOn = (): void => {
      this.#losing.delete(node)
      node.isSupervised = true
      node.start()
    }
    if (id === null) return goOn()
    this.#retire(id).then(goOn, (error: unknown) =>
      this.#world.fail(`nobody could retire ${id} of ${node.host}: ${String(error)}`),
    )
  }
}

function hasFailed(node: Node): boolean {
  return node.disk.stat('/data/failed.json') !== null
}

function directoryIdOf(node: Node): string | null {
  const text = fromUtf8(node.read('/data/meta.properties'))
  return /^directory\.id=(\S+)$/m.exec(text)?.[1] ?? null
}
