import { batchOverheadBytes, readBatchHeader } from '../src/broker/log/batch/batch.ts'
import type { Life } from './cluster/life.ts'
import type { Node } from './cluster/node.ts'
import type { ReplicaView } from './cluster/told-metrics.ts'
import type { World } from './cluster/world.ts'
import type { MetadataWatch } from './metadata-watch.ts'
import { passingTopic } from './workload/passing-topic.ts'

/** What is remembered of one partition of the cluster. */
interface Known {
  readonly name: string
  /** Everything below was once visible to consumers somewhere. */
  committedEnd: number
  /** The newest leader epoch that anybody was seen in. */
  leaderEpoch: number
  /** Who appended in a leader epoch: node and life. */
  readonly appender: Map<number, string>
  /** Checksums of committed batches, by base offset. */
  readonly batches: Map<number, number>
}

/** What one life of a node was seen to have of a partition. */
type Held = Pick<ReplicaView, 'leaderEpoch' | 'partitionEpoch' | 'endOffset' | 'highWatermark'>

/** What was seen of one life of a node. */
interface Seen {
  readonly life: Life
  readonly held: Map<Known, Held>
  /** Of the life, at the last look. */
  deliveredCount: number
}

/** So many events come between two looks. */
const everyEvents = 4

/** Milliseconds of virtual time between two looks at all bytes. */
const everyMs = 5000

/**
 * Watches all replicas of a world at once, as nobody in it can (durability.md 5.1): epochs do not fall (I8), one broker
 * appends in a leader epoch (I9), who leads has all that was ever visible, and so has whoever could be elected cleanly (I11), and
 * below the watermark of every replica the bytes are the same (I7).
 */
export class ReplicaWatch {
  readonly #world: World
  readonly #metadata: MetadataWatch
  /** By topic and partition. */
  readonly #known = new Map<string, Known[]>()
  readonly #seen = new Map<Node, Seen>()
  #looks = 0
  #nextBytesMs = everyMs

