import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { SimDisk } from '../../../sim/disk.ts'
import { registered } from '../../../test/metadata/brokers.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import { chainHash, genesisHash } from '../metadata/chain.ts'
import { MetadataCopy } from '../metadata/copy/metadata-copy.ts'
import { MetadataImage } from '../metadata/image.ts'
import { decodeBatch, encodeBatch, type MetadataRecord } from '../metadata/records.ts'
import { BrokenChain, KnownLog } from './known-log.ts'
import type { FeedRecord } from './metadata-feed.ts'

const path = '/data/metadata.copy'

/** Records that follow each other. */
function chain(batches: readonly (readonly MetadataRecord[])[]): FeedRecord[] {
  let previousHash = genesisHash
  return batches.map((batch, at) => {
    const link = { sequence: at + 1, epoch: 1, payload: encodeBatch(batch) }
    const hash = chainHash({ ...link, previousHash })
    previousHash = hash
    return { ...link, hash, isNote: false }
  })
}

const genesis: MetadataRecord[] = [
  { type: 'clusterCreated', clusterId: zeroUuid },
  { type: 'epochClaimed', epoch: 1, brokerId: 1, claimId: zeroUuid },
]
const log = chain([genesis, ...[2, 3, 4, 5].map(id => [registered(id, { brokerEpoch: id })])])

class Known {
  readonly disk = new SimDisk()
  readonly copy: MetadataCopy
  readonly known: KnownLog
  readonly published: number[] = []
  image = MetadataImage.empty

  /** After the store was read, and found empty. */
  static async start(snapshotIntervalMax = 100): Promise<Known> {
    const world = new Known(snapshotIntervalMax)
    const cursor = { nextSequence: 1, lastHash: genesisHash }
    await world.copy.replace({ snapshot: null, tail: [], cursor })
    return world
  }

  private constructor(snapshotIntervalMax: number) {
    this.disk.mkdir('/data')
    this.copy = MetadataCopy.open(this.disk, path)
    this.known = new KnownLog({
      clock: new SimClock(),
      copy: this.copy,
      snapshotIntervalMax,
      image: () => this.image,
      publish: image => {
        this.image = image
        this.published.push(image.sequence)
      },
    })
  }

  /** Where the copy ends on the disk. */
  get copied(): number {
    const found = this.copy.readLog()
    return (found?.cursor.nextSequence ?? 1) - 1
  }
}

const stored = ({ sequence, epoch, hash, payload }: FeedRecord) => ({
  sequence,
  epoch,
  hash,
  payload,
})
const told = (records: readonly FeedRecord[]) => ({ snapshot: null, records })

