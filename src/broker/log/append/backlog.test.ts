import { describe, expect, test } from 'vitest'
import { SimDisk } from '../../../../sim/disk.ts'
import { encodeBatch, readBatchHeader } from '../batch/batch.ts'
import { Segment, SegmentList } from '../segment/segment.ts'
import { backlogOf } from './backlog.ts'

/** Segments of batches of 10 records and 1,000 bytes or so; record n is made at n times `msPerRecord`. */
function logOf(
  batchesPerSegment: readonly number[],
  msPerRecord = 1000,
): { list: SegmentList; batchBytes: number } {
  const disk = new SimDisk()
  disk.mkdir('/log')
  let offset = 0
  let batchBytes = 0
  const segments = batchesPerSegment.map(count => {
    const segment = Segment.create(disk, '/log', offset, 0)
    for (let n = 0; n < count; n++, offset += 10) {
      const bytes = encodeBatch({
        baseOffset: offset,
        baseTimestamp: Math.floor(offset * msPerRecord),
        maxTimestamp: Math.floor((offset + 9) * msPerRecord),
        records: Array.from({ length: 10 }, () => ({ key: null, value: new Uint8Array(100) })),
      })
      batchBytes = bytes.length
      segment.noteAppended(readBatchHeader(bytes, 0), 1)
    }
    return segment
  })
  return { list: new SegmentList(segments), batchBytes }
}

describe('the backlog of an offset', () => {
  test('is nothing at the end', () => {
    const { list } = logOf([5])
    expect(backlogOf(list, 50).bytes).toBe(0)
  })

  test('is all bytes at the start, over all segments', () => {
    const { list, batchBytes } = logOf([3, 4, 2])
    expect(backlogOf(list, 0).bytes).toBe(9 * batchBytes)
    expect(backlogOf(list, 30).bytes).toBe(6 * batchBytes)
  })

  test('counts from within a batch by its share', () => {
    const { list, batchBytes } = logOf([4])
    expect(backlogOf(list, 15).bytes).toBe(Math.round(2.5 * batchBytes))
  })

  test.each([0, 7, 23, 38, 55, 79])('tells about when record %i was made', offset => {
    const { list } = logOf([4, 4])
    const { timestampMs } = backlogOf(list, offset)
    expect(Math.abs(timestampMs! - offset * 1000)).toBeLessThanOrEqual(40_000)
  })

  test('is told in whole numbers, which another broker can be sent', () => {
    const { list } = logOf([3, 3], 12.7)
    const offsets = Array.from({ length: 61 }, (_, offset) => offset)
    const told = offsets.flatMap(offset => Object.values(backlogOf(list, offset)))
    expect(told.filter(figure => !Number.isSafeInteger(figure))).toEqual([])
    for (const segment of list) segment.rest()
    expect(Object.values(backlogOf(list, 37)).every(Number.isSafeInteger)).toBe(true)
  })

  test('goes by the segment where its index is not in memory', () => {
    const { list, batchBytes } = logOf([4, 4])
    for (const segment of list) segment.rest()
    expect(backlogOf(list, 20).bytes).toBe(6 * batchBytes)
    expect(Math.abs(backlogOf(list, 60).timestampMs! - 60_000)).toBeLessThanOrEqual(10_000)
  })

  test('knows no time in an empty log', () => {
    const { list } = logOf([0])
    expect(backlogOf(list, 0)).toEqual({ bytes: 0, timestampMs: null })
  })
})