  /** `metadata` has looked before this one does. */
  constructor(world: World, metadata: MetadataWatch) {
    this.#world = world
    this.#metadata = metadata
    world.watch(() => {
      if (++this.#looks % everyEvents === 0) this.#look()
      if (world.time.monotonic() < this.#nextBytesMs) return
      this.#nextBytesMs = world.time.monotonic() + everyMs
      this.lookAtBytes()
    })
    world.onEnd(() => this.#look())
  }

  /** A machine lost more than the cluster can bear: what was visible may be gone. */
  forgive(): void {
    this.#known.clear()
  }

  /** Every partition is led, by somebody who runs, and has all of its replicas in sync. */
  get isWhole(): boolean {
    const newest = new Map<string, ReplicaView>()
    for (const node of this.#world.nodes) {
      if (!node.isRunning) return false
      for (const replica of node.replicas()) {
        const { leaderEpoch = -1 } = newest.get(nameOf(replica)) ?? {}
        const isNewer = replica.leaderEpoch > leaderEpoch || replica.leader === node.id
        if (isNewer && replica.leaderEpoch >= leaderEpoch) newest.set(nameOf(replica), replica)
      }
    }
    return [...newest.values()].every(
      ({ leader, isr, replicas }) => leader !== -1 && isr.length === replicas.length,
    )
  }

  /** Compares all that lies below a watermark, on every disk. */
  lookAtBytes(): void {
    for (const node of this.#world.nodes) {
      for (const replica of node.replicas()) if (lasts(replica)) this.#compare(node, replica)
    }
  }

  #look(): void {
    for (const node of this.#world.nodes) {
      const seen = this.#seenOf(node)
      const { deliveredCount } = node.life
      if (deliveredCount === seen.deliveredCount) continue
      seen.deliveredCount = deliveredCount
      for (const replica of node.replicas()) {
        if (lasts(replica)) this.#lookAt(node, replica, seen.held)
      }
    }
  }

  #seenOf(node: Node): Seen {
    const { life } = node
    let seen = this.#seen.get(node)
    if (seen?.life !== life) {
      seen = { life, held: new Map(), deliveredCount: 0 }
      this.#seen.set(node, seen)
    }
    return seen
  }

  #lookAt(node: Node, replica: ReplicaView, allHeld: Map<Known, Held>): void {
    const known = this.#knownOf(replica)
    const { name } = known
    const isLeader = replica.leader === node.id
    const held = allHeld.get(known)
    if (held !== undefined) this.#compareHeld(node, held, replica)
    known.leaderEpoch = Math.max(known.leaderEpoch, replica.leaderEpoch)
    if (isLeader) {
      this.#checkAppender(node, replica, held)
      known.committedEnd = Math.max(known.committedEnd, replica.highWatermark)
      if (replica.leaderEpoch === known.leaderEpoch && replica.endOffset < known.committedEnd) {
        const { endOffset, leaderEpoch } = replica
        this.#world.fail(
          `I11: ${node.host} leads ${name} in epoch ${leaderEpoch} and ends at ${endOffset}, but ${known.committedEnd} was visible`,
        )
      }
    }
    const { endOffset } = replica
    if (endOffset < known.committedEnd && this.#metadata.isElectable(node, replica)) {
      this.#world.fail(
        `I11: ${node.host} may be elected for ${name} and ends at ${endOffset}, but ${known.committedEnd} was visible`,
      )
    }
    allHeld.set(known, replica)
  }

  #compareHeld(node: Node, held: Held, now: ReplicaView): void {
    const isLeader = now.leader === node.id
    const name = (): string => `${node.host} life ${node.lifeCount} ${nameOf(now)}`
    if (now.leaderEpoch < held.leaderEpoch || now.partitionEpoch < held.partitionEpoch) {
      this.#world.fail(
        `I8: ${name()} went from epochs ${held.leaderEpoch}/${held.partitionEpoch} to ${now.leaderEpoch}/${now.partitionEpoch}`,
      )
    }
    const isSameEpoch = now.leaderEpoch === held.leaderEpoch
    if (isLeader && isSameEpoch && now.highWatermark < held.highWatermark) {
      this.#world.fail(
        `I8: ${name()} leads, and its watermark fell from ${held.highWatermark} to ${now.highWatermark}`,
      )
    }
  }

  #checkAppender(node: Node, replica: ReplicaView, held: Held | undefined): void {
    const grew = held !== undefined && replica.endOffset > held.endOffset
    if (!grew || held.leaderEpoch !== replica.leaderEpoch) return
    const { appender, name } = this.#knownOf(replica)
    const who = `${node.host} life ${node.lifeCount}`
    const other = appender.get(replica.leaderEpoch) ?? who
    if (other !== who) {
      this.#world.fail(
        `I9: ${who} appends to ${name} in epoch ${replica.leaderEpoch}, and so did ${other}`,
      )
    }
    appender.set(replica.leaderEpoch, who)
  }

  #compare(node: Node, replica: ReplicaView): void {
    const { batches, name } = this.#knownOf(replica)
    for (const { baseOffset, endOffset, checksum } of batchesOf(node, replica)) {
      if (endOffset > replica.highWatermark) return
      const known = batches.get(baseOffset)
      if (known === undefined) batches.set(baseOffset, checksum)
      else if (known !== checksum) {
        this.#world.fail(`I7: ${node.host} has another batch at ${name}:${baseOffset}`)
      }
    }
  }

  #knownOf(replica: ReplicaView): Known {
    const { topic, partition } = replica
    let ofTopic = this.#known.get(topic)
    if (ofTopic === undefined) this.#known.set(topic, (ofTopic = []))
    return (ofTopic[partition] ??= {
      name: nameOf(replica),
      committedEnd: 0,
      leaderEpoch: -1,
      appender: new Map(),
      batches: new Map(),
    })
  }
}

/** Of a topic that comes and goes, the next one begins at nothing again. */
function lasts({ topic }: ReplicaView): boolean {
  return topic !== passingTopic
}

function nameOf({ topic, partition }: ReplicaView): string {
  return `${topic}-${partition}`
}

interface BatchView {
  readonly baseOffset: number
  readonly endOffset: number
  /** Of the records, and of the epoch that they were written in. */
  readonly checksum: number
}

/** The batches of a replica as they lie in its page cache. */
function* batchesOf(node: Node, { topic, partition }: ReplicaView): Generator<BatchView> {
  const { disk } = node
  const folder = disk.list('/data').find(name => name.startsWith(`${topic}-${partition}.`))
  if (folder === undefined) return
  for (const name of disk.list(`/data/${folder}`)) {
    if (!name.endsWith('.log')) continue
    const bytes = node.read(`/data/${folder}/${name}`)
    for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
      const header = readBatchHeader(bytes, at)
      if (header.sizeBytes < batchOverheadBytes || at + header.sizeBytes > bytes.length) break
      const { baseOffset, lastOffsetDelta, crc, leaderEpoch } = header
      const checksum = (crc ^ Math.imul(leaderEpoch + 1, 0x9e3779b9)) >>> 0
      yield { baseOffset, endOffset: baseOffset + lastOffsetDelta + 1, checksum }
      at += header.sizeBytes
    }
  }
}