describe('the log as one broker knows it', () => {
  test('is published when the copy has it, and records that are known already change nothing', async () => {
    const { known, published, ...world } = await Known.start()
    await known.take(told(log.slice(0, 3)))
    await known.take(told(log.slice(1, 5)))
    await known.take(told(log))
    expect(published).toEqual([3, 5])
    expect(MetadataCopy.open(world.disk.crashProcess(), path).readLog()?.tail).toHaveLength(5)
  })

  test('takes nothing of others while this broker writes itself', async () => {
    const world = await Known.start()
    await world.known.take(told(log.slice(0, 2)))
    world.known.setOwned(true)
    await world.known.take(told(log))
    expect(world.published).toEqual([2])
    world.known.setOwned(false)
    await world.known.take(told(log))
    expect(world.published).toEqual([2, 5])
  })

  test('has a record in its copy once, where a lost office had put it there unheard', async () => {
    const world = await Known.start()
    await world.known.take(told(log.slice(0, 2)))
    await world.copy.append(log[2]!)
    await world.known.take(told(log))
    expect(world.published).toEqual([2, 5])
    expect(world.copy.readLog()!.tail.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5])
  })

  test('leaves a copy alone that is ahead, by what was read from the store and not published any more', async () => {
    const world = await Known.start(2)
    await world.known.take(told(log.slice(0, 2)))
    const { sequence, hash } = log[4]!
    const cursor = { nextSequence: sequence + 1, lastHash: hash }
    await world.copy.replace({ snapshot: null, tail: log, cursor })
    await world.known.take(told(log.slice(2, 4)))
    expect([world.published, world.copied]).toEqual([[2, 4], 5])
    const snapshot = { ...log[3]!, payload: encodeBatch(world.image.records()) }
    await world.known.take({ snapshot, records: log.slice(4) })
    expect([world.published, world.copy.readLog()?.tail]).toEqual([[2, 4, 5], log.map(stored)])
  })

  test('is not continued by another record than its copy ends with', async () => {
    const world = await Known.start()
    await world.known.take(told(log.slice(0, 2)))
    const [, , other] = chain(
      [log[0]!, log[1]!, log[3]!].map(({ payload }) => decodeBatch(payload)),
    )
    await world.copy.append(other!)
    await expect(world.known.take(told(log.slice(2)))).rejects.toThrow(BrokenChain)
    expect([world.published, world.copied]).toEqual([[2], 3])
  })

  test.each([
    ['a gap', [log[3]!]],
    ['another payload', [{ ...log[2]!, payload: log[3]!.payload }]],
    ['another past', [{ ...log[1]!, hash: log[2]!.hash }]],
  ])('is not continued by %s (1.4)', async (_what, records) => {
    expect.hasAssertions()
    const world = await Known.start()
    await world.known.take(told(log.slice(0, 2)))
    await expect(world.known.take(told(records))).rejects.toThrow(BrokenChain)
    expect([world.published, world.copied]).toEqual([[2], 2])
  })

  test('keeps what came before the break, and goes on from there', async () => {
    const world = await Known.start()
    const broken = [log[0]!, log[1]!, { ...log[2]!, epoch: 7 }]
    await expect(world.known.take(told(broken))).rejects.toThrow(BrokenChain)
    expect([world.published, world.copied]).toEqual([[2], 2])
    await world.known.take(told(log.slice(2)))
    expect(world.published).toEqual([2, 5])
  })

  test('jumps by a snapshot that is ahead, with the deletions that it tells; never by one that is behind or older', async () => {
    const world = await Known.start()
    await world.known.take(told(log.slice(0, 3)))
    const ahead = [...genesis, registered(9, { brokerEpoch: 9 })]
    const snapshot = {
      sequence: 40,
      epoch: 1,
      hash: log[4]!.hash,
      payload: encodeBatch(ahead),
    }
    await world.known.take({ snapshot: { ...snapshot, sequence: 3 }, records: [] })
    expect([...world.image.brokers.keys()]).toEqual([2, 3])
    await world.known.take({ snapshot, records: [] })
    expect([...world.image.brokers.keys()]).toEqual([9])
    expect([world.published, world.copied]).toEqual([[3, 40], 40])
  })

  test('makes its copy short by itself', async () => {
    const world = await Known.start(2)
    for (const record of log) await world.known.take(told([record]))
    const found = MetadataCopy.open(world.disk.crashProcess(), path).readLog()!
    expect(found.tail.length).toBeLessThan(4)
    expect(found.cursor.nextSequence).toBe(6)
    expect(world.published).toEqual([1, 2, 3, 4, 5])
  })

  test('waits for room on a full disk: what the copy has is published, and nothing else', async () => {
    const world = await Known.start()
    await world.known.take(told(log.slice(0, 2)))
    world.disk.failNext({ operation: 'write', pathPattern: /metadata\.copy/, code: 'ENOSPC' })
    await expect(world.known.take(told(log))).rejects.toThrow(/ENOSPC/)
    expect(world.published).toEqual([2])
    await world.known.take(told(log))
    expect([world.published, world.copied]).toEqual([[2, 5], 5])
  })
})
