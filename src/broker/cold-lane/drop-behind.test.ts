import { describe, expect, test } from 'vitest'
import { SimDisk } from '../../../sim/disk.ts'
import type { DiskFile, SendStream } from '../../env/env.ts'
import type { Reader } from '../insight/readers.ts'
import { DropBehind, soonBytes, verdictOf } from './drop-behind.ts'
import { lagBytes, stepBytes, type Portion } from './trail.ts'

const mebibyte = 1024 * 1024
const fileBytes = 32 * mebibyte

describe('a portion', () => {
  /** 4 MiB that hold offsets 100,000 to 101,000. */
  const portion: Portion = {
    file: {} as unknown as DiskFile,
    from: 100 * mebibyte,
    to: 104 * mebibyte,
    fromOffset: 100_000,
    toOffset: 101_000,
    isHot: false,
    deliveredShare: 1,
  }
  const soonOffsets = (soonBytes / (4 * mebibyte)) * 1000

  test('goes when everybody is past it, or far behind', () => {
    expect(verdictOf(portion, [])).toBe('drop')
    expect(verdictOf(portion, [101_000, 500_000, 100_000 - soonOffsets])).toBe('drop')
    expect(verdictOf(portion, [-1])).toBe('drop')
  })

  test('is kept for a reader in it, and for one that comes to it soon', () => {
    for (const offset of [100_999, 100_000, 99_000, 100_000 - soonOffsets + 1]) {
      expect(verdictOf(portion, [500_000, offset])).toBe('keep')
    }
  })

  test('is left alone where it was appended lately, or came from memory', () => {
    expect(verdictOf({ ...portion, isHot: true }, [])).toBe('leave')
    expect(verdictOf({ ...portion, deliveredShare: 0.49 }, [])).toBe('leave')
    expect(verdictOf({ ...portion, deliveredShare: 0.5 }, [])).toBe('drop')
  })
})

/** A file of 32 MiB that is durable and all in memory, and readers who go through it; an offset a MiB. */
async function world(options: { readonly isEnabled?: boolean } = {}) {
  const disk = new SimDisk()
  const file = disk.open('/0.log', 'create')
  file.write(0, [new Uint8Array(fileBytes)])
  await file.sync()
  const readers: Reader[] = []
  const dropBehind = new DropBehind({
    readers: { of: () => readers.values() },
    isEnabled: options.isEnabled ?? true,
  })
  const reader = (): Reader => {
    const stream: SendStream = {
      sentBytes: () => 0,
      hitBytes: () => null,
      isSettled: () => false,
      close: () => {},
    }
    const who = { clientId: 'c', host: 'h', topic: 't', partition: 0, stream }
    const where = {
      connectionId: 1,
      group: '',
      lag: null,
      fetchOffset: 0,
      isFollower: false,
      isAway: false,
    }
    const made = { ...who, ...where }
    readers.push(made)
    return made
  }
  /** `by` fetches MiB after MiB of `of` from `from` on, up to `to`. */
  const read = async (
    by: Reader,
    {
      from = 0,
      to,
      cold = true,
      of = file,
    }: { from?: number; to: number; cold?: boolean; of?: DiskFile },
  ): Promise<void> => {
    for (let at = from; at < to; at++) {
      by.fetchOffset = at
      const place = { file: of, position: at * mebibyte, length: mebibyte, offset: at }
      const along = dropBehind.sent(by, { ...place, hotFrom: Infinity, cold })
      if (along !== null) await of.dropCacheAsync(along.position, along.length)
    }
    // A drop is done when whatever was begun before this is.
    await file.readAsync(0, new Uint8Array(0))
  }
  const cached = (from: number, to: number) =>
    file.residency(from * mebibyte, (to - from) * mebibyte)!.cachedBytes / mebibyte
  return { disk, file, readers, dropBehind, reader, read, cached }
}

describe('drop-behind', () => {
  test('takes what a lagging reader has left behind, and counts it', async () => {
    const { dropBehind, reader, read, cached } = await world()
    await read(reader(), { to: 32 })
    const dropped = 32 - (lagBytes + stepBytes) / mebibyte
    expect(cached(0, dropped)).toBe(0)
    expect(cached(dropped, 32)).toBe(32 - dropped)
    expect(dropBehind.droppedBytes).toBe(dropped * mebibyte)
  })

  test('leaves to the thread that sends a range what goes of its file, and does the rest itself', async () => {
    const { disk, file, dropBehind, reader } = await world()
    const next = disk.open('/1.log', 'create')
    const by = reader()
    const spans: unknown[] = []
    for (let at = 0; at < 28; at++) {
      by.fetchOffset = at
      const place = { file: at < 14 ? file : next, position: (at % 14) * mebibyte }
      const range = { ...place, length: mebibyte, offset: at, hotFrom: Infinity, cold: true }
      spans.push(dropBehind.sent(by, range))
    }
    const along = { position: 0, length: stepBytes }
    // Of the second there is nothing in memory, and it goes along as well.
    expect(spans.filter(span => span !== null)).toEqual([along, along])
    await file.readAsync(0, new Uint8Array(0))
    const cached = (from: number, to: number) => file.residency(from, to - from)!.cachedBytes
    expect(cached(0, stepBytes)).toBe(stepBytes)
    expect(cached(stepBytes, 14 * mebibyte)).toBe(0)
  })

  test('takes nothing behind a reader that is served from memory, nor where it is switched off', async () => {
    const hot = await world()
    await hot.read(hot.reader(), { to: 32, cold: false })
    expect(hot.cached(0, 32)).toBe(32)
    const off = await world({ isEnabled: false })
    await off.read(off.reader(), { to: 32 })
    expect(off.cached(0, 32)).toBe(32)
  })

  test('leaves to a follower what the leader read, and takes it behind the follower', async () => {
    const { reader, readers, read, cached } = await world()
    const [leader, follower] = [reader(), reader()]
    await read(leader, { to: 32 })
    expect(cached(0, 32)).toBe(32)
    await read(follower, { to: 17, cold: false })
    expect(cached(0, 12)).toBe(0)
    expect(cached(16, 32)).toBe(16)
    // It closes its connection; nobody comes to the rest.
    readers.pop()
    await read(leader, { from: 28, to: 32, cold: false })
    expect(cached(16, 20)).toBe(0)
  })

  test('takes nothing that is dirty', async () => {
    const { file, dropBehind, reader, read, cached } = await world()
    file.write(mebibyte, [new Uint8Array(1)])
    await read(reader(), { to: 13 })
    expect(cached(0, 4)).toBe(4)
    expect(dropBehind.droppedBytes).toBe(0)
  })

  test('does not mind that the file is closed meanwhile', async () => {
    const { disk, dropBehind, reader, read } = await world()
    const closed = disk.open('/0.log', 'read')
    const by = reader()
    await read(by, { to: 12, of: closed })
    closed.close()
    await read(by, { from: 12, to: 20, of: closed })
    expect(dropBehind.droppedBytes).toBe(0)
  })
})
